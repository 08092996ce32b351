/* SPDX-License-Identifier: Apache-2.0 */
/* hash - SHA-256 (FIPS 180-4) and SHA-1 (only for git's own formats) by libcrypto, lower-case hex. */
#ifndef RHAII_UTIL_HASH_H
#define RHAII_UTIL_HASH_H

#include <stdbool.h>
#include <stddef.h>

#define HASH_RAW_SIZE 32      /* SHA-256 */
#define HASH_HEX_SIZE 65      /* SHA-256 in hex and the NUL */
#define HASH_SHA1_HEX_SIZE 41 /* SHA-1 in hex and the NUL */

void hash_sha256(const void *data, size_t len, char hex[HASH_HEX_SIZE]);
void hash_sha256_raw(const void *data, size_t len, unsigned char raw[HASH_RAW_SIZE]);
/* len bytes as 2 * len digits and a NUL. */
void hash_hex(const unsigned char *raw, size_t len, char *hex);
/* The other way; false when hex is not just len bytes in lower case. */
bool hash_from_hex(const char *hex, unsigned char *raw, size_t len);

/* Streaming. */
struct hash;
struct hash *hash_new(int sha1);
void hash_update(struct hash *hash, const void *data, size_t len);
/* Write the hex digest (HASH_HEX_SIZE or HASH_SHA1_HEX_SIZE bytes with NUL) and free hash. */
void hash_final(struct hash *hash, char *hex);
/* As hash_final, the raw 20 or 32 bytes. */
void hash_final_raw(struct hash *hash, unsigned char *raw);

#endif
