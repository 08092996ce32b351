/* SPDX-License-Identifier: Apache-2.0 */
/* What there is to say of a field that differs, besides the two values: whether it can be changed at all, and who set it. */
#include <string.h>

#include "ask.h"
#include "internal.h"
#include "kube/discovery.h"
#include "object/blame.h"
#include "object/fieldpath.h"
#include "object/object.h"
#include "policy/policy.h"
#include "restore/restore.h"
#include "util/error.h"
#include "util/json.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/strbuf.h"

/* ---- immutable ---- */

static int is_true(json_t *value, const char *concrete, void *arg)
{
	(void)concrete;
	(void)arg;
	return json_is_true(value);
}

/* Whether path is the field at concrete, or something in it; or what holds it and is on one side only. */
static bool touches(const char *path, const char *concrete)
{
	size_t len = strlen(path), at = strlen(concrete), both = len < at ? len : at;
	char next = len < at ? concrete[both] : path[both];

	return strncmp(path, concrete, both) == 0 && (next == '\0' || next == '.' || next == '[');
}

static int mark(json_t *value, const char *concrete, void *arg)
{
	json_t *field;
	size_t i;

	(void)value;
	json_array_foreach ((json_t *)arg, i, field)
		if (touches(json_text_at(field, "path", NULL), concrete))
			json_object_set_new(field, "immutable", json_true());
	return 0;
}

void fields_mark_immutable(struct action *action, const json_t *live)
{
	const struct policy_kind *row = action->row;
	auto_json json_t *there = json_deep_copy(live);

	if (row->immutable_if && !fieldpath_each(there, row->immutable_if, is_true, NULL))
		return;
	for (size_t i = 0; i < row->immutable_count; i++) {
		(void)fieldpath_each(there, row->immutable[i], mark, action->fields);
		(void)fieldpath_each(action->object->json, row->immutable[i], mark, action->fields);
	}
}

/* ---- managers ---- */

static void tell_managers(const struct action *action, const json_t *live)
{
	const json_t *managed = json_at(live, "metadata", "managedFields", NULL);
	json_t *field;
	size_t i;

	json_array_foreach (action->fields, i, field) {
		struct blame blame;

		if (!blame_field(managed, live, json_text_at(field, "path", NULL), &blame))
			continue;
		json_object_set_new(field, "manager", json_string(blame.manager));
		json_object_set_new(field, "time", json_string(blame.time));
	}
}

void fields_tell_managers(struct restore *restore)
{
	auto_asks struct asks asks = {0};
	struct error err = ERROR_INIT;

	for (size_t i = 0; i < restore->action_count; i++) {
		struct action *action = &restore->actions[i];
		auto_strbuf struct strbuf path = STRBUF_INIT;

		if (!json_array_size(action->fields))
			continue;
		kube_path(&path, action->resource, action->object->namespace_, action->object->name);
		ask_add(&asks, strbuf_detach(&path, NULL), NULL, action);
	}
	if (ask_all(&asks, restore->settings->client, &err) < 0)
		log_info("who set what differs is not known: %s", err.text);
	for (size_t i = 0; i < asks.count; i++)
		if (asks.items[i].answer)
			tell_managers(asks.items[i].arg, asks.items[i].answer);
}
