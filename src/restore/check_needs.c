/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the target has what the snapshot needs and does not hold (requirements.yaml). Secrets are asked for by their metadata alone where no key of them is named;
 * whoever may not read them reads "not checked": no right to Secrets is asked for by default.
 */
#include <string.h>

#include "check.h"
#include "internal.h"
#include "kube/discovery.h"
#include "store/snapshot.h"
#include "util/json.h"
#include "util/strbuf.h"

#define METADATA "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"

/* What a check looks at; NULL: all that no other row looks at. */
static const struct need_kind {
	const char *check, *group, *resource;
	const char *condition; /* that must be True; NULL: being there is enough */
} need_kinds[] = {
	{"secrets", "", "secrets", NULL},
	{"configmaps", "", "configmaps", NULL},
	{"service-accounts", "", "serviceaccounts", NULL},
	{"volumes", "", "persistentvolumeclaims", NULL},
	{"gateway-classes", "gateway.networking.k8s.io", "gatewayclasses", "Accepted"},
	{"gateways", "gateway.networking.k8s.io", "gateways", "Programmed"},
	{"references", NULL, NULL, NULL},
};

static const char *text_of(const json_t *need, const char *key)
{
	const char *text = json_text_at(need, key, NULL);

	return text ? text : "";
}

static const struct need_kind *kind_of(const json_t *need)
{
	size_t row = 0;

	while (need_kinds[row].group &&
		(strcmp(need_kinds[row].group, text_of(need, "group")) != 0 ||
			strcmp(need_kinds[row].resource, text_of(need, "resource")) != 0))
		row++;
	return &need_kinds[row];
}

/* Whether the target must bring it: what was not on the source either is no fault of the target, what a controller makes comes by itself. */
static bool is_wanted(const struct preflight *p, const json_t *need)
{
	const char *state = text_of(need, "state");

	return strcmp(kind_of(need)->check, p->check->name) == 0 && !json_is_true(json_object_get(need, "optional")) &&
		(strcmp(state, "required") == 0 || strcmp(state, "installed") == 0);
}

/* "Secret models/hf-token" */
static char *need_words(const json_t *need)
{
	const char *namespace_ = text_of(need, "namespace");

	return xasprintf("%s %s%s%s", text_of(need, "kind"), namespace_, *namespace_ ? "/" : "", text_of(need, "name"));
}

static void tell_missing(struct preflight *p, const json_t *need, const char *fault)
{
	auto_free char *words = need_words(need), *mend = NULL;
	const char *namespace_ = text_of(need, "namespace");

	if (strcmp(text_of(need, "resource"), "secrets") == 0)
		mend = xasprintf("create it: `kubectl create secret generic %s -n %s ...` (`rhaii-dr plan --requirements-template DIR` "
				 "writes what to fill)",
			text_of(need, "name"), namespace_);
	check_failed(p, json_deep_copy(json_object_get(need, "neededBy")), mend, "%s %s", words, fault);
}

/* A key of a Secret or ConfigMap, a listener of a Gateway. */
static bool has_key(const json_t *live, const char *name)
{
	const json_t *listener;
	size_t i;

	json_array_foreach (json_at(live, "spec", "listeners", NULL), i, listener)
		if (strcmp(text_of(listener, "name"), name) == 0)
			return true;
	return json_at(live, "data", name, NULL) || json_at(live, "binaryData", name, NULL);
}

static void judge_keys(struct preflight *p, const json_t *need, const json_t *live)
{
	auto_strbuf struct strbuf missing = STRBUF_INIT, fault = STRBUF_INIT;
	const json_t *key;
	size_t i;

	json_array_foreach (json_object_get(need, "keys"), i, key) {
		const char *name = json_string_value(key);

		if (name && !has_key(live, name))
			strbuf_addf(&missing, "%s%s", missing.len ? ", " : "", name);
	}
	if (!missing.len)
		return;
	strbuf_addf(&fault, "has no %s %s", json_at(live, "spec", "listeners", NULL) ? "listener" : "key", missing.buf);
	tell_missing(p, need, fault.buf);
}

static bool judge_condition(struct preflight *p, const json_t *need, const json_t *live, const char *type)
{
	auto_free char *fault = xasprintf("is not %s", type);
	const json_t *condition;
	size_t i;

	json_array_foreach (json_at(live, "status", "conditions", NULL), i, condition)
		if (strcmp(text_of(condition, "type"), type) == 0 && strcmp(text_of(condition, "status"), "True") == 0)
			return true;
	tell_missing(p, need, fault);
	return false;
}

static void judge_need(struct preflight *p, const struct ask *ask)
{
	const json_t *need = ask->arg;
	const struct need_kind *kind = kind_of(need);
	auto_free char *words = need_words(need);

	if (ask->code == ERR_NOT_FOUND)
		tell_missing(p, need, "is not on the target");
	else if (!ask->answer)
		check_untested(p, "%s: %s", words, ask->text ? ask->text : "no answer");
	else if (json_at(ask->answer, "metadata", "deletionTimestamp", NULL))
		tell_missing(p, need, "is being deleted on the target");
	else if (!kind->condition || judge_condition(p, need, ask->answer, kind->condition))
		judge_keys(p, need, ask->answer);
}

/* Whoever may not read them gets one line for all. */
static bool all_forbidden(struct preflight *p, const struct asks *asks)
{
	for (size_t i = 0; i < asks->count; i++)
		if (asks->items[i].code != ERR_FORBIDDEN)
			return false;
	if (asks->count)
		check_untested(p, "%zu of them: we may not read them on the target", asks->count);
	return asks->count > 0;
}

static void ask_need(struct preflight *p, struct asks *asks, json_t *need)
{
	const struct kube_resource *found = discovery_find(p->restore->discovery, text_of(need, "group"), text_of(need, "resource"), NULL);
	struct strbuf path = STRBUF_INIT;
	struct ask *ask;

	if (!found) {
		tell_missing(p, need, "is of a kind that the target does not serve");
		return;
	}
	kube_path(&path, found, text_of(need, "namespace"), text_of(need, "name"));
	ask = ask_add(asks, strbuf_detach(&path, NULL), NULL, need);
	if (!kind_of(need)->condition && !json_array_size(json_object_get(need, "keys")))
		ask->accept = METADATA;
}

void check_needs(struct preflight *p)
{
	auto_asks struct asks asks = {0};
	json_t *need;
	size_t i;

	json_array_foreach (json_object_get(p->restore->snapshot->requirements, "requirements"), i, need)
		if (is_wanted(p, need))
			ask_need(p, &asks, need);
	if (check_ask(p, &asks) < 0 || all_forbidden(p, &asks))
		return;
	for (i = 0; i < asks.count; i++)
		judge_need(p, &asks.items[i]);
}
