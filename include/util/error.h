/* SPDX-License-Identifier: Apache-2.0 */
/*
 * error - what went wrong, said once.
 *
 * A function that can fail returns 0 or -1 (or NULL) and fills the struct error that its caller passes last, never NULL. The text is
 * set where the fault is seen (error_set), given its subject once a layer (error_wrap) and printed once, by main. Lower case, fault
 * first, subject in single quotes; the next step goes into the hint.
 *
 * The first eleven codes are the exit codes of design.md section 7 (include/util/outcome.h); the others are for callers that decide.
 */
#ifndef RHAII_UTIL_ERROR_H
#define RHAII_UTIL_ERROR_H

#include <stdbool.h>

enum error_code {
	ERR_NONE = 0,
	ERR_FAILED = 1,
	ERR_USAGE = 2,
	ERR_PARTIAL = 3,
	ERR_OBJECTIVE = 4, /* RTO or RPO missed */
	ERR_VERIFY = 5,
	ERR_INTEGRITY = 6,
	ERR_NOT_READY = 7,
	ERR_INTERRUPTED = 8,
	ERR_GUARD = 9,
	ERR_LOCKED = 10,

	/* Decided on by a caller; main maps what is left of them to ERR_FAILED. */
	ERR_NOT_FOUND = 64,
	ERR_EXISTS,       /* API: 409 AlreadyExists */
	ERR_CONFLICT,     /* API: 409 Conflict */
	ERR_FORBIDDEN,    /* API: 403 */
	ERR_UNAUTHORIZED, /* API: 401 */
	ERR_GONE,         /* API: 410 */
	ERR_REJECTED,     /* API: 400, 422 and other 4xx: will never pass as it is */
	ERR_UNAVAILABLE,  /* 429, 5xx, reset, time-out: may pass later */
	ERR_SYNTAX,       /* text that could not be parsed */
};

struct error {
	enum error_code code;
	char text[4096];
	char hint[512];
};

#define ERROR_INIT                                                                                                                         \
	{                                                                                                                                  \
		.code = ERR_NONE                                                                                                           \
	}

/* Fill err (replacing what was there, hint included) and return -1, so that a caller can `return error_set(...)`. Cut, never overrun. */
int error_set(struct error *err, enum error_code code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* As error_set, with ": " and strerror(errno_value) at the end. */
int error_errno(struct error *err, int errno_value, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Put "<subject>: " before the text; return -1. */
int error_wrap(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Set the next step to take; return -1. The first hint set stays: it is the nearest to the fault. */
int error_hint(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Forget what is there. */
void error_clear(struct error *err);

#endif
