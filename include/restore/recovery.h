/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recovery - what the section `recovery` of the configuration says of the phases that others run.
 *
 *   recovery:
 *     source: {kubeconfig: FILE, context: NAME}     where the source can still be read, if it can
 *     phases:
 *       create-cluster: {run: [./create-cluster.sh, --zone, b], timeout: 20m, assumed: 12m}
 *       cutover: {notApplicable: "one DNS name for both clusters"}
 *
 * `run` is an argv without a shell; what has a '/' in its first word, and the kubeconfig, are relative to the directory of the configuration file, which is also where it is run. `assumed`
 * counts where nothing surer is known. A snapshot has no such section: nothing of it is ever run.
 */
#ifndef RHAII_RESTORE_RECOVERY_H
#define RHAII_RESTORE_RECOVERY_H

#include <jansson.h>
#include <stdint.h>

#include "restore/phases.h"
#include "util/mem.h"

struct error;

#define RECOVERY_TIMEOUT_MS 1800000 /* of a command, where nothing is said */

struct recovery_phase {
	struct strlist run;   /* empty: nothing is run */
	int64_t timeout_ms;   /* 0: RECOVERY_TIMEOUT_MS */
	int64_t assumed_ms;   /* -1: nothing is assumed */
	char *not_applicable; /* the reason; NULL: it applies */
};

struct recovery {
	char *directory; /* of the configuration file; NULL: the section was not there */
	char *source_kubeconfig, *source_context;
	struct recovery_phase phases[PHASE_COUNT];
};

/*
 * Read the section into *out, which is zero, or what recovery_release left. ERR_USAGE; *at, which the caller releases, is then the way of keys to the fault, from below the section.
 * `rto` and `rpo` in it are the caller's to read.
 */
int recovery_read(struct recovery *out, const json_t *section, const char *directory, struct strlist *at, struct error *err);
void recovery_release(struct recovery *recovery);

/* Take over into the clock what does not apply, and what is assumed. */
void recovery_assume(const struct recovery *recovery, struct phases *clock);

#endif
