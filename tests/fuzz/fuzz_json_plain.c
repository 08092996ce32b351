/* SPDX-License-Identifier: Apache-2.0 */
/* The fast reader of JSON: what it takes, jansson reads as the same value. */
#include <stdint.h>
#include <stdlib.h>

#include "../../src/util/json_plain.h"
#include "util/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_json json_t *got = json_plain_read((const char *)data, size), *want = NULL;

	if (!got)
		return 0;
	want = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL);
	if (!want || !json_equal(got, want))
		abort();
	return 0;
}
