/* SPDX-License-Identifier: Apache-2.0 */
#include "tables.h"

#include <string.h>

#include "object/change.h"
#include "object/diff.h"
#include "output.h"
#include "util/json.h"
#include "util/strbuf.h"

#define TEXT_MAX 80

const char *table_text(const json_t *map, const char *key)
{
	const char *text = json_text_at(map, key, NULL);

	return text ? text : "";
}

long long table_number(const json_t *map, const char *key)
{
	return (long long)json_integer_value(json_object_get(map, key));
}

char *table_object_text(const json_t *object)
{
	const char *namespace_ = table_text(object, "namespace");

	return xasprintf("%s %s%s%s", table_text(object, "kind"), namespace_, *namespace_ ? "/" : "", table_text(object, "name"));
}

static void print_change(struct output *out, const json_t *change)
{
	const json_t *fields = json_object_get(change, "fields");
	size_t i = 0;

	do {
		auto_strbuf struct strbuf words = STRBUF_INIT;

		change_words(change, json_array_get(fields, i), &words);
		output_status(out, "", table_text(change, "change"), "%s", words.buf);
	} while (++i < json_array_size(fields));
}

void table_changes(struct output *out, const json_t *changes)
{
	const json_t *change;
	size_t i;

	json_array_foreach (changes, i, change)
		print_change(out, change);
}

void table_kinds(struct output *out, const json_t *kinds)
{
	static const struct column columns[] = {{"KIND", "kind", CELL_TEXT, 0}, {"GROUP", "group", CELL_TEXT, 0},
		{"COUNT", "count", CELL_NUMBER, 0}, {NULL, NULL, CELL_TEXT, 0}};
	auto_json json_t *rows = json_array();
	json_t *kind;
	size_t i;

	json_array_foreach (kinds, i, kind)
		if (table_number(kind, "count") > 0)
			json_array_append(rows, kind);
	if (json_array_size(rows) == 0)
		return;
	output_heading(out, "Kinds:");
	output_table(out, rows, columns);
}

static bool is_open(const json_t *requirement)
{
	const char *state = table_text(requirement, "state");

	return strcmp(state, "required") == 0 || strcmp(state, "missing") == 0;
}

void table_maintenance(struct output *out, const char *title, const json_t *maintenance)
{
	static const struct column columns[] = {{"KIND", "kind", CELL_TEXT, 0}, {"NAMESPACE", "namespace", CELL_TEXT, 0},
		{"NAME", "name", CELL_TEXT, 0}, {"STATE", "state", CELL_TEXT, 0}, {NULL, NULL, CELL_TEXT, 0}};

	if (json_array_size(maintenance) == 0)
		return;
	output_heading(out, title);
	output_table(out, maintenance, columns);
}

void table_orphans(struct output *out, const json_t *orphans)
{
	static const struct column columns[] = {{"KIND", "kind", CELL_TEXT, 0}, {"NAMESPACE", "namespace", CELL_TEXT, 0},
		{"NAME", "name", CELL_TEXT, 0}, {"WHY", "why", CELL_TEXT, 0}, {NULL, NULL, CELL_TEXT, 0}};

	if (json_array_size(orphans) == 0)
		return;
	output_heading(out, "Orphans, made by a controller and owned by nobody any more, not in the snapshot:");
	output_table(out, orphans, columns);
}

void table_finalizers(struct output *out, const json_t *finalizers)
{
	static const struct column columns[] = {
		{"OBJECT", "object", CELL_TEXT, 0}, {"FINALIZER", "finalizer", CELL_TEXT, 0}, {NULL, NULL, CELL_TEXT, 0}};

	if (json_array_size(finalizers) == 0)
		return;
	output_heading(out, "Finalizers that the policy does not know, not in the snapshot:");
	output_table(out, finalizers, columns);
}

