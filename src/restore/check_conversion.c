/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the webhooks that convert custom objects will answer: of the kinds that are sent at another version than the target stores. At the stored version none is asked.
 */
#include <string.h>

#include "check.h"
#include "internal.h"
#include "object/object.h"
#include "object/schema.h"
#include "util/json.h"

#define FAILED "conversion webhook for " /* as the API server begins it, whatever went wrong */

bool check_is_unconverted(const struct ask *ask)
{
	return ask->code == ERR_UNAVAILABLE && ask->text && strstr(ask->text, FAILED);
}

static bool is_converted(const json_t *definition, const struct action *action)
{
	const char *strategy = json_text_at(definition, "spec", "conversion", "strategy", NULL);
	const char *stored = definition_storage_version(definition);

	return action->resource && check_is_created(action) && strategy && strcmp(strategy, "Webhook") == 0 && stored &&
		strcmp(stored, action->object->version) != 0;
}

static const json_t *definition_of(const struct preflight *p, const struct object *object)
{
	auto_free char *name = check_kind_name(object);

	return map_get(&p->definitions, name);
}

/* [{webhook: {clientConfig}, objects, words}], one a kind, and in asks a dry run of its first object. The caller's. */
static json_t *list_hooks(const struct preflight *p, struct asks *asks)
{
	json_t *hooks = json_array(), *hook = NULL;
	const json_t *last = NULL;

	for (size_t i = 0; i < p->restore->action_count; i++) {
		struct action *action = &p->restore->actions[i];
		const json_t *definition = definition_of(p, action->object);

		if (!is_converted(definition, action))
			continue;
		if (definition != last) {
			hook = json_pack("{s:{s:O?}, s:[], s:o}", "webhook", "clientConfig",
				json_at(definition, "spec", "conversion", "webhook", "clientConfig", NULL), "objects", "words",
				json_sprintf("the conversion webhook of %s", json_text_at(definition, "metadata", "name", NULL)));
			json_array_append_new(hooks, hook);
			check_ask_dry_run(p, asks, action);
			asks->items[asks->count - 1].arg = hook;
			last = definition;
		}
		check_add_object(json_object_get(hook, "objects"), action->object);
	}
	return hooks;
}

/* Where an admission webhook fails before it, nothing is known of the conversion. */
static void judge_dry_run(struct preflight *p, const struct ask *ask)
{
	const json_t *hook = ask->arg;
	const char *words = json_text_at(hook, "words", NULL);

	if (check_is_unconverted(ask))
		check_failed(p, json_deep_copy(json_object_get(hook, "objects")), NULL, "%s does not answer: %s", words, ask->text);
	else if (ask->code == ERR_UNAVAILABLE)
		check_untested(p, "%s: %s", words, ask->text ? ask->text : "no answer");
}

void check_conversion(struct preflight *p)
{
	auto_asks struct asks asks = {0};
	auto_json json_t *hooks = NULL;

	check_read_definitions(p);
	hooks = list_hooks(p, &asks);
	check_configured(p, hooks);
	if (check_ask(p, &asks) < 0)
		return;
	for (size_t i = 0; i < asks.count; i++)
		judge_dry_run(p, &asks.items[i]);
}
