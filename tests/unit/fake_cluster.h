/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake_cluster - a fake_api with a client at it, written row by row: what every run asks for first, lists, and the faults of the test.
 *
 * Rows are used as in fake_api.h: once, in their order. In every text ' stands for ".
 */
#ifndef RHAII_TESTS_FAKE_CLUSTER_H
#define RHAII_TESTS_FAKE_CLUSTER_H

#include <jansson.h>
#include <stddef.h>

#include "fake_api.h"
#include "kube/kubeconfig.h"

#define FAKE_ROWS_MAX 64

/* Parts of discovery. */
#define FAKE_RESOURCE(name, kind, scope)                                                                                                   \
	"{'resource':'" name "','responseKind':{'group':'','version':'','kind':'" kind "'},'scope':'" scope "','verbs':['list']}"
#define FAKE_VERSION(version, resources) "{'version':'" version "','freshness':'Current','resources':[" resources "]}"
#define FAKE_GROUP(name, versions) "{'metadata':{'name':'" name "'},'versions':[" versions "]}"

struct fake_cluster {
	struct fake_exchange rows[FAKE_ROWS_MAX];
	char *bodies[FAKE_ROWS_MAX];
	size_t count;
	struct fake_api *api;
	struct kube_config config;
	struct kube_client *client;
};

/* One more row; the caller may change what else is in it before the start. */
struct fake_exchange *fake_cluster_say(struct fake_cluster *cluster, const char *path, int status, const char *body);
/* The same row so many times. */
void fake_cluster_say_times(struct fake_cluster *cluster, size_t times, const char *path, int status, const char *body);
/* A whole list; version is the apiVersion of its items, kind theirs. */
void fake_cluster_list(struct fake_cluster *cluster, const char *path, const char *version, const char *kind, const char *items);
/* Identity (the uid of kube-system), server version and discovery. */
void fake_cluster_hello(struct fake_cluster *cluster, const char *uid, const char *core_versions, const char *groups);

/* Fails the running test when it cannot do its work. */
void fake_cluster_start(struct fake_cluster *cluster);
/* Forget everything: the next one can be written. */
void fake_cluster_stop(struct fake_cluster *cluster);
size_t fake_cluster_seen(const struct fake_cluster *cluster, const char *text);

/* A copy with " for each '; the caller frees. */
char *fake_quoted(const char *text);
/* The value of such a text; the caller's. */
json_t *fake_value(const char *text);

#endif
