/* SPDX-License-Identifier: Apache-2.0 */
/*
 * archive_stream - the entries of an archive, one after the other, a few hundred KiB of it in memory at a time.
 *
 * An archive may come from anybody: nothing of it is written to the disk, what expands to more than a snapshot can hold is refused, and so is all but plain
 * files at paths of tree.h. Whether it is true is the caller's to find out: the zstd checksum, for one, is seen at the end only.
 *
 * Call order: archive_stream_open, then archive_stream_next and, where the bytes are wanted, archive_stream_data, until the end; archive_stream_end. After a
 * failure only archive_stream_free may follow. Not thread safe.
 */
#ifndef RHAII_STORE_ARCHIVE_STREAM_H
#define RHAII_STORE_ARCHIVE_STREAM_H

#include <stddef.h>

struct archive_stream;
struct error;
struct strbuf;

/* err, where the failures of all calls go, must be there until archive_stream_free. ERR_NOT_FOUND when there is no such file. */
int archive_stream_open(struct archive_stream **out, const char *path, struct error *err);
/* 1 and the name of the next entry, borrowed until the next call; 0 behind the last. ERR_INTEGRITY where it is larger than max. */
int archive_stream_next(struct archive_stream *stream, size_t max, const char **name);
/* Append the bytes of the entry at hand; once an entry, and not at all for one that is passed over. */
int archive_stream_data(struct archive_stream *stream, struct strbuf *out);
/* Read what is behind the last entry, to the end of the file; sum (HASH_HEX_SIZE) is the SHA-256 of the whole file. */
int archive_stream_end(struct archive_stream *stream, char *sum);
/* NULL is fine. */
void archive_stream_free(struct archive_stream *stream);

#endif
