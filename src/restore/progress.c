/* SPDX-License-Identifier: Apache-2.0 */
/* What a restore is at, for those who wait for it: a line now and then, once it lasts. */
#include "internal.h"
#include "policy/policy.h"
#include "restore/restore.h"
#include "util/clock.h"
#include "util/log.h"

/* Of the objects that this restore sends, in all and of one wave. */
struct counts {
	size_t wave; /* the first that is not done */
	size_t all, done;
	size_t wave_all, wave_done;
};

static bool is_sent(const struct action *action)
{
	return action->kind < ACTION_SKIP && action->result != RESULT_BLOCKED;
}

static void count_all(const struct restore *restore, struct counts *counts)
{
	bool found = false;

	*counts = (struct counts){0};
	for (size_t i = 0; i < restore->action_count; i++) {
		const struct action *action = &restore->actions[i];

		if (!is_sent(action))
			continue;
		counts->all++;
		counts->done += action->result != RESULT_NONE;
		if (!found && action->result == RESULT_NONE) {
			found = true;
			counts->wave = action->wave;
		}
	}
	for (size_t i = 0; found && i < restore->action_count; i++) {
		const struct action *action = &restore->actions[i];

		if (!is_sent(action) || action->wave != counts->wave)
			continue;
		counts->wave_all++;
		counts->wave_done += action->result != RESULT_NONE;
	}
}

bool progress_text(struct restore *restore, int64_t now, struct strbuf *out)
{
	struct progress *progress = &restore->progress;
	const struct policy_wave *wave;
	char since[CLOCK_TEXT_SIZE];
	struct counts counts;

	if (progress->start && now < progress->next)
		return false;
	progress->next = now + restore->patience.tell;
	count_all(restore, &counts);
	if (!progress->start) {
		progress->start = now;
		progress->done = counts.done;
		return false;
	}
	if (counts.wave_all == 0)
		return false;
	wave = &restore->policy->waves[counts.wave];
	clock_format_duration(now - progress->start, since);
	if (wave->gate != GATE_NONE && restore->wave_times[counts.wave].gate_ms < 0)
		strbuf_addf(out, "waiting for the gate %s of wave '%s'", report_gate_name(wave->gate), wave->name);
	else
		strbuf_addf(out, "wave '%s': %zu of %zu objects", wave->name, counts.wave_done, counts.wave_all);
	strbuf_addf(out, "; %zu of %zu in all, %.3g a second for %s", counts.done, counts.all,
		(double)(counts.done - progress->done) * 1000 / (double)(now - progress->start), since);
	return true;
}

void progress_tell(struct restore *restore)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;

	if (restore->phases->running[PHASE_APPLY].monotonic && progress_text(restore, clock_monotonic_ms(), &text))
		log_info("%s", text.buf);
}
