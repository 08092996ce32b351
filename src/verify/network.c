/* SPDX-License-Identifier: Apache-2.0 */
/* NetworkPolicies: what they let through, before and after; whether they are about anything; and what really passes, for which somebody must bring a program. */
#include <stdlib.h>
#include <string.h>

#include "object/classify.h"
#include "object/object.h"
#include "policy/policy.h"
#include "probing.h"
#include "store/snapshot.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/process.h"
#include "verify/judge.h"
#include "verify/look.h"
#include "verify/matrix.h"
#include "verify/serving.h"

#define TOLD_MAX 3
#define EVIDENCE_MAX 40
#define COMMAND_MS (5 * 60 * 1000)
#define COMMAND_OUTPUT_MAX ((size_t)64 << 10)
#define COMMAND_LINES 5

static bool is_policy(const struct object *object)
{
	return !strcmp(object->group, LOOK_NETWORK_GROUP) && !strcmp(object->resource, LOOK_NETWORK_POLICIES);
}

static json_t *policies_before(const struct snapshot *snapshot)
{
	json_t *list = json_array();

	for (size_t i = 0; i < snapshot->object_count; i++)
		if (is_policy(snapshot->objects[i]))
			json_array_append(list, snapshot->objects[i]->json);
	return list;
}

/* Those that a capture would take: what an operator's installation brings is in no snapshot. */
static json_t *policies_after(const struct verify_look *look)
{
	const struct policy *policy = look->settings.policy;
	json_t *list = json_array(), *item;
	size_t i;

	json_array_foreach (look->policies, i, item) {
		struct object *object = NULL;
		struct error ignored = ERROR_INIT;

		if (object_new(&object, LOOK_NETWORK_POLICIES, item, &ignored) < 0)
			continue;
		if (classify_object(object, policy->rules, policy->rule_count, NULL) == CLASS_AUTHORED)
			json_array_append(list, item);
		object_free(object);
	}
	return list;
}

static bool is_namespace(const struct object *object)
{
	return !*object->group && !strcmp(object->resource, "namespaces");
}

/* name -> labels: in the snapshot, or of these as they are now. */
static json_t *spaces_of(const struct verify_look *look, bool live)
{
	const struct snapshot *snapshot = look->settings.snapshot;
	json_t *spaces = json_object();

	for (size_t i = 0; i < snapshot->object_count; i++) {
		const struct object *object = snapshot->objects[i];
		const json_t *json = live ? look_object(look, object) : object->json;
		json_t *labels = json_at(json, "metadata", "labels", NULL);

		if (is_namespace(object) && json)
			json_object_set_new(spaces, object->name, json_is_object(labels) ? json_incref(labels) : json_object());
	}
	return spaces;
}

/* ---- pods, as far as the workloads there tell ---- */

static json_t *named_ports(const json_t *template)
{
	json_t *ports = json_object(), *container, *port;
	size_t i, j;

	json_array_foreach (json_at(template, "spec", "containers", NULL), i, container)
		json_array_foreach (json_object_get(container, "ports"), j, port) {
			const char *name = json_text_at(port, "name", NULL);

			if (name)
				json_object_set(ports, name, json_object_get(port, "containerPort"));
		}
	return ports;
}

static void add_template(json_t *pods, const json_t *workload, const json_t *template)
{
	json_t *labels = json_at(template, "metadata", "labels", NULL);
	const char *kind = json_text_at(workload, "kind", NULL), *name = json_text_at(workload, "metadata", "name", NULL),
		   *namespace_ = json_text_at(workload, "metadata", "namespace", NULL);
	auto_free char *text = xasprintf("%s %s", kind ? kind : "", name ? name : "");

	if (template && namespace_)
		json_array_append_new(pods,
			json_pack("{s:s, s:s, s:o, s:o}", "name", text, "namespace", namespace_, "labels",
				json_is_object(labels) ? json_incref(labels) : json_object(), "ports", named_ports(template)));
}

