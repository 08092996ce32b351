/* SPDX-License-Identifier: Apache-2.0 */
#include "drill/record.h"

#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "restore/phases.h"
#include "util/clock.h"
#include "util/env.h"
#include "util/error.h"
#include "util/file.h"
#include "util/hash.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/outcome.h"
#include "util/strbuf.h"

#define ID_DIGITS 8

/* Null where the report does not say. */
static json_t *copy_of(const json_t *report, const char *key)
{
	json_t *value = json_object_get(report, key);

	return value ? json_incref(value) : json_null();
}

static json_t *list_of(const json_t *report, const char *key)
{
	json_t *value = json_object_get(report, key);

	return json_is_array(value) ? json_incref(value) : json_array();
}

/* ---- who and where ---- */

/* Null where it cannot be read. */
static json_t *sum_of(const char *path)
{
	struct error ignored = ERROR_INIT;
	char hex[HASH_HEX_SIZE];

	return path && file_sha256(path, hex, &ignored) == 0 ? json_string(hex) : json_null();
}

static json_t *identity_of(const struct record_input *input)
{
	const json_t *report = input->report, *snapshot = json_object_get(report, "snapshot");
	auto_free char *user = env_user(), *host = env_host();
	json_t *identity = json_pack("{s:{s:s, s:o}, s:o, s:o, s:s, s:s}", "tool", "version", RHAII_VERSION, "binarySha256",
		sum_of("/proc/self/exe"), "configurationSha256", sum_of(input->configuration), "policySha256",
		copy_of(report, "policySha256"), "operator", user, "host", host);

	json_object_set_new(identity, "source",
		json_pack("{s:o, s:o, s:o}", "cluster", copy_of(snapshot, "cluster"), "id", copy_of(snapshot, "clusterId"), "server",
			copy_of(report, "sourceServer")));
	json_object_set_new(identity, "target", copy_of(report, "target"));
	return identity;
}

/* The name of its journal, "" where it has none. */
static char *journal_of(const json_t *report)
{
	const char *path = json_text_at(report, "journal", NULL), *slash = path ? strrchr(path, '/') : NULL;

	return xstrdup(slash ? slash + 1 : path ? path : "");
}

/* "20261124T201500Z-3fa94c1d". The caller frees. */
static char *id_of(const json_t *report)
{
	const char *started = json_text_at(report, "startedAt", NULL), *target = json_text_at(report, "target", "id", NULL);
	auto_free char *journal = journal_of(report);
	auto_free char *seed = xasprintf("%s\n%s\n%s\n", target ? target : "", journal, started ? started : "");
	struct error ignored = ERROR_INIT;
	char hex[HASH_HEX_SIZE], when[CLOCK_TEXT_SIZE];
	time_t start = 0;

	if (started)
		(void)clock_parse(started, &start, &ignored);
	hash_sha256(seed, strlen(seed), hex);
	return xasprintf("%s-%.*s", clock_format_compact(start, when), ID_DIGITS, hex);
}

/* ---- from what ---- */

static time_t time_at(const json_t *json, const char *key)
{
	const char *text = json_text_at(json, key, NULL);
	struct error ignored = ERROR_INIT;
	time_t when = 0;

	return text && clock_parse(text, &when, &ignored) == 0 ? when : 0;
}

static json_t *input_of(const json_t *report)
{
	time_t captured = time_at(json_object_get(report, "rpo"), "capturedAt"), started = time_at(report, "startedAt");

	return json_pack("{s:o, s:o, s:o, s:o}", "snapshot", copy_of(report, "snapshot"), "objects", copy_of(report, "objects"),
		"manifestSha256", copy_of(report, "manifestSha256"), "ageSeconds",
		captured && started >= captured ? json_integer((json_int_t)(started - captured)) : json_null());
}

/* ---- what was done ---- */

/* In the order of the report's counts; `key` as in counts, `result` as an action has it. */
static const struct {
	const char *key, *result;
} results[] = {{"created", "created"}, {"merged", "merged"}, {"updated", "updated"}, {"skipped", "skipped"}, {"conflict", "conflict"},
	{"failed", "failed"}, {"blocked", "blocked"}, {"notRun", "not run"}};

static json_t *wave_of(const json_t *wave)
{
	json_t *counts = json_object();
	const json_t *action;
	size_t i;

	for (size_t r = 0; r < sizeof(results) / sizeof(*results); r++) {
		json_int_t count = 0;

		json_array_foreach (json_object_get(wave, "actions"), i, action)
			count += strcmp(json_text_at(action, "result", NULL), results[r].result) == 0;
		json_object_set_new(counts, results[r].key, json_integer(count));
	}
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "name", copy_of(wave, "name"), "gate", copy_of(wave, "gate"),
		"offsetMilliseconds", copy_of(wave, "offsetMilliseconds"), "gateMilliseconds", copy_of(wave, "gateMilliseconds"),
		"applyMilliseconds", copy_of(wave, "applyMilliseconds"), "counts", counts);
}

