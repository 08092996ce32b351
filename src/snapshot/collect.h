/* SPDX-License-Identifier: Apache-2.0 */
/*
 * collect - what a list shows becomes part of the snapshot, one item at a time. The lists themselves are collect.c's; of one item, collect_item.c decides: is it known
 * from the last capture, who made it, is it selected, and then writes it.
 */
#ifndef RHAII_SNAPSHOT_COLLECT_H
#define RHAII_SNAPSHOT_COLLECT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/strbuf.h"

struct capture;
struct capture_kind;
struct error;
struct kube_raw;

struct collect {
	struct capture *c;
	struct capture_kind *kind;
	bool again; /* listed before: what was taken then is shown again */

	/* Of the present item. */
	const struct kube_raw *raw;
	uint32_t seen;             /* its number in c->seen */
	struct strbuf key, record; /* in the cache; key is empty where it cannot be there */
};

void collect_release(struct collect *collect);
#define auto_collect __attribute__((cleanup(collect_release)))
#define COLLECT_INIT(c_, kind_, again_)                                                                                                    \
	{                                                                                                                                  \
		.c = (c_), .kind = (kind_), .again = (again_), .key = STRBUF_INIT, .record = STRBUF_INIT                                   \
	}

/* The sinks of a list (kube/list.h); arg is a struct collect. */
int collect_raw(const struct kube_raw *raw, void *arg, struct error *err);
int collect_item(json_t *item, void *arg, struct error *err);

#endif