static json_t *pods_of(const struct verify_look *look)
{
	json_t *pods = json_array(), *workload;
	size_t i;

	json_array_foreach (look->workloads, i, workload) {
		add_template(pods, workload, json_at(workload, "spec", "template", NULL));
		add_template(pods, workload, json_at(workload, "spec", "leaderWorkerTemplate", "leaderTemplate", NULL));
		add_template(pods, workload, json_at(workload, "spec", "leaderWorkerTemplate", "workerTemplate", NULL));
	}
	return pods;
}

/* ---- the matrix ---- */

static void note_edges(struct judgement *judgement, const char *how, const struct strlist *edges)
{
	for (size_t i = 0; i < edges->count && i < EVIDENCE_MAX; i++)
		judge_note(judgement, "%s: %s", how, edges->items[i]);
	if (edges->count > EVIDENCE_MAX)
		judge_note(judgement, "%s: %zu more", how, edges->count - EVIDENCE_MAX);
}

static void judge_edges(struct judgement *judgement, enum verdict verdict, const char *how, const struct strlist *edges)
{
	for (size_t i = 0; i < edges->count && i < TOLD_MAX; i++)
		judge_say(judgement, verdict, "%s: %s", how, edges->items[i]);
	if (edges->count > TOLD_MAX)
		judge_say(judgement, verdict, "%zu %s in all", edges->count, how);
	if (edges->count)
		judge_reason(judgement, "%s", how);
	note_edges(judgement, how, edges);
}

static void judge_matrix(const struct verify_look *look, json_t *before, json_t *after, struct judgement *judgement)
{
	auto_json json_t *was = spaces_of(look, false);
	auto_json json_t *is = spaces_of(look, true);
	auto_json json_t *pods = pods_of(look);
	struct matrix_result result = MATRIX_RESULT_INIT;

	matrix_compare(&(struct matrix_side){before, was}, &(struct matrix_side){after, is}, pods, &result);
	judge_edges(judgement, VERDICT_FAIL, "widened", &result.widened);
	judge_edges(judgement, VERDICT_CHANGED, "narrowed", &result.narrowed);
	if (judgement->verdict == VERDICT_PASS)
		judge_say(judgement, VERDICT_PASS, "the same between %zu kinds of pods and peers", result.places);
	matrix_result_release(&result);
}

static char *count_text(const json_t *policies)
{
	return xasprintf("%zu NetworkPolicies", json_array_size(policies));
}

/* Why the policies of the cluster cannot be held against those of the snapshot, or NULL. */
static const char *why_not(const struct verify_look *look)
{
	const struct look_kind *kind = look_find(look, LOOK_NETWORK_GROUP, LOOK_NETWORK_POLICIES);

	if (look->settings.snapshot->part)
		return "a part of the snapshot does not tell which other policies there were";
	if (!kind)
		return "the policy has no row for its kind";
	if (kind->not_served)
		return NULL;
	return kind->listed ? NULL : kind->why ? kind->why : "not listed";
}

void probe_matrix(struct probing *probing)
{
	auto_json json_t *before = policies_before(probing->look->settings.snapshot);
	auto_json json_t *after = policies_after(probing->look);
	auto_judgement struct judgement judgement = JUDGEMENT_INIT;
	auto_free char *name = count_text(before);
	const char *why = why_not(probing->look);
	int64_t started = clock_monotonic_ms();

	if (!json_array_size(before) && !json_array_size(after))
		return;
	if (why) {
		judge_say(&judgement, VERDICT_NOT_TESTED, "not looked at");
		judge_reason(&judgement, "%s", why);
	} else {
		judge_matrix(probing->look, before, after, &judgement);
	}
	probing_add(probing, name, "no pod may talk to another that might not before", &judgement, clock_monotonic_ms() - started);
}

/* ---- whether they are about anything ---- */

