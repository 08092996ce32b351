/* SPDX-License-Identifier: Apache-2.0 */
/* Reports of records from anywhere: each rendering ends, is the same twice, and has no byte that a terminal obeys. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "drill/report.h"
#include "util/error.h"
#include "util/json.h"
#include "util/strbuf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void render(const json_t *record, enum report_format format)
{
	auto_strbuf struct strbuf once = STRBUF_INIT, again = STRBUF_INIT;
	struct error err = ERROR_INIT;

	if (report_render(record, NULL, format, &once, &err) < 0)
		return;
	if (report_render(record, NULL, format, &again, &err) < 0 || once.len != again.len || memcmp(once.buf, again.buf, once.len) != 0)
		abort();
	for (size_t i = 0; i < once.len; i++)
		if ((unsigned char)once.buf[i] < 0x20 && once.buf[i] != '\n')
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = ERROR_INIT;
	auto_json json_t *record = json_read((const char *)data, size, &err);

	for (int format = 0; record && format < REPORT_FORMAT_COUNT; format++)
		render(record, (enum report_format)format);
	return 0;
}
