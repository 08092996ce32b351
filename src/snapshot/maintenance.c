/* SPDX-License-Identifier: Apache-2.0 */
/* What is seen of an object while it is live and is not in its file: who wrote it, whether it is going away, whether it is Ready. */
#include "snapshot/maintenance.h"

#include <string.h>

#include "internal.h"
#include "object/blame.h"
#include "object/change.h"
#include "object/idle.h"
#include "object/object.h"
#include "policy/policy.h"
#include "snapshot/capture.h"
#include "store/git.h"
#include "store/snapshot.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/json.h"
#include "util/strbuf.h"
#include "util/text.h"

/* The server's clock is not ours, and a capture takes its time. */
#define SINCE_MARGIN_SECONDS 3600
/* A cluster that somebody writes to everywhere must not cost the memory that the lists do not. */
#define RECORDS_MAX 2000
#define LINES_MAX 200
#define LINE "in maintenance: "
#define TERMINATING "Terminating"

/* ---- while it is live ---- */

void live_begin(struct capture *c, struct git_store *store)
{
	struct error ignored = ERROR_INIT;
	struct git_commit commit;
	char head[GIT_ID_SIZE];

	c->records = json_object();
	c->maintenance = json_array();
	c->since = c->options->since;
	if (c->since || git_resolve(store, c->options->cluster, NULL, head, &ignored) < 0)
		return;
	c->since = git_captured_at(store, c->options->cluster);
	if (c->since || git_read_commit(store, head, &commit, &ignored) < 0)
		return;
	c->since = commit.time;
	git_commit_release(&commit);
}

void live_end(struct capture *c)
{
	json_decref(c->records);
	json_decref(c->maintenance);
}

/* Whether a person or a controller wrote to it so late that it may differ from the branch head. */
static bool is_written_since(const struct capture *c, const json_t *managed_fields)
{
	const char *newest = c->since && c->record_count < RECORDS_MAX ? blame_newest(managed_fields) : NULL;
	struct error ignored = ERROR_INIT;
	time_t when;

	return newest && clock_parse(newest, &when, &ignored) == 0 && when >= c->since - SINCE_MARGIN_SECONDS;
}

static bool has_condition(const json_t *conditions, const char *type)
{
	const json_t *condition;
	size_t i;

	json_array_foreach (conditions, i, condition) {
		const char *has = json_text_at(condition, "type", NULL), *status = json_text_at(condition, "status", NULL);

		if (has && status && strcmp(has, type) == 0)
			return strcmp(status, "True") == 0;
	}
	return false;
}

static bool is_ready(const struct policy_kind *row, const json_t *object)
{
	const json_t *conditions = json_at(object, "status", "conditions", NULL);

	for (size_t i = 0; i < row->ready_conditions.count; i++)
		if (!has_condition(conditions, row->ready_conditions.items[i]))
			return false;
	return true;
}

void live_look(const struct capture *c, const struct policy_kind *row, const struct object *object, struct seen_live *out)
{
	json_t *managed = json_at(object->json, "metadata", "managedFields", NULL);

	*out = (struct seen_live){
		.terminating = json_at(object->json, "metadata", "deletionTimestamp", NULL) != NULL,
		.not_ready = !is_ready(row, object->json),
		.drift = remarks_drift(object->json),
	};
	if (is_written_since(c, managed))
		out->record = change_record(json_text_at(object->json, "metadata", "creationTimestamp", NULL), managed);
}

static json_t *maintenance_entry(const char *kind, const char *namespace_, const char *name, const char *state)
{
	return json_pack("{s:s, s:s, s:s, s:s}", "kind", kind, "namespace", namespace_, "name", name, "state", state);
}

static json_t *entry_of(const struct object *object, bool terminating)
{
	const char *idle = idle_state(object->json);
	auto_free char *state = xasprintf("%s%s%s", idle ? idle : "", idle && terminating ? ", " : "", terminating ? TERMINATING : "");

	return *state ? maintenance_entry(object->kind, object->namespace_, object->name, state) : NULL;
}

void live_keep(struct capture *c, const struct object *object, struct seen_live *live)
{
	auto_strbuf struct strbuf path = STRBUF_INIT;
	json_t *entry = entry_of(object, live->terminating);

	if (entry)
		json_array_append_new(c->maintenance, entry);
	c->not_ready += live->not_ready;
	remarks_keep_drift(c, object, live->drift);
	if (!live->record)
		return;
	object_path(object, &path);
	json_object_set(c->records, path.buf, live->record);
	if (c->options->records)
		json_object_set(c->options->records, path.buf, live->record);
	c->record_count++;
}

void live_release(struct seen_live *live)
{
	json_decref(live->record);
	json_decref(live->drift);
	live->record = NULL;
}

/* ---- in the commit message ---- */

static void add_line(const json_t *entry, struct strbuf *out)
{
	const char *namespace_ = json_text_at(entry, "namespace", NULL);
	auto_strbuf struct strbuf line = STRBUF_INIT;

	strbuf_addf(&line, LINE "%s %s%s%s (%s)", json_text_at(entry, "kind", NULL), namespace_, *namespace_ ? "/" : "",
		json_text_at(entry, "name", NULL), json_text_at(entry, "state", NULL));
	text_escape(out, line.buf, line.len, CHANGE_LINE_BYTES);
	strbuf_addc(out, '\n');
}

static bool is_terminating(const json_t *entry)
{
	return strstr(json_text_at(entry, "state", NULL), TERMINATING) != NULL;
}

/* What is Terminating first: of that, these lines are all there is. */
void maintenance_message(const struct capture *c, struct strbuf *out)
{
	const json_t *entry;
	size_t i, told = 0;

	if (json_array_size(c->maintenance) > 0)
		strbuf_addc(out, '\n');
	for (int turn = 1; turn >= 0; turn--)
		json_array_foreach (c->maintenance, i, entry)
			if (is_terminating(entry) == turn && told++ < LINES_MAX)
				add_line(entry, out);
	if (told > LINES_MAX)
		strbuf_addf(out, "(and %zu more in maintenance)\n", told - LINES_MAX);
}

/* ---- of a snapshot ---- */

/* Whether the commit message says that the object was being deleted. */
static bool was_terminating(const struct snapshot *snapshot, const struct object *object)
{
	static const char *const states[] = {TERMINATING, "replicas 0, " TERMINATING, "stopped, " TERMINATING};

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		auto_strbuf struct strbuf line = STRBUF_INIT;
		json_t *entry = maintenance_entry(object->kind, object->namespace_, object->name, states[i]);
		bool found;

		strbuf_addc(&line, '\n');
		add_line(entry, &line);
		json_decref(entry);
		found = strstr(snapshot->message, line.buf) != NULL;
		if (found)
			return true;
	}
	return false;
}

json_t *maintenance_of(const struct snapshot *snapshot)
{
	bool any = snapshot->message && strstr(snapshot->message, "\n" LINE) && strstr(snapshot->message, TERMINATING ")\n");
	json_t *list = json_array(), *entry;

	for (size_t i = 0; i < snapshot->object_count; i++) {
		const struct object *object = snapshot->objects[i];

		entry = entry_of(object, any && was_terminating(snapshot, object));
		if (entry)
			json_array_append_new(list, entry);
	}
	return list;
}
