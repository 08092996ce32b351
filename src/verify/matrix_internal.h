/* SPDX-License-Identifier: Apache-2.0 */
/*
 * matrix_internal - what the files of the matrix share.
 *
 *   matrix.c          the edges of each side, and what differs
 *   matrix_places.c   the pods, namespaces and addresses that policies tell apart
 *   matrix_ports.c    the ports that they tell apart
 */
#ifndef RHAII_VERIFY_MATRIX_INTERNAL_H
#define RHAII_VERIFY_MATRIX_INTERNAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "util/cidr.h"
#include "util/mem.h"
#include "verify/matrix.h"

struct strbuf;

enum matrix_when { BEFORE, AFTER, WHEN_COUNT };
enum matrix_way { INGRESS, EGRESS, WAY_COUNT };

struct matrix_words {
	const char *name, *rules, *peers; /* "Ingress": spec.ingress[].from[] */
};
extern const struct matrix_words matrix_ways[WAY_COUNT];

/* Call fn for each peer of each rule of each policy of both sides, and once with a peer of NULL for each rule. */
typedef void (*matrix_rule_fn)(const json_t *policy, const json_t *rule, const json_t *peer, void *arg);
void matrix_each_rule(const struct matrix_side sides[WHEN_COUNT], matrix_rule_fn fn, void *arg);

/* ---- ports ---- */

/* Ports that no policy tells apart; name: a port known by nothing else. */
struct port_atom {
	const char *protocol, *name;
	unsigned from, to;
};

struct matrix_ports {
	struct port_atom *atoms;
	size_t count, cap;
};

/* A set of ports: one byte an atom, 1 or 0. */
typedef unsigned char portset;

void ports_collect(struct matrix_ports *ports, const struct matrix_side sides[WHEN_COUNT], const json_t *pods);
/* Add what a rule lets through to a pod with these named ports (NULL: not known). */
void ports_add_rule(const struct matrix_ports *ports, const json_t *rule, const json_t *named, portset *set);
void ports_add_all(const struct matrix_ports *ports, portset *set);
/* What both let through. A named port that only one of them names may be one of the other's numbers. */
void ports_meet(const struct matrix_ports *ports, const portset *in, const portset *out, portset *both);
/* Append "port 8080, UDP ports 1-99". */
void ports_text(const struct matrix_ports *ports, const portset *set, struct strbuf *out);

/* ---- places ---- */

enum place_kind { PLACE_POD, PLACE_OUTSIDE, PLACE_ADDRESS };

struct place {
	enum place_kind kind;
	char *namespace_;           /* of PLACE_POD */
	json_t *spaces[WHEN_COUNT]; /* labels of its namespace */
	json_t *labels, *ports;     /* of the pod */
	struct cidr address;
	bool changed; /* the policies or the labels of its namespace are not what they were */
	char *text;   /* for people */
};

struct matrix_places {
	struct place *items;
	size_t count, cap;
};

void places_collect(struct matrix_places *places, const struct matrix_side sides[WHEN_COUNT], const json_t *pods);
void places_release(struct matrix_places *places);

#endif
