/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the server would make of the plan: each create, merge and update is sent with dryRun=All, and what it would default, drop or refuse is told by object and field.
 *
 * The server refuses a create in a namespace that is not there before it looks at the object: such objects cannot be tried, and are told as that.
 */
#include <string.h>

#include "ask.h"
#include "internal.h"
#include "kube/client.h"
#include "kube/object_api.h"
#include "object/diff.h"
#include "object/object.h"
#include "policy/policy.h"
#include "restore/restore.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/json.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/strbuf.h"

#define STRICT "fieldValidation=Strict"
#define LENIENT "fieldValidation=Ignore"

static json_t *tell(const struct restore *restore, const struct action *action, const char *result, const char *text)
{
	auto_strbuf struct strbuf object = STRBUF_INIT;
	json_t *row;

	object_describe(action->object, &object);
	row = json_pack("{s:s, s:s, s:s?, s:[]}", "object", object.buf, "result", result, "text", text, "fields");
	json_array_append_new(json_object_get(restore->dry_run, "objects"), row);
	return row;
}

static void count(const struct restore *restore, const char *key)
{
	json_object_set_new(restore->dry_run, key, json_integer(json_integer_value(json_object_get(restore->dry_run, key)) + 1));
}

static void field_add(const char *path, const json_t *sent, const json_t *stored, void *arg)
{
	json_t *field = diff_field(path, "sent", sent, "stored", stored);

	json_object_set_new(field, "what", json_string(!sent ? "default" : stored ? "change" : "drop"));
	json_array_append_new(arg, field);
}

static void tell_stored(const struct restore *restore, const struct action *action, json_t *stored)
{
	policy_clean(action->row, stored);
	if (!diff_equal(action->object->json, stored))
		diff_values(action->object->json, stored, field_add, json_object_get(tell(restore, action, "accepted", NULL), "fields"));
}

/* NULL: it can be. */
static const char *why_not_tried(const struct restore *restore, const struct action *action)
{
	const char *namespace_ = action->object->namespace_;

	if (!action->resource)
		return "the target does not serve its kind in this version";
	if (*namespace_ && preflight_space(restore, namespace_) != SPACE_THERE)
		return "its namespace is not there yet";
	return NULL;
}

static void ask_create(struct restore *restore, struct asks *asks, struct action *action)
{
	const char *why = why_not_tried(restore, action);

	if (why) {
		count(restore, "notTried");
		(void)tell(restore, action, "not tried", why);
		return;
	}
	count(restore, "asked");
	ask_add(asks, kube_create_path(action->resource, action->object->namespace_, true), json_incref(action->object->json), action);
}

/* One after the other: there are as many as namespaces and accounts that are there already. */
static void try_merge(struct restore *restore, const struct action *action)
{
	const struct object *o = action->object;
	struct error err = ERROR_INIT;

	count(restore, "asked");
	if (kube_merge_patch(restore->settings->client, action->resource, o->namespace_, o->name, action->patch, true, NULL, &err) < 0)
		(void)tell(restore, action, "refused", err.text);
}

/* The plan has sent it already, to see whether it is refused; this time what it makes is looked at. Of a kind that is merged the rest is others'. */
static void try_update(struct restore *restore, struct action *action)
{
	auto_json json_t *stored = NULL;
	struct error err = ERROR_INIT;

	count(restore, "asked");
	if (overwrite_try(restore, action, &stored, &err) < 0)
		(void)tell(restore, action, "refused", err.text);
	else if (!action->row->merge_count)
		tell_stored(restore, action, stored);
}

/* Which fields it would drop is seen when it is asked once more, to pass over those that it does not know. */
static void ask_leniently(struct asks *again, const struct ask *ask, json_t *row)
{
	const char *strict = strstr(ask->path, STRICT);

	if (ask->code == ERR_REJECTED && strict && strstr(ask->text, "unknown field"))
		ask_add(again, xasprintf("%.*s" LENIENT "%s", (int)(strict - ask->path), ask->path, strict + strlen(STRICT)),
			json_incref(ask->body), row);
}

static void tell_dropped(const struct ask *ask, const struct action *action)
{
	if (!json_is_object(ask->answer))
		return;
	policy_clean(action->row, ask->answer);
	diff_values(action->object->json, ask->answer, field_add, json_object_get(ask->arg, "fields"));
}

static void take_answers(struct restore *restore, const struct asks *asks)
{
	auto_asks struct asks again = {0};
	auto_free struct action **of = xcalloc(asks->count + 1, sizeof(*of));
	struct error err = ERROR_INIT;

	for (size_t i = 0; i < asks->count; i++) {
		const struct ask *ask = &asks->items[i];

		if (json_is_object(ask->answer)) {
			tell_stored(restore, ask->arg, ask->answer);
			continue;
		}
		of[again.count] = ask->arg;
		ask_leniently(&again, ask, tell(restore, ask->arg, "refused", ask->text ? ask->text : "no answer"));
	}
	if (ask_all(&again, restore->settings->client, &err) < 0)
		log_info("which fields the server would drop is not known: %s", err.text);
	for (size_t i = 0; i < again.count; i++)
		tell_dropped(&again.items[i], of[i]);
}

void dry_run_ask(struct restore *restore)
{
	auto_asks struct asks asks = {0};
	struct error err = ERROR_INIT;
	int64_t start;

	restore->dry_run = json_pack("{s:i, s:i, s:[]}", "asked", 0, "notTried", 0, "objects");
	for (size_t i = 0; i < restore->action_count; i++) {
		struct action *action = &restore->actions[i];

		if (action->kind == ACTION_CREATE)
			ask_create(restore, &asks, action);
		else if (action->kind == ACTION_MERGE)
			try_merge(restore, action);
		else if (action->kind == ACTION_UPDATE)
			try_update(restore, action);
	}
	start = clock_monotonic_ms();
	if (ask_all(&asks, restore->settings->client, &err) < 0)
		log_info("the dry run on the server came to an end early: %s", err.text);
	json_object_set_new(restore->dry_run, "milliseconds", json_integer(clock_monotonic_ms() - start));
	take_answers(restore, &asks);
}
