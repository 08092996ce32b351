/* SPDX-License-Identifier: Apache-2.0 */
/*
 * archive_pack - files into a new archive (store/archive.h has its format): tar by libarchive, zstd, the SHA-256 of both, on a thread of its own, while the caller
 * gets the next files.
 *
 * Call order: archive_pack_open, archive_pack_add for each file in the order in which they are to stand, archive_pack_commit, archive_pack_free. Nothing is
 * under the final name before archive_pack_commit has returned 0. A failure may show at a later call; after it only archive_pack_free may follow.
 */
#ifndef RHAII_STORE_ARCHIVE_PACK_H
#define RHAII_STORE_ARCHIVE_PACK_H

#include <stddef.h>
#include <time.h>

struct archive_pack;
struct error;

/* when: the time of all files. */
int archive_pack_open(struct archive_pack **out, const char *path, time_t when, struct error *err);
int archive_pack_add(struct archive_pack *pack, const char *path, const void *data, size_t len, struct error *err);
/* Durable, under its name. sum (HASH_HEX_SIZE) is the SHA-256 of the file. ERR_FAILED where a reader would take it for a bomb. */
int archive_pack_commit(struct archive_pack *pack, char *sum, struct error *err);
/* NULL is fine. */
void archive_pack_free(struct archive_pack *pack);

#endif
