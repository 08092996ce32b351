/* SPDX-License-Identifier: Apache-2.0 */
#include "restore/phases.h"

#include "util/clock.h"

static const char *const phase_names[PHASE_COUNT] = {
	[PHASE_DECLARE] = "declare",
	[PHASE_CREATE_CLUSTER] = "create-cluster",
	[PHASE_INSTALL_OPERATORS] = "install-operators",
	[PHASE_SECRETS] = "secrets",
	[PHASE_FETCH] = "fetch",
	[PHASE_PREFLIGHT] = "preflight",
	[PHASE_APPLY] = "apply",
	[PHASE_CONVERGE] = "converge",
	[PHASE_VERIFY] = "verify",
	[PHASE_CUTOVER] = "cutover",
};

void phases_init(struct phases *phases, int64_t rto_ms)
{
	*phases = (struct phases){.rto_ms = rto_ms};
	for (int i = 0; i < PHASE_COUNT; i++)
		phases->spent[i] = -1;
}

void phase_start(struct phases *phases, enum phase phase)
{
	phases->started[phase] = clock_monotonic_ms();
}

void phase_stop(struct phases *phases, enum phase phase)
{
	int64_t spent = clock_monotonic_ms() - phases->started[phase];

	phases->spent[phase] = phases->spent[phase] < 0 ? spent : phases->spent[phase] + spent;
}

const char *phase_name(enum phase phase)
{
	return phase_names[phase];
}

int64_t phases_known_ms(const struct phases *phases)
{
	int64_t sum = phases->idle_ms;

	for (int i = 0; i < PHASE_COUNT; i++)
		sum += phases->spent[i] > 0 ? phases->spent[i] : 0;
	return sum;
}

int phases_missed(const struct phases *phases)
{
	return phases_known_ms(phases) > phases->rto_ms;
}

json_t *phases_json(const struct phases *phases)
{
	json_t *list = json_array(), *missing = json_array();
	int64_t known = phases_known_ms(phases);

	for (int i = 0; i < PHASE_COUNT; i++) {
		bool measured = phases->spent[i] >= 0;

		json_array_append_new(list,
			json_pack("{s:s, s:o, s:s}", "name", phase_names[i], "milliseconds",
				measured ? json_integer(phases->spent[i]) : json_null(), "how", measured ? "measured" : "not measured"));
		if (!measured)
			json_array_append_new(missing, json_string(phase_names[i]));
	}
	const char *verdict = phases_missed(phases) ? "missed" : json_array_size(missing) ? "at least" : "met";

	return json_pack("{s:o, s:{s:I, s:I, s:I, s:I, s:s, s:o}}", "phases", list, "rto", "targetMilliseconds", (json_int_t)phases->rto_ms,
		"knownMilliseconds", (json_int_t)known, "interruptedMilliseconds", (json_int_t)phases->idle_ms, "marginMilliseconds",
		(json_int_t)(phases->rto_ms - known), "verdict", verdict, "missing", missing);
}
