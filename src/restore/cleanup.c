/* SPDX-License-Identifier: Apache-2.0 */
#include "restore/cleanup.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "kube/client.h"
#include "kube/discovery.h"
#include "kube/object_api.h"
#include "restore/journal.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/interrupt.h"
#include "util/json.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/strbuf.h"

#define POLL_MS 250

struct cleanup {
	const struct cleanup_settings *settings;
	struct discovery *discovery;
	int64_t until; /* monotonic ms */
	time_t began;  /* the journal; wall clock, 0: not known */
	json_int_t deleted, gone;
	bool partial;
	json_t *left;
};

/* An action of the journal whose object is to go. */
struct made {
	const json_t *action;
	const struct kube_resource *resource; /* NULL: not served any more, so it is gone */
	const char *namespace_, *name;
	char *uid; /* NULL: not known yet */
	bool waited;
};

static const char *text_of(const json_t *map, const char *key)
{
	const char *text = json_text_at(map, key, NULL);

	return text ? text : "";
}

static void tell_left(struct cleanup *cleanup, const struct made *made, bool ours, const char *text)
{
	const char *kind = made->resource ? made->resource->kind : text_of(made->action, "resource");
	auto_free char *object = xasprintf("%s %s%s%s", kind, made->namespace_, *made->namespace_ ? "/" : "", made->name);

	json_array_append_new(cleanup->left, json_pack("{s:s, s:s}", "object", object, "text", text));
	cleanup->partial = cleanup->partial || ours;
}

/* ---- whose is it ---- */

static bool has_our_manager(const json_t *live)
{
	const json_t *managers = json_at(live, "metadata", "managedFields", NULL), *entry;
	size_t i;

	json_array_foreach (managers, i, entry)
		if (strcmp(text_of(entry, "manager"), KUBE_FIELD_MANAGER) == 0)
			return true;
	return false;
}

static bool is_ours(const struct cleanup *cleanup, const struct made *made, const json_t *live)
{
	const char *created = json_text_at(live, "metadata", "creationTimestamp", NULL);
	struct error ignored = ERROR_INIT;
	time_t when;

	return json_is_null(json_object_get(made->action, "live")) && created && clock_parse(created, &when, &ignored) == 0 &&
		when >= cleanup->began && has_our_manager(live);
}

/* 1: it is there, *live is the caller's; 0: it is not. */
static int look(const struct cleanup *cleanup, const struct made *made, json_t **live, struct error *err)
{
	if (kube_get(cleanup->settings->client, made->resource, made->namespace_, made->name, live, err) == 0)
		return 1;
	if (err->code != ERR_NOT_FOUND)
		return -1;
	error_clear(err);
	return 0;
}

/* The uid of an object that was made in a request without an answer. */
static int find_uid(struct cleanup *cleanup, struct made *made, struct error *err)
{
	auto_json json_t *live = NULL;
	int found = look(cleanup, made, &live, err);

	if (found < 0)
		return -1;
	if (!found)
		cleanup->gone++;
	else if (is_ours(cleanup, made, live))
		made->uid = xstrdup(json_text_at(live, "metadata", "uid", NULL));
	else
		tell_left(cleanup, made, false, "not deleted: nothing shows that the restore made it");
	return 0;
}

/* ---- deleting ---- */

static int delete_one(struct cleanup *cleanup, struct made *made, struct error *err)
{
	if (!made->uid && find_uid(cleanup, made, err) < 0)
		return -1;
	if (!made->uid)
		return 0;
	if (kube_delete(cleanup->settings->client, made->resource, made->namespace_, made->name, made->uid, NULL, err) == 0) {
		made->waited = true;
		return 0;
	}
	if (err->code == ERR_NOT_FOUND || err->code == ERR_CONFLICT) { /* a conflict: another one has its name by now */
		cleanup->gone++;
		error_clear(err);
		return 0;
	}
	if (err->code == ERR_UNAVAILABLE || err->code == ERR_UNAUTHORIZED)
		return -1;
	tell_left(cleanup, made, true, err->text);
	error_clear(err);
	return 0;
}

/* What keeps it from going: its finalizers, or for a namespace what the server says. */
static void tell_waiting(struct cleanup *cleanup, struct made *made, const json_t *live)
{
	const json_t *finalizers = json_at(live, "metadata", "finalizers", NULL), *finalizer;
	auto_strbuf struct strbuf text = STRBUF_INIT;
	size_t i;

	strbuf_adds(&text, "deleted, but still there");
	json_array_foreach (finalizers, i, finalizer)
		strbuf_addf(&text, "%s%s", i ? ", " : "; it waits for its finalizers: ", json_string_value(finalizer));
	tell_left(cleanup, made, true, text.buf);
}

/* Until it is gone, or another one has its name, or the time is over. */
static int wait_gone(struct cleanup *cleanup, struct made *made, struct error *err)
{
	for (;;) {
		auto_json json_t *live = NULL;
		int found = look(cleanup, made, &live, err);

		if (found < 0)
			return -1;
		if (!found || strcmp(json_text_at(live, "metadata", "uid", NULL), made->uid) != 0) {
			cleanup->deleted++;
			return 0;
		}
		if (interrupted())
			return error_set(err, ERR_INTERRUPTED, "stopped by a signal");
		if (clock_monotonic_ms() >= cleanup->until) {
			tell_waiting(cleanup, made, live);
			return 0;
		}
		clock_sleep_ms(POLL_MS);
	}
}

