/* SPDX-License-Identifier: Apache-2.0 */
#include "util/log.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"
#include "util/text.h"

static struct log_settings current = {.level = LOG_INFO};

static const struct {
	const char *name, *prefix;
} levels[] = {
	[LOG_ERROR] = {"error", "rhaii-dr: error: "},
	[LOG_WARNING] = {"warning", "rhaii-dr: warning: "},
	[LOG_INFO] = {"info", "rhaii-dr: "},
	[LOG_DEBUG] = {"debug", "rhaii-dr: debug: "},
};

void log_setup(const struct log_settings *settings)
{
	current = *settings;
}

/* One write a line, so that lines of several processes do not mix. When stderr is gone there is nobody left to tell. */
static void put(const struct strbuf *line)
{
	size_t done = 0;

	while (done < line->len) {
		ssize_t written = write(STDERR_FILENO, line->buf + done, line->len - done);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return;
		done += (size_t)written;
	}
}

static void format_json(enum log_level level, const char *message, struct strbuf *line)
{
	char when[CLOCK_TEXT_SIZE];
	auto_json json_t *event = json_object();

	json_object_set_new(event, "time", json_string(clock_format(clock_now(), when)));
	json_object_set_new(event, "level", json_string(levels[level].name));
	json_object_set_new(event, "message", json_string(message));
	json_write(event, line);
}

__attribute__((format(printf, 2, 0))) static void emit(enum log_level level, const char *fmt, va_list args)
{
	int saved = errno;
	auto_strbuf struct strbuf safe = STRBUF_INIT;
	auto_strbuf struct strbuf line = STRBUF_INIT;
	auto_free char *message = NULL;
	int len;

	if (level > current.level)
		return;
	len = vasprintf(&message, fmt, args);
	if (len < 0) {
		message = NULL;
		return;
	}
	text_escape(&safe, message, (size_t)len, 0);
	if (current.json) {
		format_json(level, safe.buf, &line);
	} else {
		strbuf_adds(&line, levels[level].prefix);
		strbuf_add(&line, safe.buf, safe.len);
	}
	strbuf_addc(&line, '\n');
	put(&line);
	errno = saved;
}

#define DEFINE_LEVEL(function, level)                                                                                                      \
	void function(const char *fmt, ...)                                                                                                \
	{                                                                                                                                  \
		va_list args;                                                                                                              \
                                                                                                                                           \
		va_start(args, fmt);                                                                                                       \
		emit(level, fmt, args);                                                                                                    \
		va_end(args);                                                                                                              \
	}

DEFINE_LEVEL(log_error, LOG_ERROR)
DEFINE_LEVEL(log_warning, LOG_WARNING)
DEFINE_LEVEL(log_info, LOG_INFO)
DEFINE_LEVEL(log_debug, LOG_DEBUG)
