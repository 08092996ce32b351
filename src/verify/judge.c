/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/judge.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "object/classify.h"
#include "object/diff.h"
#include "object/merge.h"
#include "policy/policy.h"
#include "object/object.h"
#include "util/json.h"
#include "util/map.h"
#include "util/mem.h"
#include "util/text.h"

#define SAFE_MAX 300
#define EVIDENCE_MAX 20 /* field differences that are listed */
#define OBSERVED_MAX 3  /* field differences that are told */

void judgement_release(struct judgement *judgement)
{
	strbuf_release(&judgement->observed);
	strbuf_release(&judgement->reason);
	json_decref(judgement->evidence);
	judgement->evidence = NULL;
}

static void add_formatted(struct strbuf *out, const char *fmt, va_list args) __attribute__((format(printf, 2, 0)));
static void add_formatted(struct strbuf *out, const char *fmt, va_list args)
{
	auto_free char *text = NULL;

	if (vasprintf(&text, fmt, args) < 0)
		abort();
	strbuf_adds(out, text);
}

void judge_say(struct judgement *judgement, enum verdict verdict, const char *fmt, ...)
{
	va_list args;

	if (verdict > judgement->verdict)
		judgement->verdict = verdict;
	if (judgement->observed.len)
		strbuf_adds(&judgement->observed, "; ");
	va_start(args, fmt);
	add_formatted(&judgement->observed, fmt, args);
	va_end(args);
}

void judge_reason(struct judgement *judgement, const char *fmt, ...)
{
	va_list args;

	if (judgement->reason.len)
		return;
	va_start(args, fmt);
	add_formatted(&judgement->reason, fmt, args);
	va_end(args);
}

void judge_note(struct judgement *judgement, const char *fmt, ...)
{
	auto_strbuf struct strbuf line = STRBUF_INIT;
	va_list args;

	va_start(args, fmt);
	add_formatted(&line, fmt, args);
	va_end(args);
	if (!judgement->evidence)
		judgement->evidence = json_array();
	json_array_append_new(judgement->evidence, json_stringn(line.buf, line.len));
}

char *judge_safe(const char *text)
{
	struct strbuf safe = STRBUF_INIT;

	if (text)
		text_escape(&safe, text, strlen(text), SAFE_MAX);
	return strbuf_detach(&safe, NULL);
}

char *judge_name(const char *kind, const char *namespace_, const char *name)
{
	auto_free char *safe_kind = judge_safe(kind);
	auto_free char *safe_namespace = judge_safe(namespace_);
	auto_free char *safe_name = judge_safe(name);

	return xasprintf("%s %s%s%s", safe_kind, safe_namespace, *safe_namespace ? "/" : "", safe_name);
}

char *judge_identity(const char *group, const char *kind, const char *namespace_, const char *name)
{
	return xasprintf("%s/%s/%s/%s", group, kind, namespace_, name);
}

/* ---- the object against the snapshot ---- */

/* Whether live is want and more: further map keys anywhere, every list as long as it was, every other value the same. */
static bool only_adds(json_t *want, json_t *live)
{
	const char *key;
	json_t *value;
	size_t i;

	if (json_is_object(want) && json_is_object(live)) {
		json_object_foreach (want, key, value) {
			json_t *other = json_object_get(live, key);

			if (!other || !only_adds(value, other))
				return false;
		}
		return true;
	}
	if (json_is_array(want) && json_is_array(live)) {
		if (json_array_size(want) != json_array_size(live))
			return false;
		json_array_foreach (want, i, value)
			if (!only_adds(value, json_array_get(live, i)))
				return false;
		return true;
	}
	return diff_equal(want, live);
}

struct differences {
	struct judgement *judgement;
	enum verdict verdict;
	size_t count;
};

static void tell_difference(const char *path, const json_t *want, const json_t *live, void *arg)
{
	struct differences *seen = arg;
	auto_free char *safe = judge_safe(path);
	auto_strbuf struct strbuf text = STRBUF_INIT;

	if (++seen->count > EVIDENCE_MAX)
		return;
	strbuf_addf(&text, "%s: ", safe);
	if (seen->verdict == VERDICT_CHANGED) {
		strbuf_adds(&text, "added, ");
		diff_print_value(&text, path, live);
	} else {
		diff_print_value(&text, path, want);
		strbuf_adds(&text, " in the snapshot, ");
		diff_print_value(&text, path, live);
		strbuf_adds(&text, " on the cluster");
	}
	judge_note(seen->judgement, "%s", text.buf);
	if (seen->count <= OBSERVED_MAX)
		judge_say(seen->judgement, seen->verdict, "%s", text.buf);
}

static void count_conflict(const char *path, const json_t *live, const json_t *want, void *arg)
{
	(void)path;
	(void)live;
	(void)want;
	++*(size_t *)arg;
}

/* Whether a restore onto this object would have nothing to merge and nothing to complain about. */
static bool has_all(const struct policy_kind *row, const json_t *want, const json_t *live)
{
	size_t conflicts = 0;
	auto_json json_t *patch = merge_patch(live, want, row->merge, row->merge_count, count_conflict, &conflicts);

	return !patch && conflicts == 0;
}

