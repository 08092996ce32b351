/* SPDX-License-Identifier: Apache-2.0 */
#include "drill/report.h"

#include "drill/chain.h"
#include "drill/record.h"
#include "parts.h"
#include "util/error.h"
#include "util/json.h"
#include "util/strbuf.h"

const char *const report_formats[] = {
	[REPORT_TEXT] = "text",
	[REPORT_JSON] = "json",
	[REPORT_MARKDOWN] = "md",
	[REPORT_HTML] = "html",
	[REPORT_JUNIT] = "junit",
	[REPORT_OPENMETRICS] = "openmetrics",
	[REPORT_FORMAT_COUNT] = NULL,
};

static void (*const renderings[REPORT_FORMAT_COUNT])(const struct report *report, struct strbuf *out) = {
	[REPORT_TEXT] = report_text,
	[REPORT_JSON] = report_json,
	[REPORT_MARKDOWN] = report_markdown,
	[REPORT_HTML] = report_html,
	[REPORT_JUNIT] = report_junit,
	[REPORT_OPENMETRICS] = report_openmetrics,
};

void report_json(const struct report *report, struct strbuf *out)
{
	record_text(report->record, out);
}

int report_render(const json_t *record, const json_t *trend, enum report_format format, struct strbuf *out, struct error *err)
{
	auto_json json_t *alone = NULL;
	struct report report = {.record = record, .trend = trend};

	if (!json_is_object(record))
		return error_set(err, ERR_SYNTAX, "the record is no JSON object");
	if (!trend)
		report.trend = alone = json_pack("[o]", chain_point(record));
	renderings[format](&report, out);
	return 0;
}
