/* SPDX-License-Identifier: Apache-2.0 */
#include "util/key.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "util/error.h"
#include "util/strbuf.h"

#define KEY_MAX 1024 /* bytes of the PEM text: 241 */

int key_make(struct strbuf *out, struct error *err)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	BIO *memory = BIO_new(BIO_s_secmem());
	char *text;
	long len = 0;

	if (key && memory && PEM_write_bio_PrivateKey_traditional(memory, key, NULL, NULL, 0, NULL, NULL) == 1)
		len = BIO_get_mem_data(memory, &text);
	if (len > 0) {
		(void)strbuf_reserve(out, KEY_MAX);
		strbuf_add(out, text, (size_t)len);
	}
	BIO_free(memory);
	EVP_PKEY_free(key);
	return len > 0 ? 0 : error_set(err, ERR_FAILED, "libcrypto cannot make a key");
}
