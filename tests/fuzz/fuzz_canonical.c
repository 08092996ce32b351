/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever YAML is read: its canonical text reads as the same value, and is the canonical text of that. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "object/canonical.h"
#include "util/error.h"
#include "util/json.h"
#include "util/strbuf.h"
#include "util/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = ERROR_INIT;
	auto_strbuf struct strbuf text = STRBUF_INIT, again = STRBUF_INIT;
	auto_json json_t *value = yaml_read((const char *)data, size, &err), *read = NULL;

	if (!value)
		return 0;
	canonical_yaml(value, &text);
	read = yaml_read(text.buf, text.len, &err);
	if (!read || !json_equal(value, read))
		abort();
	canonical_yaml(read, &again);
	if (again.len != text.len || memcmp(again.buf, text.buf, text.len) != 0)
		abort();
	return 0;
}