static json_t *waves_of(const json_t *report)
{
	json_t *waves = json_array();
	const json_t *wave;
	size_t i;

	json_array_foreach (json_object_get(report, "waves"), i, wave)
		json_array_append_new(waves, wave_of(wave));
	return waves;
}

/* "Kind ns/name". The caller frees. */
static char *object_of(const json_t *action)
{
	const char *namespace_ = json_text_at(action, "namespace", NULL);
	bool inside = namespace_ && *namespace_;

	return xasprintf("%s %s%s%s", json_text_at(action, "kind", NULL), inside ? namespace_ : "", inside ? "/" : "",
		json_text_at(action, "name", NULL));
}

static void add_differences(json_t *list, const char *object, const json_t *fields)
{
	const json_t *field;
	size_t i;

	json_array_foreach (fields, i, field) {
		const char *live = json_text_at(field, "live", NULL), *want = json_text_at(field, "snapshot", NULL);
		auto_free char *text = xasprintf("%s on the target, %s in the snapshot", live ? live : "(none)", want ? want : "(none)");

		json_array_append_new(list, json_pack("{s:s, s:o, s:s}", "object", object, "path", copy_of(field, "path"), "text", text));
	}
}

/* What stayed different on the target, and what the server did not take, in its own words. */
static void add_objects(json_t *record, const json_t *report)
{
	json_t *differences = json_array(), *rejections = json_array();
	const json_t *wave, *action;
	size_t i, j;

	json_array_foreach (json_object_get(report, "waves"), i, wave)
		json_array_foreach (json_object_get(wave, "actions"), j, action) {
			auto_free char *object = object_of(action);
			const char *error = json_text_at(action, "error", NULL);

			if (strcmp(json_text_at(action, "result", NULL), "conflict") == 0)
				add_differences(differences, object, json_object_get(action, "fields"));
			if (error)
				json_array_append_new(rejections, json_pack("{s:s, s:s}", "object", object, "text", error));
		}
	json_object_set_new(record, "differences", differences);
	json_object_set_new(record, "rejections", rejections);
	json_object_set_new(record, "findings", list_of(report, "findings"));
}

/* ---- what was verified ---- */

static json_t *probe_counts(const json_t *probes)
{
	static const struct {
		const char *key, *result;
	} rows[] = {{"pass", "pass"}, {"fail", "fail"}, {"changed", "changed"}, {"notTested", "not tested"}};
	json_t *counts = json_object();
	const json_t *probe;
	size_t i;

	for (size_t r = 0; r < sizeof(rows) / sizeof(*rows); r++) {
		json_int_t count = 0;

		json_array_foreach (probes, i, probe)
			count += strcmp(json_text_at(probe, "result", NULL), rows[r].result) == 0;
		json_object_set_new(counts, rows[r].key, json_integer(count));
	}
	return counts;
}

static void not_tested(json_t *list, const char *what, const char *reason)
{
	json_array_append_new(list, json_pack("{s:s, s:s}", "what", what, "reason", reason));
}

static void add_untested_probes(json_t *list, const json_t *probes)
{
	const json_t *probe;
	size_t i;

	json_array_foreach (probes, i, probe) {
		const char *reason = json_text_at(probe, "reason", NULL);
		auto_free char *what = NULL;

		if (strcmp(json_text_at(probe, "result", NULL), "not tested") != 0)
			continue;
		what = xasprintf("%s: %s", json_text_at(probe, "probe", NULL), json_text_at(probe, "object", NULL));
		not_tested(list, what, reason ? reason : json_text_at(probe, "observed", NULL));
	}
}

static void add_assumed_phases(json_t *list, const json_t *phases)
{
	const json_t *phase;
	size_t i;

	json_array_foreach (phases, i, phase) {
		auto_free char *what = xasprintf("phase %s", json_text_at(phase, "name", NULL)), *reason = NULL;
		char text[CLOCK_TEXT_SIZE];

		if (strcmp(json_text_at(phase, "how", NULL), "assumed") != 0)
			continue;
		reason = xasprintf(
			"assumed to take %s", clock_format_duration(json_integer_value(json_object_get(phase, "milliseconds")), text));
		not_tested(list, what, reason);
	}
}

