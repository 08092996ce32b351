/* SPDX-License-Identifier: Apache-2.0 */
#include "drill/report.h"

#include <string.h>

#include "command.h"
#include "output.h"
#include "tables.h"
#include "util/error.h"
#include "util/file.h"
#include "util/json.h"
#include "util/strbuf.h"

#define RECORD_MAX (64U << 20)
#define RECORD_FORMAT 1
#define REPORT_MODE 0644 /* it holds no secret, and others are to read it */

static int read_record(const char *path, json_t **out, struct error *err)
{
	auto_strbuf struct strbuf bytes = STRBUF_INIT;
	auto_json json_t *record = NULL;
	json_int_t format;

	if (file_read(path, RECORD_MAX, &bytes, err) < 0 || !(record = json_read(bytes.buf, bytes.len, err)))
		return error_wrap(err, "record '%s'", path);
	format = json_integer_value(json_object_get(record, "format"));
	if (format > RECORD_FORMAT)
		return error_set(err, ERR_FAILED, "record '%s': format %lld is newer than this program, which reads up to %d", path,
			(long long)format, RECORD_FORMAT);
	if (format < 1)
		return error_set(err, ERR_SYNTAX, "record '%s': this is no record of a drill or a restore", path);
	*out = json_incref(record);
	return 0;
}

/* The record that the first argument names, and the trend up to it: of the records that the other arguments name. Both are the caller's. */
static int find_record(const struct context *ctx, json_t **record, json_t **trend, struct error *err)
{
	auto_json json_t *points = json_array();

	for (size_t i = 1; context_arg(ctx, i); i++) {
		auto_json json_t *earlier = NULL;

		if (read_record(context_arg(ctx, i), &earlier, err) < 0)
			return -1;
		json_array_append_new(points, report_point(earlier));
	}
	if (read_record(context_arg(ctx, 0), record, err) < 0)
		return -1;
	json_array_append_new(points, report_point(*record));
	*trend = json_incref(points);
	return 0;
}

int command_report(struct context *ctx, struct error *err)
{
	const struct settings *s = &ctx->settings;
	auto_json json_t *record = NULL;
	auto_json json_t *trend = NULL;
	auto_strbuf struct strbuf text = STRBUF_INIT;

	if (find_record(ctx, &record, &trend, err) < 0 || report_render(record, trend, s->format, &text, err) < 0)
		return -1;
	ctx->result = json_pack("{s:s, s:s?}", "format", report_formats[s->format], "file", s->file);
	if (!s->file)
		json_object_set_new(ctx->result, "report", json_string(text.buf));
	else if (file_write(s->file, text.buf, text.len, REPORT_MODE, err) < 0)
		return error_wrap(err, "report '%s'", s->file);
	return 0;
}

void print_report(struct output *out, const json_t *result)
{
	const char *file = json_text_at(result, "file", NULL);

	if (file)
		output_field(out, "report", "%s (%s)", file, table_text(result, "format"));
	else
		output_verbatim(out, table_text(result, "report"));
}
