/* SPDX-License-Identifier: Apache-2.0 */
/*
 * local - a control plane that lives as long as one drill: etcd and kube-apiserver of our own, on the loopback interface, with the definitions that the snapshot
 * recorded, and nothing else: no controllers, no webhooks, no nodes.
 *
 * The programs are looked for in KUBEBUILDER_ASSETS, in the PATH, and in the cache of the project's tests ($RHAII_DR_CACHE, $XDG_CACHE_HOME/rhaii-dr/bin-*, ~/.cache/...). etcd listens on
 * a socket in a directory that is ours alone. The key and the token of the server are in no file. All of it ends with us, also when we are killed; the directory
 * is then left.
 */
#ifndef RHAII_DRILL_LOCAL_H
#define RHAII_DRILL_LOCAL_H

#include <jansson.h>

struct error;
struct kube_client;
struct kube_config;
struct local_cluster;
struct snapshot;

/* Returns when it answers. ERR_USAGE where there are no programs; ERR_FAILED, with what the program said last. */
int local_start(struct local_cluster **out, struct error *err);
/* Borrowed, until local_stop. */
const struct kube_config *local_config(const struct local_cluster *cluster);
/* NULL is fine. */
void local_stop(struct local_cluster *cluster);

/*
 * Make the definitions of the snapshot's crds/: only the version that objects are stored at, no conversion (both would need a webhook). Returns when all are
 * served. *installed counts them.
 */
int local_install(struct kube_client *client, const struct snapshot *snapshot, size_t *installed, struct error *err);

/* What such a drill cannot test: [{what, reason}]. The caller's. */
json_t *local_not_tested(void);

#endif
