/* SPDX-License-Identifier: Apache-2.0 */
#include "util/clock.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/env.h"
#include "util/error.h"

/* Whether a test holds the wall clock still, and where. */
static bool is_held(long long *seconds)
{
	const char *held = env_get("RHAII_DR_TEST_TIME");
	char *end;

	if (!held)
		return false;
	errno = 0;
	*seconds = strtoll(held, &end, 10);
	return errno == 0 && *end == '\0';
}

time_t clock_now(void)
{
	long long seconds;

	return is_held(&seconds) ? (time_t)seconds : time(NULL);
}

int64_t clock_now_ms(void)
{
	struct timespec now;
	long long seconds;

	if (is_held(&seconds))
		return (int64_t)seconds * 1000;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void clock_sleep_ms(int64_t ms)
{
	struct timespec until;

	if (ms <= 0)
		return;
	/* An absolute end, so that signals neither shorten nor stretch the sleep. */
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(ms / 1000);
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
		;
}

static const char *format_utc(time_t when, char *buf, int compact)
{
	struct tm tm;
	size_t len = 0;

	if (gmtime_r(&when, &tm) && compact)
		len = strftime(buf, CLOCK_TEXT_SIZE, "%Y%m%dT%H%M%SZ", &tm);
	else if (gmtime_r(&when, &tm))
		len = strftime(buf, CLOCK_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm);
	buf[len] = '\0';
	return buf;
}

const char *clock_format(time_t when, char *buf)
{
	return format_utc(when, buf, 0);
}

const char *clock_format_compact(time_t when, char *buf)
{
	return format_utc(when, buf, 1);
}

/* Read exactly count digits and the byte after them (0: none); false when they are not there. */
static bool take_digits(const char **at, int count, char after, int *out)
{
	*out = 0;
	for (int i = 0; i < count; i++, (*at)++) {
		if (!isdigit((unsigned char)**at))
			return false;
		*out = *out * 10 + (**at - '0');
	}
	if (!after)
		return true;
	if (toupper((unsigned char)**at) != after)
		return false;
	(*at)++;
	return true;
}

/* ":SS" and ".fraction", both may be missing. */
static bool take_seconds(const char **at, int *seconds)
{
	*seconds = 0;
	if (**at != ':')
		return true;
	(*at)++;
	if (!take_digits(at, 2, 0, seconds))
		return false;
	if (**at != '.')
		return true;
	if (!isdigit((unsigned char)*++(*at)))
		return false;
	while (isdigit((unsigned char)**at))
		(*at)++;
	return true;
}

/* "Z" or "+HH:MM": minutes east of UTC. */
static bool take_offset(const char **at, int *minutes)
{
	int sign = **at == '-' ? -1 : 1;
	int hour, minute;

	*minutes = 0;
	if (**at == 'Z' || **at == 'z') {
		(*at)++;
		return true;
	}
	if (**at != '+' && **at != '-')
		return false;
	(*at)++;
	if (!take_digits(at, 2, ':', &hour) || !take_digits(at, 2, 0, &minute) || hour > 23 || minute > 59)
		return false;
	*minutes = sign * (hour * 60 + minute);
	return true;
}

static bool in_range(const struct tm *tm)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int year = tm->tm_year + 1900;
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	if (tm->tm_mon < 0 || tm->tm_mon > 11 || tm->tm_mday < 1)
		return false;
	if (tm->tm_mday > days[tm->tm_mon] + (leap && tm->tm_mon == 1))
		return false;
	/* 60 is a leap second, and counts as the second after it. */
	return tm->tm_hour <= 23 && tm->tm_min <= 59 && tm->tm_sec <= 60;
}

int clock_parse(const char *text, time_t *out, struct error *err)
{
	struct tm tm = {0};
	const char *at = text;
	int offset;

	if (!take_digits(&at, 4, '-', &tm.tm_year) || !take_digits(&at, 2, '-', &tm.tm_mon) || !take_digits(&at, 2, 'T', &tm.tm_mday) ||
		!take_digits(&at, 2, ':', &tm.tm_hour) || !take_digits(&at, 2, 0, &tm.tm_min) || !take_seconds(&at, &tm.tm_sec) ||
		!take_offset(&at, &offset) || *at)
		return error_set(err, ERR_SYNTAX, "not a time: '%s' (want 2026-11-20T14:00:00Z)", text);
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	if (!in_range(&tm))
		return error_set(err, ERR_SYNTAX, "no such time: '%s'", text);
	*out = timegm(&tm) - (time_t)offset * 60;
	return 0;
}

static const struct {
	const char *unit;
	int64_t ms;
} units[] = {{"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};

/* The unit at the start of text, -1 when there is none. "ms" is not the unit "m": letters are taken as far as they go. */
static int find_unit(const char *text, size_t *len)
{
	*len = strspn(text, "abcdefghijklmnopqrstuvwxyz");
	for (int i = 0; i < (int)(sizeof(units) / sizeof(units[0])); i++)
		if (strlen(units[i].unit) == *len && strncmp(units[i].unit, text, *len) == 0)
			return i;
	return -1;
}

int clock_parse_duration(const char *text, int64_t *ms, struct error *err)
{
	const char *at = text;
	int last = -1;

	*ms = 0;
	if (strcmp(text, "0") == 0)
		return 0;
	do {
		char *end;
		size_t len;
		int64_t value;
		int unit;

		errno = 0;
		value = isdigit((unsigned char)*at) ? (int64_t)strtoll(at, &end, 10) : -1;
		/* Units go from large to small, each once: "30m30m" is a slip, not an hour. */
		if (value < 0 || errno || (unit = find_unit(end, &len)) <= last || __builtin_mul_overflow(value, units[unit].ms, &value) ||
			__builtin_add_overflow(*ms, value, ms))
			return error_set(err, ERR_SYNTAX, "not a duration: '%s' (want for example 90s, 30m or 1h30m)", text);
		last = unit;
		at = end + len;
	} while (*at);
	return 0;
}

const char *clock_format_duration(int64_t ms, char *buf)
{
	uint64_t size = ms < 0 ? 0 - (uint64_t)ms : (uint64_t)ms;
	uint64_t tenths = (size + 50) / 100;
	uint64_t hours = tenths / 36000;
	unsigned minutes = (unsigned)(tenths / 600 % 60);
	unsigned rest = (unsigned)(tenths % 600);
	const char *sign = ms < 0 ? "-" : "";
	char seconds[sizeof(" 59.9s")] = "";

	if (rest || tenths < 600)
		(void)snprintf(seconds, sizeof(seconds), "%s%u.%us", tenths < 600 ? "" : " ", rest / 10, rest % 10);
	if (hours)
		(void)snprintf(buf, CLOCK_TEXT_SIZE, "%s%" PRIu64 "h %um%s", sign, hours, minutes, seconds);
	else if (minutes)
		(void)snprintf(buf, CLOCK_TEXT_SIZE, "%s%um%s", sign, minutes, seconds);
	else
		(void)snprintf(buf, CLOCK_TEXT_SIZE, "%s%s", sign, seconds);
	return buf;
}
