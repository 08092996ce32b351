/* SPDX-License-Identifier: Apache-2.0 */
/* rules - the rules of a mapping, read: what a name, a host or a net becomes. */
#ifndef RHAII_RESTORE_RULES_H
#define RHAII_RESTORE_RULES_H

#include <stddef.h>

#include "restore/mapping.h"
#include "util/cidr.h"
#include "util/strbuf.h"

struct rule {
	enum mapping_kind kind;
	char *from, *to;
	struct cidr net, new_net; /* of a MAP_CIDR */
	size_t used;              /* fields changed by it */
};

struct rules {
	struct rule *items;
	size_t count;
};

extern const char *const rule_kind_names[MAP_COUNT]; /* "namespace": also of the option --map-namespace */

/* ERR_USAGE, naming the option. */
int rules_read(struct rules *out, const struct mapping *mapping, struct error *err);
void rules_release(struct rules *rules);

/* The rule for exactly this, or NULL. */
struct rule *rules_find(const struct rules *rules, enum mapping_kind kind, const char *from);
/* The rule for a host, and into out what it becomes. */
struct rule *rules_host(const struct rules *rules, const char *host, struct strbuf *out);
/*
 * The rule for a net, and into *out what it becomes. NULL with err untouched: none fits; NULL with ERR_USAGE: it lies in one that is mapped to a net of another size.
 */
struct rule *rules_net(const struct rules *rules, const struct cidr *net, struct cidr *out, struct error *err);

#endif
