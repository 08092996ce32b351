/* SPDX-License-Identifier: Apache-2.0 */
/* The probes of the policy's author: an HTTP request, a condition, a count. A policy may come with a snapshot: it can ask, and neither run nor change anything. */
#include <stdlib.h>
#include <string.h>

#include "kube/discovery.h"
#include "kube/list.h"
#include "object/diff.h"
#include "object/fieldpath.h"
#include "object/selector.h"
#include "policy/policy.h"
#include "probing.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/http.h"
#include "util/json.h"
#include "util/mem.h"
#include "verify/endpoint.h"
#include "verify/judge.h"
#include "verify/look.h"
#include "verify/serving.h"

#define TIMEOUT_MS (30 * 1000)
#define BODY_MAX ((size_t)1 << 20)
#define VALUES_TOLD 3

/* ---- http ---- */

struct wanted {
	const json_t *value; /* NULL: any */
	struct strbuf seen;
	size_t count;
	bool found;
};

static int look_at_value(json_t *value, const char *concrete, void *arg)
{
	struct wanted *wanted = arg;

	wanted->found = wanted->found || !wanted->value || json_equal(value, wanted->value);
	if (wanted->count++ < VALUES_TOLD) {
		strbuf_adds(&wanted->seen, wanted->seen.len ? ", " : "");
		diff_print_value(&wanted->seen, concrete, value);
	}
	return 0;
}

void own_judge_answer(const struct policy_probe *probe, const struct http_response *response, struct judgement *judgement)
{
	struct wanted wanted = {.value = probe->value, .seen = STRBUF_INIT};
	struct error err = ERROR_INIT;
	auto_json json_t *body = NULL;

	if (response->status != (long)probe->status) {
		judge_say(judgement, VERDICT_FAIL, "status %ld", response->status);
		judge_reason(judgement, "another status");
		return;
	}
	judge_say(judgement, VERDICT_PASS, "status %ld", response->status);
	if (!probe->path)
		return;
	body = json_read(response->body.buf, response->body.len, &err);
	if (body)
		fieldpath_each(body, probe->path, look_at_value, &wanted);
	judge_say(judgement, wanted.found ? VERDICT_PASS : VERDICT_FAIL, "%s is %s", fieldpath_text(probe->path),
		wanted.count   ? wanted.seen.buf
			: body ? "not there"
			       : "not there: the answer is no JSON");
	if (!wanted.found)
		judge_reason(judgement, "another value");
	strbuf_release(&wanted.seen);
}

static int ask(const struct probing *probing, const struct policy_probe *probe, struct http_response *response, struct error *err)
{
	const struct serving_settings *serving = probing->look->settings.serving;
	const struct http_tls tls = {.ca = serving ? serving->ca : NULL};
	bool trusted = serving && serving->token && serving_trusts(probing->look, probe->url);
	auto_free char *authorization = trusted ? xasprintf("Authorization: Bearer %s", serving->token) : NULL;
	const char *const headers[] = {"Accept: application/json", authorization, NULL};
	const struct http_request request = {.method = "GET",
		.url = probe->url,
		.headers = headers,
		.timeout_ms = TIMEOUT_MS,
		.stall_ms = TIMEOUT_MS,
		.max_body = BODY_MAX};
	struct http_client *client = NULL;
	int rc = http_client_new(&client, &tls, err);

	if (rc == 0)
		rc = http_perform(client, &request, response, err);
	http_client_free(client);
	if (authorization)
		explicit_bzero(authorization, strlen(authorization));
	return rc;
}

static void probe_http(const struct probing *probing, const struct policy_probe *probe, struct judgement *judgement)
{
	const char *fault = endpoint_url_fault(probe->url);
	struct http_response response = HTTP_RESPONSE_INIT;
	struct error err = ERROR_INIT;

	if (fault)
		judge_say(judgement, VERDICT_FAIL, "%s", fault);
	else if (ask(probing, probe, &response, &err) == 0)
		own_judge_answer(probe, &response, judgement);
	else
		judge_say(judgement, VERDICT_FAIL, "no answer");
	if (err.code) {
		auto_free char *safe = judge_safe(err.text);

		judge_note(judgement, "%s", safe);
	}
	if (judgement->verdict == VERDICT_FAIL)
		judge_reason(judgement, "no answer");
	http_response_release(&response);
}

/* ---- of the API server ---- */

static int keep_item(json_t *item, void *arg, struct error *err)
{
	(void)err;
	json_array_append(arg, item);
	return 0;
}

static void forget_items(void *arg)
{
	json_array_clear(arg);
}

