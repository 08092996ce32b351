/* SPDX-License-Identifier: Apache-2.0 */
/* object_api - get, create, patch one object, and who the cluster is. */
#ifndef RHAII_KUBE_OBJECT_API_H
#define RHAII_KUBE_OBJECT_API_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct error;
struct kube_client;
struct kube_resource;

/* The manager name in managedFields of what rhaii-dr writes. */
#define KUBE_FIELD_MANAGER "rhaii-dr"

/* ERR_NOT_FOUND when it is not there. *out is the caller's. */
int kube_get(struct kube_client *client, const struct kube_resource *resource, const char *namespace_, const char *name, json_t **out,
	struct error *err);

/*
 * The names of a Secret's keys, appended; values is false: only whether it is there, and no value leaves the server. ERR_NOT_FOUND. The values of the answer are
 * wiped before this returns; they are in no message and no log.
 */
struct strlist;
int kube_secret_keys(struct kube_client *client, const struct kube_resource *resource, const char *namespace_, const char *name,
	bool values, struct strlist *keys, struct error *err);

/* JSON merge patch (RFC 7386). dry_run: dryRun=All. *out may be NULL. */
int kube_merge_patch(struct kube_client *client, const struct kube_resource *resource, const char *namespace_, const char *name,
	const json_t *patch, bool dry_run, json_t **out, struct error *err);

/* PUT of the whole object, strict. deadline_ms as in struct kube_request. *out may be NULL. ERR_CONFLICT when its resourceVersion is not the live one. */
int kube_replace(struct kube_client *client, const struct kube_resource *resource, const char *namespace_, const char *name,
	const json_t *body, int64_t deadline_ms, bool dry_run, json_t **out, struct error *err);

/* Delete exactly this one, dependants in the background: ERR_NOT_FOUND, ERR_CONFLICT when uid or resourceVersion (NULL: any) are others by now. */
int kube_delete(struct kube_client *client, const struct kube_resource *resource, const char *namespace_, const char *name, const char *uid,
	const char *resource_version, struct error *err);

/* The path and query for a strict create in the collection: POST there with the object as body. The caller frees. */
char *kube_create_path(const struct kube_resource *resource, const char *namespace_, bool dry_run);

/* kube_expect of what kube_server_version and discovery_load ask for. */
void kube_expect_target(struct kube_client *client);
/* uid of the namespace kube-system: the identity of a cluster. The caller frees. */
int kube_cluster_id(struct kube_client *client, char **id, struct error *err);
/* gitVersion of /version. The caller frees. */
int kube_server_version(struct kube_client *client, char **version, struct error *err);

#endif
