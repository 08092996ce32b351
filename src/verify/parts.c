/* SPDX-License-Identifier: Apache-2.0 */
/* What Ready does not tell: presets, the replicas of each workload, the address of each Gateway. */
#include <string.h>

#include "object/object.h"
#include "probing.h"
#include "store/snapshot.h"
#include "util/clock.h"
#include "util/json.h"
#include "util/mem.h"
#include "verify/children.h"
#include "verify/judge.h"
#include "verify/look.h"

/* A preset that is not there fails where all else is the installation of the source; another release has others. */
static void judge_preset(const json_t *preset, bool others, struct judgement *judgement)
{
	static const struct {
		const char *result;
		enum verdict verdict;
		const char *observed, *reason;
	} rows[] = {
		{"same", VERDICT_PASS, "as on the source", NULL},
		{"other", VERDICT_CHANGED, "there, with other content", "another installation"},
		{"missing", VERDICT_FAIL, "not there", "missing"},
		{"not looked at", VERDICT_NOT_TESTED, "not looked at", NULL},
	};
	const char *result = json_text_at(preset, "result", NULL), *why = json_text_at(preset, "reason", NULL);

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		bool other = rows[i].verdict == VERDICT_FAIL && others;

		if (strcmp(rows[i].result, result ? result : "") != 0)
			continue;
		judge_say(judgement, other ? VERDICT_CHANGED : rows[i].verdict, "%s", rows[i].observed);
		if (other || rows[i].reason || why)
			judge_reason(judgement, "%s", other ? "another installation" : rows[i].reason ? rows[i].reason : why);
	}
}

void probe_presets(struct probing *probing)
{
	const json_t *presets = probing->look->installation.presets, *preset;
	bool others = false;
	size_t i;

	json_array_foreach (presets, i, preset)
		others = others || !strcmp(json_text_at(preset, "result", NULL), "other");
	json_array_foreach (presets, i, preset) {
		auto_judgement struct judgement judgement = JUDGEMENT_INIT;
		int64_t started = clock_monotonic_ms();

		judge_preset(preset, others || probing->look->installation.controller_differs, &judgement);
		probing_add(probing, json_text_at(preset, "object", NULL), "there, as on the source", &judgement,
			clock_monotonic_ms() - started);
	}
}

void probe_replicas(struct probing *probing)
{
	json_t *entry;
	size_t i;

	json_array_foreach (look_generated(probing->look), i, entry) {
		auto_judgement struct judgement judgement = JUDGEMENT_INIT;
		auto_free char *name = child_name(entry);
		int64_t started = clock_monotonic_ms();

		if (!child_is_workload(entry))
			continue;
		child_judge_replicas(probing->look, entry, &judgement);
		probing_add(probing, name, "more than none, and all available", &judgement, clock_monotonic_ms() - started);
	}
}

void probe_gateways(struct probing *probing)
{
	const struct snapshot *snapshot = probing->look->settings.snapshot;

	for (size_t i = 0; i < snapshot->object_count; i++) {
		const struct object *object = snapshot->objects[i];
		const json_t *live = look_object(probing->look, object);
		auto_judgement struct judgement judgement = JUDGEMENT_INIT;
		int64_t started = clock_monotonic_ms();

		if (!judge_is_gateway(object->group, object->kind))
			continue;
		if (live)
			judge_address(live, &judgement);
		else
			judge_say(&judgement, VERDICT_NOT_TESTED, "not looked at");
		if (!live)
			judge_reason(&judgement, "the object is not there, or was not looked at");
		probing_add_object(probing, object, "an address", &judgement, clock_monotonic_ms() - started);
	}
}
