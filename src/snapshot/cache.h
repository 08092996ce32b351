/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cache - what the last capture made of each object, by uid and resourceVersion: <repository>/rhaii-dr.cache/<cluster>.
 *
 * Only a cache: where it is missing, damaged, or of another cluster, policy or program, all the work is done, with the same result. Nothing here fails a
 * capture. The new file is written while the capture runs and takes its place at cache_save, so a kill leaves the old one (and a temp file, which
 * the next run removes). The writer's lock of the repository is held. NULL is a cache that knows nothing and keeps nothing.
 */
#ifndef RHAII_SNAPSHOT_CACHE_H
#define RHAII_SNAPSHOT_CACHE_H

#include <stdbool.h>
#include <stddef.h>

struct cache;
struct git_store;
struct policy;
struct strbuf;

struct cache_identity {
	const char *cluster, *cluster_id;
	const struct policy *policy;
};

/* read_only: for a dry run. */
struct cache *cache_open(const struct git_store *store, const struct cache_identity *identity, bool read_only);
/* Replace record by what is known under the key. */
bool cache_find(struct cache *cache, const char *key, struct strbuf *record);
/* For the next capture. It costs little where the last one kept the same in the same place. */
void cache_keep(struct cache *cache, const char *key, const struct strbuf *record);
/* Put the new one in the place of the old; nothing is written when they hold the same. */
void cache_save(struct cache *cache);
void cache_free(struct cache *cache);

#endif