void table_requirements(struct output *out, const char *title, const json_t *requirements, bool all)
{
	static const struct column columns[] = {{"STATE", "state", CELL_STATUS, 0}, {"KIND", "kind", CELL_TEXT, 0},
		{"NAMESPACE", "namespace", CELL_TEXT, 0}, {"NAME", "name", CELL_TEXT, 0}, {"KEYS", "keys", CELL_TEXT, TEXT_MAX},
		{"OPTIONAL", "optional", CELL_TEXT, 0}, {"NEEDED BY", "neededBy", CELL_TEXT, TEXT_MAX}, {NULL, NULL, CELL_TEXT, 0}};
	auto_json json_t *rows = json_array();
	json_t *item;
	size_t i;

	json_array_foreach (requirements, i, item)
		if (all || is_open(item))
			json_array_append(rows, item);
	if (json_array_size(rows) == 0)
		return;
	output_heading(out, title);
	output_table(out, rows, columns);
}

void table_selection(struct output *out, const json_t *selection)
{
	static const struct column columns[] = {
		{"OBJECT", "object", CELL_TEXT, 0}, {"NEEDED BY", "neededBy", CELL_TEXT, TEXT_MAX}, {NULL, NULL, CELL_TEXT, 0}};
	const json_t *only = json_object_get(selection, "only"), *condition, *pulled_in = json_object_get(selection, "pulledIn");
	size_t i;

	if (!json_is_object(selection))
		return;
	json_array_foreach (only, i, condition)
		output_field(out, i ? "" : "only", "%s", json_string_value(condition));
	output_field(out, "part", "%lld objects chosen, %zu that they need, %lld left out", table_number(selection, "chosen"),
		json_array_size(pulled_in), table_number(selection, "leftOut"));
	if (json_array_size(pulled_in) == 0)
		return;
	output_heading(out, "Taken as well, since it is needed:");
	output_table(out, pulled_in, columns);
}

void table_mapping(struct output *out, const json_t *mapping)
{
	static const struct column columns[] = {{"OBJECT", "object", CELL_TEXT, 0}, {"FIELD", "path", CELL_TEXT, 0},
		{"FROM", "from", CELL_TEXT, TEXT_MAX}, {"TO", "to", CELL_TEXT, TEXT_MAX}, {NULL, NULL, CELL_TEXT, 0}};
	const json_t *changes = json_object_get(mapping, "changes"), *replaced = json_object_get(mapping, "replaced"), *item;
	size_t i;

	if (!json_is_object(mapping))
		return;
	json_array_foreach (json_object_get(mapping, "rules"), i, item)
		output_field(out, i ? "" : "mapping", "%s %s -> %s, %lld fields", table_text(item, "kind"), table_text(item, "from"),
			table_text(item, "to"), table_number(item, "fields"));
	json_array_foreach (replaced, i, item)
		output_field(out, i ? "" : "left out", "%s, another one takes its place", json_string_value(item));
	if (json_array_size(changes) == 0)
		return;
	output_heading(out, "Mapped fields:");
	output_table(out, changes, columns);
}

void table_environment(struct output *out, const json_t *environment)
{
	static const struct column columns[] = {{"OBJECT", "object", CELL_TEXT, 0}, {"FIELD", "path", CELL_TEXT, 0},
		{"VALUE", "value", CELL_TEXT, TEXT_MAX}, {NULL, NULL, CELL_TEXT, 0}};
	auto_json json_t *rows = json_array();
	json_t *item;
	size_t i;

	if (json_array_size(environment) == 0)
		return;
	json_array_foreach (environment, i, item) {
		auto_strbuf struct strbuf value = STRBUF_INIT;
		const char *path = table_text(item, "path");

		diff_print_value(&value, path, json_object_get(item, "value"));
		json_array_append_new(
			rows, json_pack("{s:s, s:s, s:s}", "object", table_text(item, "object"), "path", path, "value", value.buf));
	}
	output_heading(out, "Bound to the surroundings of the source, may be wrong elsewhere:");
	output_table(out, rows, columns);
}

/* "nvidia.com/gpu 2 each, 6 in all" */
static void accelerators_text(const json_t *accelerators, struct strbuf *out)
{
	const json_t *row;
	size_t i;

	json_array_foreach (accelerators, i, row) {
		const json_t *all = json_object_get(row, "all");

		strbuf_addf(out, "%s%s ", i ? "; " : "", table_text(row, "name"));
		json_write(json_object_get(row, "each"), out);
		strbuf_adds(out, " each");
		if (all)
			strbuf_addf(out, ", %lld in all", (long long)json_integer_value(all));
	}
}

