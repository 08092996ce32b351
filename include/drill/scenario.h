/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scenario - what is rehearsed, from a file:
 *
 *   scenarios:
 *   - name: newest                          a DNS-1123 label; in the record
 *   - name: last-week
 *     snapshot: "@{2026-11-13T00:00Z}"      a revision; without it the newest one of the branch
 *   - name: each-of-three
 *     last: 3                               a drill with each of the last 3 snapshots, newest first
 *   - name: half
 *     only: [kind=llmisvc,ns=prod]          as the options of a restore: only, map-namespace, map-gateway, map-cidr, map-host, wait, rto
 *     map-host: ["*.prod.example=*.dr.example"]
 *     phases: {create-cluster: {run: [./other.sh]}}     in place of those of the configuration, relative to the file of the scenarios
 */
#ifndef RHAII_DRILL_SCENARIO_H
#define RHAII_DRILL_SCENARIO_H

#include <stddef.h>
#include <stdint.h>

#include "restore/mapping.h"
#include "restore/recovery.h"
#include "restore/select.h"

struct error;

struct scenario {
	char *name;
	char *snapshot; /* NULL: the newest */
	size_t last;    /* 0: only that one */
	struct selection selection;
	struct mapping mapping;
	int64_t wait_ms, rto_ms;  /* -1: as said elsewhere */
	struct recovery recovery; /* directory NULL: as said elsewhere */
};

struct scenarios {
	struct scenario *items;
	size_t count, cap;
};

/* ERR_USAGE, with the key at fault. */
int scenarios_read(struct scenarios *out, const char *path, struct error *err);
void scenarios_release(struct scenarios *scenarios);

#endif
