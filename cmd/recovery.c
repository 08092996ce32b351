/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery.h"

#include "command.h"
#include "restore/marks.h"
#include "restore/phases.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/json.h"
#include "util/log.h"

/* What was said on the command line. */
static int take_options(const struct settings *settings, struct phases *clock, struct error *err)
{
	if (settings->since && phases_since(&clock->declared_at, settings->since, err) < 0)
		return error_wrap(err, "option '--since'");
	for (size_t i = 0; i < settings->phases.count; i++)
		if (phases_declare(clock, settings->phases.items[i], err) < 0)
			return error_wrap(err, "option '--phase'");
	return 0;
}

/* A clock that nobody thinks of any more must not count, and neither be passed over in silence. */
static bool is_usable(const json_t *marks)
{
	enum marks_state state = marks_state(marks);
	char when[CLOCK_TEXT_SIZE];

	clock_format((time_t)(marks_declared_at(marks) / 1000), when);
	if (state == MARKS_RUNNING)
		log_info("the clock that runs since %s is used", when);
	else if (state == MARKS_STOPPED)
		log_debug("the clock of %s was stopped: it is not used", when);
	else
		log_warning("the clock that runs since %s is older than a day: it is not used", when);
	return state == MARKS_RUNNING;
}

/* Without one that can be read there is none. */
static bool take_marks(struct phases *clock)
{
	auto_json json_t *marks = NULL;
	struct error why = ERROR_INIT;
	bool usable;

	if (marks_load(&marks, &why) < 0) {
		if (why.code == ERR_INTEGRITY)
			log_warning("the clock is not used: %s", why.text);
		return false;
	}
	usable = is_usable(marks);
	if (usable)
		marks_take(marks, clock);
	return usable;
}

int recovery_clock(const struct context *ctx, struct phases *clock, bool *marked, struct error *err)
{
	if (take_options(&ctx->settings, clock, err) < 0)
		return -1;
	*marked = take_marks(clock);
	recovery_assume(&ctx->settings.recovery, clock);
	return 0;
}

static void tell(int rc, const struct error *why)
{
	if (rc < 0)
		log_warning("the clock is not told of the restore: %s", why->text);
}

void recovery_mark_begin(void)
{
	struct error why = ERROR_INIT;

	tell(marks_restore_began(&why), &why);
}

void recovery_mark_end(const struct phases *clock)
{
	struct error why = ERROR_INIT;

	tell(marks_restore_ended(clock, &why), &why);
}