/* "cloud.google.com/gke-accelerator=nvidia-l4" */
static void labels_text(json_t *labels, struct strbuf *out)
{
	size_t count;
	auto_free const char **keys = json_sorted_keys(labels, &count);

	for (size_t i = 0; i < count; i++)
		strbuf_addf(out, "%s%s=%s", i ? ", " : "", keys[i], table_text(labels, keys[i]));
}

/* As kubectl describes them: "nvidia.com/gpu=present:NoSchedule"; without a key it is any taint, and what is not written is any. */
static void tolerations_text(const json_t *tolerations, struct strbuf *out)
{
	const json_t *row;
	size_t i;

	json_array_foreach (tolerations, i, row) {
		const char *key = table_text(row, "key"), *value = table_text(row, "value"), *effect = table_text(row, "effect");

		strbuf_addf(out, "%s%s%s%s%s%s", i ? ", " : "", *key ? key : "any", *value ? "=" : "", value, *effect ? ":" : "", effect);
	}
}

void table_nodes(struct output *out, const json_t *nodes)
{
	static const struct column columns[] = {{"OBJECT", "object", CELL_TEXT, 0}, {"PODS OF", "path", CELL_TEXT, 0},
		{"PODS", "pods", CELL_TEXT, 0}, {"ACCELERATORS", "accelerators", CELL_TEXT, TEXT_MAX},
		{"NODE LABELS", "labels", CELL_TEXT, TEXT_MAX}, {"TOLERATIONS", "tolerations", CELL_TEXT, TEXT_MAX},
		{NULL, NULL, CELL_TEXT, 0}};
	auto_json json_t *rows = json_array();
	json_t *item;
	size_t i;

	json_array_foreach (nodes, i, item) {
		auto_strbuf struct strbuf accelerators = STRBUF_INIT, labels = STRBUF_INIT, tolerations = STRBUF_INIT;
		json_t *row = json_copy(item);

		accelerators_text(json_object_get(item, "accelerators"), &accelerators);
		labels_text(json_object_get(item, "nodeSelector"), &labels);
		json_object_set_new(row, "accelerators", json_string(accelerators.buf));
		tolerations_text(json_object_get(item, "tolerations"), &tolerations);
		json_object_set_new(row, "labels", json_string(labels.buf));
		json_object_set_new(row, "tolerations", json_string(tolerations.buf));
		json_array_append_new(rows, row);
	}
	if (json_array_size(rows) == 0)
		return;
	output_heading(out, "What the pods need of nodes:");
	output_table(out, rows, columns);
}

static void table_webhooks(struct output *out, const json_t *webhooks)
{
	static const struct column columns[] = {{"CONFIGURATION", "configuration", CELL_TEXT, 0}, {"WEBHOOK", "name", CELL_TEXT, 0},
		{"SERVICE", "service", CELL_TEXT, TEXT_MAX}, {"ON FAILURE", "failurePolicy", CELL_TEXT, 0},
		{"KINDS", "kinds", CELL_TEXT, TEXT_MAX}, {NULL, NULL, CELL_TEXT, 0}};

	if (json_array_size(webhooks) == 0)
		return;
	output_heading(out, "Webhooks that were asked about these kinds:");
	output_table(out, webhooks, columns);
}

static void add_installed(json_t *rows, const json_t *list, const char *key)
{
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item)
		json_array_append_new(rows,
			json_pack("{s:s, s:s, s:s, s:s}", "kind", table_text(item, "kind"), "namespace", table_text(item, "namespace"),
				"name", table_text(item, "name"), "content", table_text(item, key)));
}

void table_installation(struct output *out, const json_t *requirements)
{
	static const struct column columns[] = {{"KIND", "kind", CELL_TEXT, 0}, {"NAMESPACE", "namespace", CELL_TEXT, 0},
		{"NAME", "name", CELL_TEXT, 0}, {"IMAGE OR SHA-256", "content", CELL_TEXT, TEXT_MAX}, {NULL, NULL, CELL_TEXT, 0}};
	auto_json json_t *rows = json_array();
	const json_t *unread = json_object_get(requirements, "notRead"), *name;
	size_t i;

	add_installed(rows, json_object_get(requirements, "controllers"), "image");
	add_installed(rows, json_object_get(requirements, "presets"), "sha256");
	if (json_array_size(rows) > 0) {
		output_heading(out, "Installed on the source:");
		output_table(out, rows, columns);
	}
	table_webhooks(out, json_object_get(requirements, "webhooks"));
	json_array_foreach (unread, i, name)
		output_field(out, "not read", "%s", json_is_string(name) ? json_string_value(name) : "?");
}

