/* SPDX-License-Identifier: Apache-2.0 */
/*
 * git_packfile - many git objects as one pack and its index (gitformat-pack(5), both of version 2), without libgit2: it has no writer that streams, and the
 * one that it has inflates and hashes all of it again.
 *
 * Entries are deflated and kept in a file without a name, on a thread of their own; pack_finish puts them, in one go, where git looks. A kill before that leaves
 * nothing behind, a kill within it a stray temporary file, or a pack without an index, which git passes over. The next pack_finish sweeps the former.
 */
#ifndef RHAII_STORE_GIT_PACKFILE_H
#define RHAII_STORE_GIT_PACKFILE_H

#include <stddef.h>

#define PACK_ID_SIZE 20

struct error;
struct pack;

/* dir: of the repository, with a '/' at its end; borrowed. */
int pack_new(struct pack **out, const char *dir, struct error *err);
/* type: as git_object_t has it. An object may be given once only. A failure may show at a later call; all calls after it fail. */
int pack_add(struct pack *pack, int type, const void *data, size_t len, const unsigned char id[PACK_ID_SIZE], struct error *err);
/* Write <dir>objects/pack/pack-<SHA-1 of the ids>.pack and .idx, durable, the index last. The writer's lock must be held. Nothing may be added afterwards. */
int pack_finish(struct pack *pack, struct error *err);
void pack_free(struct pack *pack);

#endif
