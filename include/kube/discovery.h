/* SPDX-License-Identifier: Apache-2.0 */
/*
 * discovery - which resources an API server serves (aggregated discovery v2, KEP-3352; the older /api, /apis/GROUP/VERSION documents
 * where it is not spoken), and the paths of their objects.
 *
 * "Not served" is a claim: it holds only where discovery was complete. An aggregated API server that is down takes its group out of
 * what can be found, so before NULL is read as "the cluster has no such thing", ask discovery_incomplete.
 */
#ifndef RHAII_KUBE_DISCOVERY_H
#define RHAII_KUBE_DISCOVERY_H

#include <stdbool.h>
#include <stddef.h>

struct error;
struct kube_client;
struct discovery;
struct strbuf;

struct kube_resource {
	char *group;    /* "" for the core group */
	char *version;  /* "v1" */
	char *resource; /* plural, "httproutes" */
	char *kind;
	bool namespaced;
};

int discovery_load(struct discovery **out, struct kube_client *client, struct error *err);
/* kube_expect of what it asks for. */
void discovery_expect(struct kube_client *client);
void discovery_free(struct discovery *discovery);

/*
 * The resource at the version given, or (version NULL) at the first version that serves it, in server order: the group's preferred one
 * comes first. NULL when it is not served. Borrowed.
 */
const struct kube_resource *discovery_find(const struct discovery *discovery, const char *group, const char *resource, const char *version);
/* The same by kind: kind names are unique in a group version. */
const struct kube_resource *discovery_find_kind(
	const struct discovery *discovery, const char *group, const char *kind, const char *version);
/* The versions that serve group and resource, server order, NULL-terminated; NULL when none. The caller frees the array only. */
const char **discovery_versions(const struct discovery *discovery, const char *group, const char *resource);
/* Whether the server could not say (or not freshly) what the group serves. */
bool discovery_incomplete(const struct discovery *discovery, const char *group);

/* "v1" or "group/v1", as in an object's apiVersion. The caller frees. */
char *kube_api_version(const struct kube_resource *resource);

/* Append the absolute URL path of a collection (name NULL) or an object; namespace_ NULL or "": all namespaces or cluster-scoped. Escaped. */
void kube_path(struct strbuf *out, const struct kube_resource *resource, const char *namespace_, const char *name);

#endif
