/* SPDX-License-Identifier: Apache-2.0 */
#include "drill/report.h"

#include <string.h>

#include "command.h"
#include "drill/chain.h"
#include "drill/record.h"
#include "output.h"
#include "store/git.h"
#include "tables.h"
#include "util/error.h"
#include "util/file.h"
#include "util/json.h"
#include "util/strbuf.h"

#define RECORD_MAX (64U << 20)
#define REPORT_MODE 0644 /* it holds no secret, and others are to read it */
#define TREND 20         /* of the chain: the last so many */

static int read_record(const char *path, json_t **out, struct error *err)
{
	auto_strbuf struct strbuf bytes = STRBUF_INIT;

	if (file_read(path, RECORD_MAX, &bytes, err) < 0 || record_read(out, bytes.buf, bytes.len, err) < 0)
		return error_wrap(err, "record '%s'", path);
	return 0;
}

/* The file that the first argument names; the other ones are those before it, which make the trend. */
static int find_file(const struct context *ctx, json_t **record, json_t *points, struct error *err)
{
	for (size_t i = 1; context_arg(ctx, i); i++) {
		auto_json json_t *earlier = NULL;

		if (read_record(context_arg(ctx, i), &earlier, err) < 0)
			return -1;
		json_array_append_new(points, chain_point(earlier));
	}
	if (read_record(context_arg(ctx, 0), record, err) < 0)
		return -1;
	json_array_append_new(points, chain_point(*record));
	return 0;
}

/* Of the chain of the cluster: the one with this id, or the newest; the chain makes the trend. */
static int find_in_chain(struct context *ctx, json_t **record, json_t *points, struct error *err)
{
	auto_json json_t *trend = NULL;

	if (context_arg(ctx, 1))
		return error_set(err, ERR_USAGE, "only files of records have others before them: leave out '%s'", context_arg(ctx, 1));
	if (git_store_open(&ctx->store, ctx->settings.repo, false, NULL, err) < 0 ||
		git_store_cluster(ctx->store, ctx->settings.cluster, &ctx->cluster, err) < 0 ||
		chain_find(ctx->store, ctx->cluster, context_arg(ctx, 0), record, err) < 0 ||
		chain_trend(ctx->store, ctx->cluster, json_text_at(*record, "id", NULL), TREND, &trend, err) < 0)
		return -1;
	json_array_extend(points, trend);
	return 0;
}

/* An id has neither a '/' nor a '.'. */
static bool is_file(const char *name)
{
	return name && strpbrk(name, "/.");
}

int command_report(struct context *ctx, struct error *err)
{
	const struct settings *s = &ctx->settings;
	auto_json json_t *record = NULL;
	auto_json json_t *trend = json_array();
	auto_strbuf struct strbuf text = STRBUF_INIT;
	int rc = is_file(context_arg(ctx, 0)) ? find_file(ctx, &record, trend, err) : find_in_chain(ctx, &record, trend, err);

	if (rc < 0 || report_render(record, trend, s->format, &text, err) < 0)
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
