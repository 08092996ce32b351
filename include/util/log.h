/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log - one line an event on stderr: "rhaii-dr: warning: ..." (no word for info), or {"level":..,"message":..,"time":..}. Foreign text
 * in it is escaped (text.h), so callers need not. errno stays as it was.
 */
#ifndef RHAII_UTIL_LOG_H
#define RHAII_UTIL_LOG_H

#include <stdbool.h>

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

struct log_settings {
	enum log_level level; /* LOG_INFO unless -q (LOG_ERROR) or -v (LOG_DEBUG) */
	bool json;
};

void log_setup(const struct log_settings *settings);
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
