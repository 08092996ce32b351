/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock - the one door to time and sleeping. RHAII_DR_TEST_TIME (seconds since the epoch) holds the wall clock still for tests.
 */
#ifndef RHAII_UTIL_CLOCK_H
#define RHAII_UTIL_CLOCK_H

#include <stdint.h>
#include <time.h>

struct error;

time_t clock_now(void);     /* wall clock, seconds */
int64_t clock_now_ms(void); /* the same in milliseconds */
int64_t clock_monotonic_ms(void);
void clock_sleep_ms(int64_t ms); /* goes on after signals */

#define CLOCK_TEXT_SIZE 32
/* RFC 3339 in UTC, "2026-11-20T14:00:00Z"; buf has CLOCK_TEXT_SIZE bytes; returns buf. */
const char *clock_format(time_t when, char *buf);
/* "20261120T140000Z", for file names. */
const char *clock_format_compact(time_t when, char *buf);
/* RFC 3339 with Z or an offset; seconds may be left out, fractions are dropped. ERR_SYNTAX. */
int clock_parse(const char *text, time_t *out, struct error *err);
/* "90s", "30m", "1h30m", "0", "500ms": milliseconds. A bare number other than 0 is ERR_SYNTAX. */
int clock_parse_duration(const char *text, int64_t *ms, struct error *err);
/* "1m 23.4s", "30m" or "0.8s"; buf has CLOCK_TEXT_SIZE bytes. */
const char *clock_format_duration(int64_t ms, char *buf);

#endif
