/* SPDX-License-Identifier: Apache-2.0 */
#include "util/hash.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/error.h"
#include "util/mem.h"

struct hash {
	EVP_MD_CTX *context;
};

/* libcrypto fails here only without memory or without the algorithm; neither leaves anything to go on with. */
static void check(int ok)
{
	if (ok)
		return;
	(void)fprintf(stderr, "rhaii-dr: libcrypto cannot hash\n");
	_exit(ERR_FAILED);
}

static EVP_MD *algorithms[2];

static void fetch_algorithms(void)
{
	algorithms[0] = EVP_MD_fetch(NULL, "SHA256", NULL);
	algorithms[1] = EVP_MD_fetch(NULL, "SHA1", NULL);
}

/* Fetched once, by whichever thread comes first: a look-up for each of 100,000 small objects would cost more than their hashes. */
static const EVP_MD *algorithm(int sha1)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, fetch_algorithms);
	check(algorithms[sha1 ? 1 : 0] != NULL);
	return algorithms[sha1 ? 1 : 0];
}

struct hash *hash_new(int sha1)
{
	struct hash *hash = xmalloc(sizeof(*hash));

	hash->context = EVP_MD_CTX_new();
	check(hash->context && EVP_DigestInit_ex2(hash->context, algorithm(sha1), NULL) == 1);
	return hash;
}

void hash_update(struct hash *hash, const void *data, size_t len)
{
	check(len == 0 || EVP_DigestUpdate(hash->context, data, len) == 1);
}

static size_t finish(struct hash *hash, unsigned char raw[EVP_MAX_MD_SIZE])
{
	unsigned len = 0;

	check(EVP_DigestFinal_ex(hash->context, raw, &len) == 1);
	EVP_MD_CTX_free(hash->context);
	free(hash);
	return len;
}

static const char digits[] = "0123456789abcdef";

void hash_hex(const unsigned char *raw, size_t len, char *hex)
{
	for (size_t i = 0; i < len; i++) {
		*hex++ = digits[raw[i] >> 4];
		*hex++ = digits[raw[i] & 0x0F];
	}
	*hex = '\0';
}

bool hash_from_hex(const char *hex, unsigned char *raw, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		const char *high = *hex ? strchr(digits, *hex++) : NULL;
		const char *low = high && *hex ? strchr(digits, *hex++) : NULL;

		if (!low)
			return false;
		raw[i] = (unsigned char)((high - digits) << 4 | (low - digits));
	}
	return *hex == '\0';
}

void hash_final(struct hash *hash, char *hex)
{
	unsigned char raw[EVP_MAX_MD_SIZE];

	hash_hex(raw, finish(hash, raw), hex);
}

void hash_final_raw(struct hash *hash, unsigned char *raw)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	size_t len = finish(hash, digest);

	for (size_t i = 0; i < len; i++)
		raw[i] = digest[i];
}

void hash_sha256(const void *data, size_t len, char hex[HASH_HEX_SIZE])
{
	struct hash *hash = hash_new(0);

	hash_update(hash, data, len);
	hash_final(hash, hex);
}

void hash_sha256_raw(const void *data, size_t len, unsigned char raw[HASH_RAW_SIZE])
{
	struct hash *hash = hash_new(0);

	hash_update(hash, data, len);
	hash_final_raw(hash, raw);
}