static void print_probe_counts(struct output *out, const json_t *probes)
{
	static const char *const results[] = {"pass", "fail", "changed", "not tested"};
	size_t counts[4] = {0}, i;
	const json_t *probe;

	json_array_foreach (probes, i, probe)
		for (size_t r = 0; r < 4; r++)
			counts[r] += strcmp(table_text(probe, "result"), results[r]) == 0;
	output_field(out, "probes", "%zu pass, %zu fail, %zu changed, %zu not tested", counts[0], counts[1], counts[2], counts[3]);
}

static void print_evidence(struct output *out, const json_t *probes)
{
	const json_t *probe, *line;
	bool first = true;
	size_t i, j;

	json_array_foreach (probes, i, probe) {
		if (strcmp(table_text(probe, "result"), "fail") != 0)
			continue;
		if (first)
			output_heading(out, "Failed probes:");
		first = false;
		output_line(out, "%s of %s: expected %s, observed %s", table_text(probe, "probe"), table_text(probe, "object"),
			table_text(probe, "expected"), table_text(probe, "observed"));
		json_array_foreach (json_object_get(probe, "evidence"), j, line)
			if (json_is_string(line))
				output_line(out, "    %s", json_string_value(line));
	}
}

void table_probes(struct output *out, const json_t *probes, bool all)
{
	static const struct column columns[] = {{"RESULT", "result", CELL_STATUS, 0}, {"PROBE", "probe", CELL_TEXT, 0},
		{"OBJECT", "object", CELL_TEXT, TEXT_MAX}, {"TIME", "milliseconds", CELL_DURATION, 0},
		{"OBSERVED", "observed", CELL_TEXT, TEXT_MAX}, {"REASON", "reason", CELL_TEXT, 0}, {NULL, NULL, CELL_TEXT, 0}};
	auto_json json_t *rows = json_array();
	json_t *probe;
	size_t i;

	json_array_foreach (probes, i, probe)
		if (all || strcmp(table_text(probe, "result"), "pass") != 0)
			json_array_append(rows, probe);
	if (json_array_size(rows) > 0) {
		output_heading(out, all ? "Probes:" : "Probes that did not pass:");
		output_table(out, rows, columns);
		print_evidence(out, rows);
	}
	output_heading(out, NULL);
	print_probe_counts(out, probes);
}

static void print_verified(struct output *out, const json_t *origin)
{
	const json_t *edits = json_object_get(origin, "edits"), *edit;
	size_t i;

	if (json_array_size(edits) > 0)
		output_status(out, "integrity", "edited", "by hand, accepted");
	else if (json_is_true(json_object_get(origin, "verified")))
		output_status(out, "integrity", "verified", "%s", "");
	else
		output_status(out, "integrity", "unverified", "no manifest vouches for the files");
	json_array_foreach (edits, i, edit)
		output_field(out, "", "%s", json_is_string(edit) ? json_string_value(edit) : "");
}

void table_stale(struct output *out, const json_t *stale)
{
	const json_t *mark;
	size_t i;

	json_array_foreach (stale, i, mark) {
		const char *group = table_text(mark, "group"), *error = table_text(mark, "error");

		output_field(out, i ? "" : "stale", "%s%s%s since %s%s%s", table_text(mark, "resource"), *group ? "." : "", group,
			table_text(mark, "since"), *error ? ": " : "", error);
	}
}

void table_origin(struct output *out, const json_t *origin)
{
	const char *commit = table_text(origin, "commit"), *captured = table_text(origin, "capturedAt");

	output_field(out, "cluster", "%s", table_text(origin, "cluster"));
	output_field(out, "commit", "%s", *commit ? commit : "not known");
	output_field(out, "captured at", "%s", *captured ? captured : "not known");
	table_stale(out, json_object_get(origin, "stale"));
	print_verified(out, origin);
}