/* Appended to items; false: in the judgement why not. */
static bool list(
	const struct probing *probing, const struct policy_probe *probe, bool metadata_only, json_t *items, struct judgement *judgement)
{
	const struct verify_settings *settings = &probing->look->settings;
	const struct kube_resource *served = discovery_find(settings->discovery, probe->group, probe->resource, NULL);
	const struct kube_list_options options = {.namespace_ = probe->namespace_, .name = probe->object, .metadata_only = metadata_only};
	const struct kube_list_sink sink = {.item = keep_item, .restart = forget_items, .arg = items};
	struct error err = ERROR_INIT;
	auto_free char *safe = NULL;

	if (!served) {
		judge_say(judgement, VERDICT_FAIL, "the API server does not serve %s", probe->resource);
		judge_reason(judgement, "not served");
		return false;
	}
	if (kube_list(settings->client, served, &options, &sink, NULL, &err) == 0)
		return true;
	safe = judge_safe(err.text);
	judge_say(judgement, VERDICT_NOT_TESTED, "not listed");
	judge_reason(judgement, "%s", safe);
	return false;
}

static const json_t *condition_of(const json_t *object, const char *type)
{
	json_t *condition;
	size_t i;

	json_array_foreach (json_at(object, "status", "conditions", NULL), i, condition) {
		const char *has = json_text_at(condition, "type", NULL);

		if (has && !strcmp(has, type))
			return condition;
	}
	return NULL;
}

void own_judge_condition(const struct policy_probe *probe, const json_t *object, struct judgement *judgement)
{
	const json_t *condition = condition_of(object, probe->type);
	const char *status = json_text_at(condition, "status", NULL), *is = probe->is ? probe->is : "True";
	auto_free char *safe = judge_safe(status ? status : "not reported");
	auto_free char *message = judge_safe(json_text_at(condition, "message", NULL));

	judge_say(judgement, status && !strcmp(status, is) ? VERDICT_PASS : VERDICT_FAIL, object ? "%s" : "not there", safe);
	if (*message)
		judge_note(judgement, "%s", message);
	if (judgement->verdict == VERDICT_FAIL)
		judge_reason(judgement, object ? "another status" : "missing");
}

static void probe_condition(const struct probing *probing, const struct policy_probe *probe, struct judgement *judgement)
{
	auto_json json_t *items = json_array();

	if (list(probing, probe, false, items, judgement))
		own_judge_condition(probe, json_array_get(items, 0), judgement);
}

void own_judge_count(const struct policy_probe *probe, const json_t *items, struct judgement *judgement)
{
	json_int_t count = 0;
	json_t *item;
	size_t i;

	json_array_foreach (items, i, item)
		count += selector_map_holds(probe->labels, json_at(item, "metadata", "labels", NULL));
	judge_say(judgement,
		(probe->min >= 0 && count < probe->min) || (probe->max >= 0 && count > probe->max) ? VERDICT_FAIL : VERDICT_PASS,
		"%" JSON_INTEGER_FORMAT, count);
	if (judgement->verdict == VERDICT_FAIL)
		judge_reason(judgement, "another count");
}

static void probe_count(const struct probing *probing, const struct policy_probe *probe, struct judgement *judgement)
{
	auto_json json_t *items = json_array();

	if (list(probing, probe, true, items, judgement))
		own_judge_count(probe, items, judgement);
}

/* ---- all of them ---- */

static char *expected_of(const struct policy_probe *probe)
{
	struct strbuf text = STRBUF_INIT;

	if (probe->kind == POLICY_PROBE_HTTP) {
		strbuf_addf(&text, "status %" JSON_INTEGER_FORMAT, probe->status);
		if (probe->path)
			strbuf_addf(&text, ", %s ", fieldpath_text(probe->path));
		if (probe->path && probe->value)
			diff_print_value(&text, "", probe->value);
		else if (probe->path)
			strbuf_adds(&text, "there");
	} else if (probe->kind == POLICY_PROBE_CONDITION) {
		strbuf_addf(&text, "%s %s", probe->type, probe->is ? probe->is : "True");
	} else if (probe->min == probe->max) {
		strbuf_addf(&text, "%" JSON_INTEGER_FORMAT, probe->min);
	} else {
		if (probe->min >= 0)
			strbuf_addf(&text, "at least %" JSON_INTEGER_FORMAT, probe->min);
		if (probe->max >= 0)
			strbuf_addf(&text, "%sat most %" JSON_INTEGER_FORMAT, text.len ? ", " : "", probe->max);
	}
	return strbuf_detach(&text, NULL);
}

static void (*const probe_by_kind[])(const struct probing *probing, const struct policy_probe *probe, struct judgement *judgement) = {
	[POLICY_PROBE_HTTP] = probe_http,
	[POLICY_PROBE_CONDITION] = probe_condition,
	[POLICY_PROBE_COUNT] = probe_count,
};

void probe_own(struct probing *probing)
{
	const struct policy *policy = probing->look->settings.policy;

	for (size_t i = 0; i < policy->probe_count; i++) {
		const struct policy_probe *probe = &policy->probes[i];
		auto_judgement struct judgement judgement = JUDGEMENT_INIT;
		auto_free char *name = judge_safe(probe->name);
		auto_free char *text = expected_of(probe);
		auto_free char *expected = judge_safe(text);
		int64_t started = clock_monotonic_ms();

		probe_by_kind[probe->kind](probing, probe, &judgement);
		probing_add(probing, name, expected, &judgement, clock_monotonic_ms() - started);
	}
}
