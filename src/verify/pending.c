/* SPDX-License-Identifier: Apache-2.0 */
/* What converging waits for, and how it sleeps. */
#include <stdlib.h>

#include "kube/watch.h"
#include "object/object.h"
#include "store/snapshot.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/json.h"
#include "util/log.h"
#include "util/map.h"
#include "util/mem.h"
#include "verify/children.h"
#include "verify/judge.h"
#include "verify/look.h"

#define TOLD_MAX 3
/* Between two looks where no watch may be opened. */
#define POLL_MS 2000

struct pending {
	struct strbuf *text;
	size_t count;
};

static void add_pending(struct pending *pending, const char *name, const char *what)
{
	if (++pending->count > TOLD_MAX)
		return;
	strbuf_addf(pending->text, "%s%s: %s", pending->count > 1 ? "; " : "", name, what);
}

/* Waiting is in vain for what its author stopped, and for kinds that cannot be seen. */
static bool is_awaited(const struct verify_look *look, const struct object *object)
{
	const struct look_kind *kind = look_find(look, object->group, object->resource);

	return kind && judge_has_ready(kind->row) && (kind->listed || look_object(look, object)) && !idle_never_ready(object->json);
}

static bool is_given_up(const struct verify_look *look, const char *group, const char *kind, const char *namespace_, const char *name)
{
	auto_free char *identity = judge_identity(group, kind, namespace_, name);

	return look->settings.given_up && map_get(look->settings.given_up, identity);
}

static const char *text_of(const json_t *entry, const char *key)
{
	const char *text = json_string_value(json_object_get(entry, key));

	return text ? text : "";
}

/* Whether it is there and ready. */
static void judge_awaited(const struct verify_look *look, const struct object *object, struct judgement *judgement)
{
	json_t *live = look_object(look, object);

	if (live) {
		judge_ready(look_find(look, object->group, object->resource)->row, live, judgement);
		if (judge_is_gateway(object->group, object->kind) && judgement->verdict == VERDICT_PASS)
			judge_address(live, judgement);
	} else {
		judge_say(judgement, VERDICT_FAIL, "not there");
	}
}

static void pending_object(const struct verify_look *look, const struct object *object, struct pending *pending)
{
	auto_judgement struct judgement judgement = JUDGEMENT_INIT;
	auto_strbuf struct strbuf name = STRBUF_INIT;

	if (!is_awaited(look, object) || is_given_up(look, object->group, object->kind, object->namespace_, object->name))
		return;
	judge_awaited(look, object, &judgement);
	if (judgement.verdict != VERDICT_FAIL)
		return;
	object_describe(object, &name);
	add_pending(pending, name.buf, judgement.observed.buf);
}

static void pending_child(const struct verify_look *look, const json_t *entry, struct pending *pending)
{
	auto_judgement struct judgement judgement = JUDGEMENT_INIT;
	auto_free char *name = child_name(entry);
	const json_t *owner = json_object_get(entry, "owner");

	if (is_given_up(look, text_of(owner, "group"), text_of(owner, "kind"), text_of(entry, "namespace"), text_of(owner, "name")))
		return;
	child_judge(look, entry, &judgement);
	if (judgement.verdict == VERDICT_PASS && child_is_workload(entry))
		child_judge_replicas(look, entry, &judgement);
	if (judgement.verdict == VERDICT_FAIL)
		add_pending(pending, name, judgement.observed.buf);
}

size_t verify_pending(const struct verify_look *look, struct strbuf *text)
{
	const struct snapshot *snapshot = look->settings.snapshot;
	struct pending pending = {.text = text};
	json_t *entry;
	size_t i;

	for (i = 0; i < snapshot->object_count; i++)
		pending_object(look, snapshot->objects[i], &pending);
	json_array_foreach (look_generated(look), i, entry)
		pending_child(look, entry, &pending);
	if (pending.count > TOLD_MAX)
		strbuf_addf(text, "; and %zu more", pending.count - TOLD_MAX);
	return pending.count;
}

void verify_each_ready(const struct verify_look *look, void (*fn)(const struct object *object, void *arg), void *arg)
{
	const struct snapshot *snapshot = look->settings.snapshot;

	for (size_t i = 0; i < snapshot->object_count; i++) {
		auto_judgement struct judgement judgement = JUDGEMENT_INIT;

		if (!is_awaited(look, snapshot->objects[i]))
			continue;
		judge_awaited(look, snapshot->objects[i], &judgement);
		if (judgement.verdict == VERDICT_PASS)
			fn(snapshot->objects[i], arg);
	}
}

static size_t watch_targets(const struct verify_look *look, struct kube_watch_target *targets)
{
	size_t count = 0;

	for (size_t i = 0; i < look->list_count; i++) {
		const struct look_list *list = &look->lists[i];

		if (list->kind->inventory || judge_has_ready(list->kind->row))
			targets[count++] = (struct kube_watch_target){
				.resource = list->kind->served, .namespace_ = list->namespace_, .resource_version = list->version};
	}
	return count;
}

int verify_wait(const struct verify_look *look, int64_t timeout_ms, struct error *err)
{
	auto_free struct kube_watch_target *targets = xcalloc(look->list_count + 1, sizeof(*targets));
	size_t count = watch_targets(look, targets);
	int woken;

	if (timeout_ms <= 0)
		return 0;
	woken = count ? kube_watch_any(look->settings.client, targets, count, timeout_ms, err) : -1;
	if (woken < 0) {
		if (err->code == ERR_INTERRUPTED)
			return -1;
		/* A look tells more about a server in trouble than a watch that did not open. */
		log_debug("waiting without a watch: %s", count ? err->text : "nothing to watch");
		error_clear(err);
		clock_sleep_ms(timeout_ms < POLL_MS ? timeout_ms : POLL_MS);
	}
	return 0;
}