static json_t *not_tested_of(const struct record_input *input, const json_t *record)
{
	json_t *list = input->not_tested ? json_copy((json_t *)(uintptr_t)input->not_tested) : json_array();

	if (!json_is_array(json_object_get(input->report, "probes")))
		not_tested(list, "verify", "the restore ended before it");
	add_untested_probes(list, json_object_get(record, "probes"));
	add_assumed_phases(list, json_object_get(record, "phases"));
	return list;
}

/* Those that do not say when they were judged, too, have the key. */
static json_t *probes_of(const json_t *report)
{
	json_t *probes = json_array(), *probe;
	size_t i;

	json_array_foreach (json_object_get(report, "probes"), i, probe) {
		json_t *copy = json_copy(probe);

		if (!json_object_get(copy, "offsetMilliseconds"))
			json_object_set_new(copy, "offsetMilliseconds", json_null());
		json_array_append_new(probes, copy);
	}
	return probes;
}

/* ---- the whole ---- */

static void add_clock(json_t *record, const struct record_input *input)
{
	static const char *const keys[] = {"phases", "rto"};
	auto_json json_t *clock = input->clock ? phases_json(input->clock) : NULL;
	const json_t *from = clock ? clock : input->report;

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		json_object_set_new(record, keys[i], copy_of(from, keys[i]));
	json_object_set_new(
		record, "endedAt", input->clock ? phases_time_json(input->clock->last.wall) : copy_of(input->report, "endedAt"));
}

static void add_results(json_t *record, const json_t *report)
{
	static const char *const keys[] = {
		"startedAt", "counts", "requests", "retries", "throttledMilliseconds", "resumed", "rpo", "preflight", "converge"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		json_object_set_new(record, keys[i], copy_of(report, keys[i]));
	json_object_set_new(record, "services", list_of(report, "services"));
	json_object_set_new(record, "waves", waves_of(report));
	json_object_set_new(record, "probes", probes_of(report));
	json_object_set_new(record, "probeCounts", probe_counts(json_object_get(record, "probes")));
	add_objects(record, report);
}

json_t *record_make(const struct record_input *input)
{
	auto_free char *id = id_of(input->report);
	json_t *record = json_pack("{s:i, s:s, s:s, s:s, s:o, s:s?, s:n}", "format", RECORD_FORMAT, "kind", input->kind, "mode",
		input->mode, "id", id, "name", copy_of(json_object_get(input->report, "snapshot"), "cluster"), "scenario", input->scenario,
		"previous");

	json_object_set_new(record, "identity", identity_of(input));
	json_object_set_new(record, "input", input_of(input->report));
	add_results(record, input->report);
	add_clock(record, input);
	json_object_set_new(record, "notTested", not_tested_of(input, record));
	json_object_set_new(record, "cleanup", input->cleanup ? json_deep_copy(input->cleanup) : json_null());
	json_object_set_new(record, "injected", input->injected ? json_deep_copy(input->injected) : json_array());
	json_object_set_new(record, "verdict", record_verdict(record, input));
	return record;
}

/* ---- its bytes ---- */

static int add_bytes(const char *bytes, size_t len, void *out)
{
	strbuf_add(out, bytes, len);
	return 0;
}

void record_text(const json_t *record, struct strbuf *out)
{
	(void)json_dump_callback(record, add_bytes, out, JSON_INDENT(2) | JSON_SORT_KEYS);
	strbuf_addc(out, '\n');
}

static int check_format(const json_t *record, struct error *err)
{
	const json_t *format = json_object_get(record, "format");

	if (!json_is_integer(format) || !json_text_at(record, "id", NULL) || !json_is_object(json_object_get(record, "verdict")))
		return error_set(err, ERR_INTEGRITY, "it is not the record of a restore or a drill");
	if (json_integer_value(format) <= RECORD_FORMAT)
		return 0;
	(void)error_set(err, ERR_INTEGRITY, "its format %" JSON_INTEGER_FORMAT " is newer than the %d that this program reads",
		json_integer_value(format), RECORD_FORMAT);
	return error_hint(err, "use a rhaii-dr that reads format %" JSON_INTEGER_FORMAT, json_integer_value(format));
}

int record_read(json_t **out, const char *bytes, size_t len, struct error *err)
{
	*out = json_read(bytes, len, err);
	if (*out && check_format(*out, err) == 0)
		return 0;
	if (!*out)
		err->code = ERR_INTEGRITY;
	json_decref(*out);
	*out = NULL;
	return -1;
}

int record_write(const json_t *record, const char *dir, char **path, struct error *err)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_free char *file = xasprintf("%s/%s.json", dir, json_text_at(record, "id", NULL));

	record_text(record, &text);
	if (file_mkdirs(dir, err) < 0 || file_write(file, text.buf, text.len, 0600, err) < 0)
		return error_wrap(err, "the record of the restore");
	if (path)
		*path = xstrdup(file);
	return 0;
}
