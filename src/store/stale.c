/* SPDX-License-Identifier: Apache-2.0 */
#include "store/stale.h"

#include <string.h>

#include "store/git.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/json.h"
#include "util/strbuf.h"

#define SINCE " since "

void stale_write(const json_t *stale, struct strbuf *out)
{
	const json_t *mark;
	size_t i;

	json_array_foreach (stale, i, mark) {
		const char *group = json_text_at(mark, "group", NULL);

		strbuf_addf(out, "Stale: %s%s%s" SINCE "%s\n", json_text_at(mark, "resource", NULL), *group ? "." : "", group,
			json_text_at(mark, "since", NULL));
	}
}

/* NULL when it is none. */
static json_t *read_mark(const char *value)
{
	const char *since = strstr(value, SINCE);
	size_t len = strcspn(value, ". ");
	auto_free char *resource = xstrndup(value, len), *group = NULL;
	struct error ignored = ERROR_INIT;
	time_t when;

	if (!since || len == 0 || strcspn(value, " ") != (size_t)(since - value) || clock_parse(since + strlen(SINCE), &when, &ignored) < 0)
		return NULL;
	group = value[len] == '.' ? xstrndup(value + len + 1, (size_t)(since - value) - len - 1) : xstrdup("");
	return json_pack("{s:s, s:s, s:s}", "group", group, "resource", resource, "since", since + strlen(SINCE));
}

json_t *stale_read(const struct strlist *values)
{
	json_t *stale = json_array(), *mark;

	for (size_t i = 0; i < values->count; i++)
		if ((mark = read_mark(values->items[i])))
			json_array_append_new(stale, mark);
	return stale;
}

json_t *stale_of(struct git_store *store, const char *cluster, const struct git_commit *commit)
{
	auto_strlist struct strlist values = STRLIST_INIT;
	struct error ignored = ERROR_INIT;
	char head[GIT_ID_SIZE];

	if (git_resolve(store, cluster, NULL, head, &ignored) < 0 || strcmp(head, commit->id) != 0 || git_captured_at(store, cluster) == 0)
		return stale_read(&commit->stale);
	git_captured_trailers(store, cluster, "Stale", &values);
	return stale_read(&values);
}

time_t stale_complete_time(const json_t *stale, time_t last)
{
	const json_t *mark;
	size_t i;

	json_array_foreach (stale, i, mark) {
		struct error impossible = ERROR_INIT; /* read_mark has read it */
		time_t since = last;

		(void)clock_parse(json_text_at(mark, "since", NULL), &since, &impossible);
		last = since < last ? since : last;
	}
	return last;
}
