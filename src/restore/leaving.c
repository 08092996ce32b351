/* SPDX-License-Identifier: Apache-2.0 */
/* What is being deleted on the target and stands in the place of one of our objects: waited for, then named with what holds it. */
#include <string.h>

#include "internal.h"
#include "kube/object_api.h"
#include "object/object.h"
#include "restore/restore.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/json.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/strbuf.h"
#include "util/text.h"

static void add_texts(const json_t *list, struct strbuf *out)
{
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item) {
		const char *text = json_is_string(item) ? json_string_value(item) : "?";

		strbuf_adds(out, out->len ? ", " : "");
		text_escape(out, text, strlen(text), 0);
	}
}

/* The namespace controller says in its conditions what is left in it, and which finalizers that has. */
void leaving_namespace_text(const json_t *namespace_, struct strbuf *out)
{
	const json_t *condition;
	size_t i;

	json_array_foreach (json_at(namespace_, "status", "conditions", NULL), i, condition) {
		const char *status = json_text_at(condition, "status", NULL), *message = json_text_at(condition, "message", NULL);

		if (!status || !message || strcmp(status, "True") != 0)
			continue;
		strbuf_adds(out, out->len ? "; " : "");
		text_escape(out, message, strlen(message), 0);
	}
}

static int name_holders(const struct action *action, const json_t *live, struct error *err)
{
	auto_strbuf struct strbuf holders = STRBUF_INIT, object = STRBUF_INIT;

	object_describe(action->object, &object);
	add_texts(json_at(live, "metadata", "finalizers", NULL), &holders);
	if (!holders.len)
		leaving_namespace_text(live, &holders);
	(void)error_set(err, ERR_CONFLICT,
		"%s is still being deleted on the target, held by %s: see that the controller of each finalizer runs, or take it off if "
		"there is none "
		"any more; then restore again",
		object.buf, holders.len ? holders.buf : "nothing that it names");
	return -1;
}

int leaving_wait(struct restore *restore, const struct action *action, struct error *err)
{
	const struct object *o = action->object;

	if (!restore->leaving_until)
		restore->leaving_until = clock_monotonic_ms() + restore->patience.gate;
	for (;;) {
		auto_json json_t *live = NULL;

		if (restore_may_go_on(restore, err) < 0)
			return -1;
		if (kube_get(restore->settings->client, action->resource, o->namespace_, o->name, &live, err) < 0) {
			if (err->code != ERR_NOT_FOUND)
				return -1;
			error_clear(err);
			return 0;
		}
		if (!json_at(live, "metadata", "deletionTimestamp", NULL))
			return 0;
		if (clock_monotonic_ms() >= restore->leaving_until)
			return name_holders(action, live, err);
		log_debug("waiting until %s %s is gone", o->kind, o->name);
		clock_sleep_ms(restore->patience.gate_poll);
	}
}
