/* SPDX-License-Identifier: Apache-2.0 */
#include "drill/report.h"

#include <stdlib.h>

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
	char *text = json_dumps(report->record, JSON_INDENT(2) | JSON_SORT_KEYS);

	strbuf_adds(out, text ? text : "{}");
	strbuf_addc(out, '\n');
	free(text);
}

json_t *report_point(const json_t *record)
{
	json_t *phases = json_object(), *phase;
	size_t i;

	json_array_foreach (json_object_get(record, "phases"), i, phase) {
		json_t *spent = json_object_get(phase, "milliseconds");
		const char *name = json_text_at(phase, "name", NULL);

		if (name && json_is_integer(spent))
			json_object_set(phases, name, spent);
	}
	return json_pack("{s:O*, s:O*, s:O*, s:O*, s:O*, s:o}", "id", json_object_get(record, "id"), "kind",
		json_object_get(record, "kind"), "startedAt", json_object_get(record, "startedAt"), "result",
		json_at(record, "verdict", "result", NULL), "rtoMilliseconds", json_at(record, "rto", "achievedMilliseconds", NULL),
		"phases", phases);
}

int report_render(const json_t *record, const json_t *trend, enum report_format format, struct strbuf *out, struct error *err)
{
	auto_json json_t *alone = NULL;
	struct report report = {.record = record, .trend = trend};

	if (!json_is_object(record))
		return error_set(err, ERR_SYNTAX, "the record is no JSON object");
	if (!trend)
		report.trend = alone = json_pack("[o]", report_point(record));
	renderings[format](&report, out);
	return 0;
}