static int clean_wave(struct cleanup *cleanup, struct made *made, size_t count, struct error *err)
{
	for (size_t i = count; i-- > 0;) {
		if (interrupted())
			return error_set(err, ERR_INTERRUPTED, "stopped by a signal");
		if (made[i].resource && delete_one(cleanup, &made[i], err) < 0)
			return -1;
		if (!made[i].resource)
			cleanup->gone++;
	}
	for (size_t i = 0; i < count; i++)
		if (made[i].waited && wait_gone(cleanup, &made[i], err) < 0)
			return -1;
	return 0;
}

/* ---- what the journal says ---- */

static bool was_changed(const json_t *outcome)
{
	const char *result = text_of(outcome, "result");

	return strcmp(result, "merged") == 0 || strcmp(result, "updated") == 0;
}

/* Created, or perhaps: begun, and its end is not known. */
static bool may_be_ours(const struct journal *journal, size_t index)
{
	const json_t *outcome = journal_outcome(journal, index);

	if (strcmp(text_of(journal_action(journal, index), "action"), "create") != 0 || !journal_begun(journal, index))
		return false;
	return !outcome || strcmp(text_of(outcome, "result"), "created") == 0 || strcmp(text_of(outcome, "result"), "failed") == 0;
}

/* All that may have to go, in the order of the plan. The caller frees. */
static struct made *collect(struct cleanup *cleanup, size_t *count)
{
	const struct journal *journal = cleanup->settings->journal;
	size_t actions = journal_action_count(journal);
	struct made *made = xcalloc(actions + 1, sizeof(*made));

	*count = 0;
	for (size_t i = 0; i < actions; i++) {
		const json_t *action = journal_action(journal, i), *outcome = journal_outcome(journal, i);
		struct made item = {.action = action, .namespace_ = text_of(action, "namespace"), .name = text_of(action, "name")};

		item.resource = discovery_find(
			cleanup->discovery, text_of(action, "group"), text_of(action, "resource"), text_of(action, "version"));
		if (was_changed(outcome))
			tell_left(cleanup, &item, false, "was there before: what the restore changed in it is not undone");
		if (!may_be_ours(journal, i))
			continue;
		item.uid = xstrdup(json_text_at(outcome, "uid", NULL));
		made[(*count)++] = item;
	}
	return made;
}

static int clean(struct cleanup *cleanup, struct error *err)
{
	size_t count, from;
	struct made *made = collect(cleanup, &count);
	int rc = 0;

	for (size_t to = count; rc == 0 && to > 0; to = from) {
		const char *wave = text_of(made[to - 1].action, "wave");

		for (from = to; from > 0 && strcmp(text_of(made[from - 1].action, "wave"), wave) == 0;)
			from--;
		log_info("removing %zu objects of wave %s", to - from, wave);
		rc = clean_wave(cleanup, made + from, to - from, err);
	}
	for (size_t i = 0; i < count; i++)
		free(made[i].uid);
	free(made);
	return rc;
}

/* ---- the whole ---- */

static int check_target(const struct cleanup *cleanup, struct error *err)
{
	const char *want = json_text_at(journal_header(cleanup->settings->journal), "target", "id", NULL);
	auto_free char *id = NULL;

	if (kube_cluster_id(cleanup->settings->client, &id, err) < 0)
		return -1;
	if (want && strcmp(want, id) == 0)
		return 0;
	(void)error_set(err, ERR_NOT_READY, "the journal '%s' is of another cluster (%s) than this one (%s)",
		journal_path(cleanup->settings->journal), want ? want : "not said", id);
	return error_hint(err, "choose its --context");
}

/* By its name, which begins with the time: what it created is not older. */
static time_t journal_time(const struct journal *journal)
{
	const char *name = journal_name(journal);
	auto_free char *text = NULL;
	struct error ignored = ERROR_INIT;
	time_t when = 0;

	if (strlen(name) < strlen("20261120T140000Z"))
		return 0;
	text = xasprintf("%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", name, name + 4, name + 6, name + 9, name + 11, name + 13);
	(void)clock_parse(text, &when, &ignored);
	return when;
}

int cleanup_run(const struct cleanup_settings *settings, json_t **result, struct error *err)
{
	int64_t started = clock_monotonic_ms();
	struct cleanup cleanup = {.settings = settings, .until = started + settings->timeout_ms, .began = journal_time(settings->journal)};
	int rc;

	*result = NULL;
	if (check_target(&cleanup, err) < 0 || discovery_load(&cleanup.discovery, settings->client, err) < 0)
		return -1;
	cleanup.left = json_array();
	rc = clean(&cleanup, err);
	*result = json_pack("{s:s, s:I, s:I, s:o, s:I}", "result", rc < 0 || cleanup.partial ? "partial" : "done", "deleted",
		cleanup.deleted, "gone", cleanup.gone, "left", cleanup.left, "milliseconds", (json_int_t)(clock_monotonic_ms() - started));
	discovery_free(cleanup.discovery);
	return rc;
}