void judge_object(const struct policy_kind *row, json_t *want, json_t *live, struct judgement *judgement)
{
	struct differences seen = {.judgement = judgement, .verdict = VERDICT_FAIL};

	if (diff_equal(want, live)) {
		judge_say(judgement, VERDICT_PASS, "equal");
		return;
	}
	if (row->merge_count && has_all(row, want, live)) {
		judge_say(judgement, VERDICT_PASS, "has all that the snapshot has");
		return;
	}
	if (only_adds(want, live))
		seen.verdict = VERDICT_CHANGED;
	diff_values(want, live, tell_difference, &seen);
	if (!seen.count)
		judge_say(judgement, VERDICT_FAIL, "a list is in another order");
	if (seen.count > OBSERVED_MAX)
		judge_say(judgement, seen.verdict, "%zu fields in all", seen.count);
	if (seen.count > EVIDENCE_MAX)
		judge_note(judgement, "and %zu more", seen.count - EVIDENCE_MAX);
	judge_reason(
		judgement, "%s", seen.verdict == VERDICT_CHANGED ? "the cluster adds fields (defaults of another version)" : "differs");
}

/* ---- generated children ---- */

static const char *text_or(const json_t *object, const char *key, const char *fallback)
{
	const char *text = json_text_at(object, key, NULL);

	return text ? text : fallback;
}

/* Whether the reference names the owner that the inventory has: group, kind and name; versions come and go. */
static bool names_owner(const struct object_owner *owner, const json_t *want)
{
	auto_free char *group = NULL, *version = NULL;

	object_split_api_version(owner->api_version ? owner->api_version : "", &group, &version);
	return !strcmp(group, text_or(want, "group", "")) && owner->kind && !strcmp(owner->kind, text_or(want, "kind", "")) &&
		owner->name && !strcmp(owner->name, text_or(want, "name", ""));
}

/* Whether the uid is that of the live owner, which stands in the child's namespace or in none. */
static bool uid_is_owners(const struct map *uids, const struct object_owner *owner, const json_t *want, const char *namespace_)
{
	const char *identity = owner->uid ? map_get(uids, owner->uid) : NULL;
	auto_free char *beside =
		judge_identity(text_or(want, "group", ""), text_or(want, "kind", ""), namespace_, text_or(want, "name", ""));
	auto_free char *above = judge_identity(text_or(want, "group", ""), text_or(want, "kind", ""), "", text_or(want, "name", ""));

	return identity && (!strcmp(identity, beside) || !strcmp(identity, above));
}

static void refuse_child(struct judgement *judgement, const char *fault, const char *owner, const struct object_owner *has)
{
	auto_free char *kind = judge_safe(has ? has->kind : NULL);
	auto_free char *name = judge_safe(has ? has->name : NULL);
	auto_free char *uid = judge_safe(has ? has->uid : NULL);

	judge_say(judgement, VERDICT_FAIL, "it is not controlled by %s, KServe will refuse it for ever", owner);
	judge_reason(judgement, "%s", fault);
	if (has)
		judge_note(judgement, "controlled by %s %s with uid %s", kind, name, uid);
}

static void judge_controller(
	const json_t *entry, const json_t *child, const struct map *uids, bool owner_known, struct judgement *judgement)
{
	const json_t *want = json_at(entry, "owner", NULL);
	auto_free char *name = judge_name(text_or(want, "kind", ""), NULL, text_or(want, "name", ""));
	struct object_owner owner = {0};

	if (!classify_owner(child, &owner)) {
		refuse_child(judgement, "no controller owner", name, NULL);
	} else if (!names_owner(&owner, want)) {
		refuse_child(judgement, "another controller owner", name, &owner);
	} else if (!owner_known) {
		judge_say(judgement, VERDICT_NOT_TESTED, "there, controlled by %s", name);
		judge_reason(judgement, "the owner's kind was not looked at, so its uid cannot be compared");
	} else if (!uid_is_owners(uids, &owner, want, text_or(entry, "namespace", ""))) {
		refuse_child(judgement, "the owner's uid is not that of the live one", name, &owner);
	} else {
		judge_say(judgement, VERDICT_PASS, "there, controlled by %s", name);
	}
}

void judge_child(
	const json_t *entry, const json_t *child, const struct map *uids, bool owner_known, const char *other, struct judgement *judgement)
{
	if (!child && other) {
		judge_say(judgement, VERDICT_CHANGED, "missing");
		judge_reason(judgement, "another installation: %s", other);
	} else if (!child) {
		judge_say(judgement, VERDICT_FAIL, "missing");
		judge_reason(judgement, "missing");
	} else if (json_at(child, "metadata", "deletionTimestamp", NULL)) {
		judge_say(judgement, VERDICT_FAIL, "being deleted");
		judge_reason(judgement, "being deleted");
	} else {
		judge_controller(entry, child, uids, owner_known, judgement);
	}
}
