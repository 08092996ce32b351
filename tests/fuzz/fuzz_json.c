/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever JSON is read: its JSON and its canonical text read as the same value, and are the texts of that. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "object/canonical.h"
#include "util/error.h"
#include "util/json.h"
#include "util/strbuf.h"
#include "util/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef json_t *read_fn(const char *buf, size_t len, struct error *err);
typedef void write_fn(const json_t *value, struct strbuf *out);

static void check(const json_t *value, write_fn *write, read_fn *read)
{
	struct error err = ERROR_INIT;
	auto_strbuf struct strbuf text = STRBUF_INIT, again = STRBUF_INIT;
	auto_json json_t *same = NULL;

	write(value, &text);
	same = read(text.buf, text.len, &err);
	if (!same || !json_equal(value, same))
		abort();
	write(same, &again);
	if (again.len != text.len || memcmp(again.buf, text.buf, text.len) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = ERROR_INIT;
	auto_json json_t *value = json_read((const char *)data, size, &err);

	if (!value)
		return 0;
	check(value, json_write, json_read);
	check(value, canonical_yaml, yaml_read);
	return 0;
}