static void judge_selected(const json_t *policies, const json_t *pods, struct judgement *judgement)
{
	size_t none = 0, i;
	json_t *policy;

	json_array_foreach (policies, i, policy) {
		auto_free char *name = judge_name("NetworkPolicy", json_text_at(policy, "metadata", "namespace", NULL),
			json_text_at(policy, "metadata", "name", NULL));

		if (matrix_selected(policy, pods))
			continue;
		none++;
		judge_note(judgement, "%s selects no pod of the %zu templates there", name, json_array_size(pods));
	}
	if (!none) {
		judge_say(judgement, VERDICT_PASS, "each selects pods");
		return;
	}
	judge_say(judgement, VERDICT_CHANGED, "%zu of %zu select no pod", none, json_array_size(policies));
	judge_reason(judgement, "a finding: it may be about pods of other kinds than Deployment and LeaderWorkerSet, or about none");
}

void probe_policies(struct probing *probing)
{
	auto_json json_t *policies = policies_before(probing->look->settings.snapshot);
	auto_json json_t *pods = pods_of(probing->look);
	auto_judgement struct judgement judgement = JUDGEMENT_INIT;
	auto_free char *name = count_text(policies);
	int64_t started = clock_monotonic_ms();

	if (!json_array_size(policies))
		return;
	if (json_array_size(pods)) {
		judge_selected(policies, pods, &judgement);
	} else {
		judge_say(&judgement, VERDICT_NOT_TESTED, "no pods are known");
		judge_reason(&judgement, "no Deployment or LeaderWorkerSet was looked at");
	}
	probing_add(probing, name, "each selects pods", &judgement, clock_monotonic_ms() - started);
}

/* ---- what really passes ---- */

/* The last lines of what the operator's own program printed. */
static void note_output(struct judgement *judgement, const struct strbuf *output)
{
	auto_free char *copy = xstrdup(output->buf);
	auto_strlist struct strlist lines = STRLIST_INIT;
	char *rest = copy, *line;

	while ((line = strsep(&rest, "\n")))
		if (*line)
			strlist_add(&lines, line);
	for (size_t i = lines.count > COMMAND_LINES ? lines.count - COMMAND_LINES : 0; i < lines.count; i++) {
		auto_free char *safe = judge_safe(lines.items[i]);

		judge_note(judgement, "%s", safe);
	}
}

static void run_command(const struct strlist *command, struct judgement *judgement)
{
	auto_free const char **argv = xcalloc(command->count + 1, sizeof(*argv));
	auto_strbuf struct strbuf output = STRBUF_INIT;
	struct error err = ERROR_INIT;
	struct process process = {.timeout_ms = COMMAND_MS, .max_output = COMMAND_OUTPUT_MAX};

	for (size_t i = 0; i < command->count; i++)
		argv[i] = command->items[i];
	process.argv = argv;
	if (process_run(&process, &output, &err) == 0) {
		judge_say(judgement, VERDICT_PASS, "the probe command says so");
	} else {
		auto_free char *safe = judge_safe(err.text);

		judge_say(judgement, VERDICT_FAIL, "%s", safe);
		judge_reason(judgement, "the probe command failed");
	}
	note_output(judgement, &output);
}

void probe_isolation(struct probing *probing)
{
	const struct serving_settings *serving = probing->look->settings.serving;
	auto_json json_t *policies = policies_before(probing->look->settings.snapshot);
	auto_judgement struct judgement judgement = JUDGEMENT_INIT;
	auto_free char *name = count_text(policies);
	int64_t started = clock_monotonic_ms();

	if (serving && serving->command.count) {
		run_command(&serving->command, &judgement);
	} else if (json_array_size(policies)) {
		judge_say(&judgement, VERDICT_NOT_TESTED, "%zu in the snapshot", json_array_size(policies));
		judge_reason(&judgement,
			"isolation in the data plane needs a probe command; that the policies are there says nothing about the network");
	} else {
		return;
	}
	probing_add(probing, name, "traffic that no policy allows does not pass", &judgement, clock_monotonic_ms() - started);
}
