/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What somebody who waits wants to know: what is done, how much is left, how long it has taken since the disaster, when it may end, and early whether that is too late.
 *
 * What is still to come is projected from the rate of this apply, and for the phases behind it from what is assumed or was measured before; what nobody knows is named and not guessed.
 */
#include <stdlib.h>

#include "internal.h"
#include "policy/policy.h"
#include "restore/restore.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/strbuf.h"

#define TELL_MS 15000
/* A rate of fewer actions, or of less time, says nothing. */
#define SAMPLE_ACTIONS 10
#define SAMPLE_MS 1000
#define TOLD_MAX 200

/* What is to come, by phase; -1: nobody knows. */
struct outlook {
	int64_t left[PHASE_CLEANUP];
	int64_t sum;
	enum phase longest;
};

static bool is_running(const struct restore *restore, enum phase phase)
{
	return restore->phases->running[phase].monotonic > 0;
}

static int64_t elapsed(const struct restore *restore, enum phase phase)
{
	return restore->phases->last.monotonic - restore->phases->running[phase].monotonic;
}

static size_t actions_left(const struct restore *restore, const struct action **next)
{
	size_t left = 0;

	*next = NULL;
	for (size_t i = 0; i < restore->action_count; i++) {
		const struct action *action = &restore->actions[i];

		if (action->result != RESULT_NONE || action->kind >= ACTION_SKIP)
			continue;
		*next = *next ? *next : action;
		left++;
	}
	return left;
}

/* At the rate so far; -1 where that says nothing yet. */
static int64_t apply_left(struct restore *restore)
{
	const struct action *next;
	size_t left = actions_left(restore, &next), done;

	if (!is_running(restore, PHASE_APPLY))
		return left ? -1 : 0;
	restore->apply_total = restore->apply_total ? restore->apply_total : left;
	done = restore->apply_total - left;
	if (left && (done < SAMPLE_ACTIONS || elapsed(restore, PHASE_APPLY) < SAMPLE_MS))
		return -1;
	return left ? (int64_t)left * elapsed(restore, PHASE_APPLY) / (int64_t)done : 0;
}

/* Assumed, or as it was the last time; -1: neither. */
static int64_t expected_ms(const struct restore *restore, enum phase phase)
{
	const struct phase_time *time = &restore->phases->of[phase];

	if (time->how == PHASE_NOT_APPLICABLE)
		return 0;
	if (time->source != BY_TOOL && time->ms >= 0)
		return time->ended ? 0 : time->ms;
	return restore->settings->expected_ms[phase] > 0 ? restore->settings->expected_ms[phase] : -1;
}

static int64_t phase_left(struct restore *restore, enum phase phase)
{
	int64_t expected = expected_ms(restore, phase);

	if (phase == PHASE_APPLY)
		return apply_left(restore);
	if (phase != PHASE_CUTOVER && restore->settings->wait_ms == 0)
		return 0;
	if (!is_running(restore, phase))
		return restore->phases->of[phase].source == BY_TOOL ? 0 : expected;
	/* One that has taken longer than it should is over when it is over. */
	return expected > elapsed(restore, phase) ? expected - elapsed(restore, phase) : -1;
}

static void look_ahead(struct restore *restore, struct outlook *out)
{
	*out = (struct outlook){.longest = PHASE_APPLY};
	for (int i = PHASE_APPLY; i < PHASE_CLEANUP; i++) {
		out->left[i] = phase_left(restore, (enum phase)i);
		out->sum += out->left[i] > 0 ? out->left[i] : 0;
		if (out->left[i] > out->left[out->longest])
			out->longest = (enum phase)i;
	}
}

/* ---- words ---- */

static void tell_apply(const struct restore *restore, struct strbuf *text)
{
	const struct action *next;
	size_t left = actions_left(restore, &next), total = restore->apply_total, done = total > left ? total - left : 0;
	int64_t ms = elapsed(restore, PHASE_APPLY);

	if (!next)
		return;
	strbuf_addf(text, "wave %s, %zu of %zu done", restore->policy->waves[next->wave].name, done, total);
	if (done && ms >= SAMPLE_MS)
		strbuf_addf(text, ", %.1f a second", (double)done * 1000 / (double)ms);
}

static void tell_converge(const struct restore *restore, struct strbuf *text)
{
	char waited[CLOCK_TEXT_SIZE];

	strbuf_addf(text, "waiting for %s, for %s now", restore->awaited ? restore->awaited : "the first look",
		clock_format_duration(elapsed(restore, PHASE_CONVERGE), waited));
}

/* "; 3m gone, 27m left of the RTO, end expected 4m from now without converge" */
static void tell_time(const struct restore *restore, const struct outlook *outlook, int64_t gone, struct strbuf *text)
{
	char first[CLOCK_TEXT_SIZE], second[CLOCK_TEXT_SIZE], third[CLOCK_TEXT_SIZE];
	int64_t left = restore->phases->rto_ms - gone;
	const char *word = ", not counting ";

	strbuf_addf(text, "; %s gone, %s %s", clock_format_duration(gone, first), clock_format_duration(left < 0 ? -left : left, second),
		left < 0 ? "over the RTO" : "left of the RTO");
	strbuf_addf(text, ", end expected in %s", clock_format_duration(outlook->sum, third));
	for (int i = PHASE_APPLY; i < PHASE_CLEANUP; i++)
		if (outlook->left[i] < 0) {
			strbuf_addf(text, "%s%s", word, phase_name((enum phase)i));
			word = ", ";
		}
}

/* As early as it is known, and again when the phase that is to blame is another. */
static void warn_early(struct restore *restore, const struct outlook *outlook, int64_t gone)
{
	int64_t over = gone + outlook->sum - restore->phases->rto_ms;
	enum phase phase = outlook->longest;
	char by[CLOCK_TEXT_SIZE], needs[CLOCK_TEXT_SIZE];

	if (over <= 0 || restore->warned == (int)phase + 1)
		return;
	restore->warned = (int)phase + 1;
	clock_format_duration(over, by);
	if (gone > restore->phases->rto_ms)
		log_warning("the RTO is missed already, by %s so far", by);
	else if (phase == PHASE_CONVERGE && restore->awaited)
		log_warning("will miss the RTO by %s: converge needs %s more, for %s", by,
			clock_format_duration(outlook->left[phase], needs), restore->awaited);
	else
		log_warning("will miss the RTO by %s: %s needs %s more", by, phase_name(phase),
			clock_format_duration(outlook->left[phase], needs));
}

void progress_await(struct restore *restore, size_t count, const char *text)
{
	free(restore->awaited);
	restore->awaited = xasprintf("%zu: %.*s", count, TOLD_MAX, text);
}

void progress_tell(struct restore *restore)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	struct outlook outlook;
	int64_t now = clock_monotonic_ms(), gone;

	if (now < restore->tell_at)
		return;
	/* The first look only sets the pace: what is over by the next one needs no words. */
	phases_tick(restore->phases);
	look_ahead(restore, &outlook);
	gone = phases_gone_ms(restore->phases);
	warn_early(restore, &outlook, gone);
	if (restore->tell_at && is_running(restore, PHASE_APPLY))
		tell_apply(restore, &text);
	else if (restore->tell_at && is_running(restore, PHASE_CONVERGE))
		tell_converge(restore, &text);
	restore->tell_at = now + TELL_MS;
	if (text.len == 0)
		return;
	tell_time(restore, &outlook, gone, &text);
	log_info("%s", text.buf);
}
