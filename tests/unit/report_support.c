/* SPDX-License-Identifier: Apache-2.0 */
#include "report_support.h"

#include <string.h>

#include "support.h"
#include "util/file.h"
#include "util/json.h"
#include "util/mem.h"

const char *const report_records[] = {"passed", "failed", "incomplete", "hostile", NULL};

json_t *report_record(const char *name, struct strbuf *text)
{
	auto_free char *path = xasprintf("tests/data/records/%s.json", name);
	auto_strbuf struct strbuf bytes = STRBUF_INIT;
	struct error err = ERROR_INIT;
	json_t *record;

	assert_int_equal(file_read(path, 1U << 20, &bytes, &err), 0);
	record = json_read(bytes.buf, bytes.len, &err);
	assert_string_equal(err.text, "");
	if (text)
		strbuf_add(text, bytes.buf, bytes.len);
	return record;
}

char *report_of(const json_t *record, const json_t *trend, enum report_format format)
{
	struct error err = ERROR_INIT;
	struct strbuf out = STRBUF_INIT;

	assert_int_equal(report_render(record, trend, format, &out, &err), 0);
	assert_int_equal(strlen(out.buf), out.len);
	return strbuf_detach(&out, NULL);
}

char *report_of_name(const char *name, enum report_format format)
{
	auto_json json_t *record = report_record(name, NULL);

	return report_of(record, NULL, format);
}

void assert_text_has(const char *text, const char *expected)
{
	if (!strstr(text, expected))
		fail_msg("not in the report: %s\n%s", expected, text);
}

void assert_text_lacks(const char *text, const char *unwanted)
{
	if (strstr(text, unwanted))
		fail_msg("in the report: %s", unwanted);
}
