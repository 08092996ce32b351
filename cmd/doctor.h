/* SPDX-License-Identifier: Apache-2.0 */
/* doctor - what the files of the command share: its findings, and the checks that stand in a file of their own. */
#ifndef RHAII_CMD_DOCTOR_H
#define RHAII_CMD_DOCTOR_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct context;
struct discovery;
struct error;

struct doctor {
	struct context *ctx;
	json_t *findings;
	struct discovery *discovery;
	size_t served, not_served;
	bool rights_told; /* that reviews of rights do not work is said once */
};

/* Words of the findings. Only the last one makes the exit code 1. */
extern const char doctor_pass[], doctor_untested[], doctor_warning[], doctor_bad[];

/* hint may be NULL. */
void doctor_finding(struct doctor *d, const char *check, const char *result, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
/* With the error's own hint, where it has one. */
void doctor_finding_error(struct doctor *d, const char *check, const char *result, const char *hint, const struct error *err);
/* Add to the result; takes value. */
void doctor_tell(struct doctor *d, const char *key, json_t *value);

/* Which kinds of the policy there are, which of them a snapshot may list, at which versions they are stored, and what it may note besides. */
void doctor_kinds(struct doctor *d);

#endif
