/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "matrix_internal.h"
#include "util/json.h"
#include "util/strbuf.h"

#define PORT_MAX 65535U

static const char *const protocols[] = {"TCP", "UDP", "SCTP"};
#define PROTOCOL_COUNT (sizeof(protocols) / sizeof(*protocols))

static const char *protocol_of(const json_t *port)
{
	const char *protocol = json_text_at(port, "protocol", NULL);

	return protocol ? protocol : "TCP";
}

/* The range that an entry is about; false when it names its port. */
static bool range_of(const json_t *port, unsigned *from, unsigned *to)
{
	const json_t *number = json_object_get(port, "port"), *end = json_object_get(port, "endPort");

	if (json_is_string(number))
		return false;
	*from = json_is_integer(number) ? (unsigned)json_integer_value(number) : 1;
	*to = json_is_integer(number) ? *from : PORT_MAX;
	if (json_is_integer(end) && json_integer_value(end) > (json_int_t)*from)
		*to = (unsigned)json_integer_value(end);
	return true;
}

/* ---- which are told apart ---- */

struct cuts {
	unsigned *items[PROTOCOL_COUNT];
	size_t count[PROTOCOL_COUNT], cap[PROTOCOL_COUNT];
	struct matrix_ports *ports;
	const json_t *pods;
};

static void cut_at(struct cuts *cuts, const char *protocol, unsigned at)
{
	for (size_t p = 0; p < PROTOCOL_COUNT; p++) {
		if (strcmp(protocols[p], protocol) != 0 || at > PORT_MAX)
			continue;
		cuts->items[p] = xgrow(cuts->items[p], &cuts->cap[p], cuts->count[p] + 1, sizeof(unsigned));
		cuts->items[p][cuts->count[p]++] = at;
	}
}

static void add_atom(struct matrix_ports *ports, struct port_atom atom)
{
	for (size_t i = 0; atom.name && i < ports->count; i++)
		if (ports->atoms[i].name && !strcmp(ports->atoms[i].name, atom.name) && !strcmp(ports->atoms[i].protocol, atom.protocol))
			return;
	ports->atoms = xgrow(ports->atoms, &ports->cap, ports->count + 1, sizeof(*ports->atoms));
	ports->atoms[ports->count++] = atom;
}

static void cut_named(struct cuts *cuts, const char *protocol, const char *name)
{
	const json_t *pod;
	size_t i;

	if (!name)
		return;
	add_atom(cuts->ports, (struct port_atom){.protocol = protocol, .name = name});
	json_array_foreach (cuts->pods, i, pod) {
		json_int_t number = json_integer_value(json_at(pod, "ports", name, NULL));

		if (number <= 0 || number > PORT_MAX)
			continue;
		cut_at(cuts, protocol, (unsigned)number);
		cut_at(cuts, protocol, (unsigned)number + 1);
	}
}

static void cut_rule(const json_t *policy, const json_t *rule, const json_t *peer, void *arg)
{
	const json_t *port;
	size_t i;

	(void)policy;
	if (peer)
		return;
	json_array_foreach (json_object_get(rule, "ports"), i, port) {
		unsigned from, to;

		if (!range_of(port, &from, &to)) {
			cut_named(arg, protocol_of(port), json_text_at(port, "port", NULL));
			continue;
		}
		cut_at(arg, protocol_of(port), from);
		cut_at(arg, protocol_of(port), to + 1);
	}
}

static int compare_cuts(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return x < y ? -1 : x > y;
}

void ports_collect(struct matrix_ports *ports, const struct matrix_side sides[WHEN_COUNT], const json_t *pods)
{
	struct cuts cuts = {.ports = ports, .pods = pods};

	matrix_each_rule(sides, cut_rule, &cuts);
	for (size_t p = 0; p < PROTOCOL_COUNT; p++) {
		unsigned from = 1;

		if (cuts.count[p])
			qsort(cuts.items[p], cuts.count[p], sizeof(unsigned), compare_cuts);
		for (size_t i = 0; i < cuts.count[p]; i++) {
			if (cuts.items[p][i] <= from)
				continue;
			add_atom(ports, (struct port_atom){.protocol = protocols[p], .from = from, .to = cuts.items[p][i] - 1});
			from = cuts.items[p][i];
		}
		add_atom(ports, (struct port_atom){.protocol = protocols[p], .from = from, .to = PORT_MAX});
		free(cuts.items[p]);
	}
}

/* ---- sets of them ---- */

void ports_add_all(const struct matrix_ports *ports, portset *set)
{
	memset(set, 1, ports->count);
}

static void add_range(const struct matrix_ports *ports, const char *protocol, unsigned from, unsigned to, portset *set)
{
	bool whole = from == 1 && to == PORT_MAX;

	for (size_t i = 0; i < ports->count; i++) {
		const struct port_atom *atom = &ports->atoms[i];

		if (!strcmp(atom->protocol, protocol) && (atom->name ? whole : atom->from >= from && atom->to <= to))
			set[i] = 1;
	}
}

static void add_named(const struct matrix_ports *ports, const char *protocol, const char *name, const json_t *named, portset *set)
{
	const json_t *number = name ? json_object_get(named, name) : NULL;
	unsigned port = (unsigned)json_integer_value(number);

	if (json_is_integer(number)) {
		add_range(ports, protocol, port, port, set);
		return;
	}
	for (size_t i = 0; name && i < ports->count; i++)
		if (ports->atoms[i].name && !strcmp(ports->atoms[i].name, name) && !strcmp(ports->atoms[i].protocol, protocol))
			set[i] = 1;
}

void ports_add_rule(const struct matrix_ports *ports, const json_t *rule, const json_t *named, portset *set)
{
	const json_t *list = json_object_get(rule, "ports"), *port;
	unsigned from, to;
	size_t i;

	if (json_array_size(list) == 0)
		ports_add_all(ports, set);
	json_array_foreach (list, i, port) {
		if (range_of(port, &from, &to))
			add_range(ports, protocol_of(port), from, to, set);
		else
			add_named(ports, protocol_of(port), json_text_at(port, "port", NULL), named, set);
	}
}

/* Whether a number of this protocol is in the set. */
static bool has_number(const struct matrix_ports *ports, const char *protocol, const portset *set)
{
	for (size_t i = 0; i < ports->count; i++)
		if (set[i] && !ports->atoms[i].name && !strcmp(ports->atoms[i].protocol, protocol))
			return true;
	return false;
}

void ports_meet(const struct matrix_ports *ports, const portset *in, const portset *out, portset *both)
{
	for (size_t i = 0; i < ports->count; i++) {
		const struct port_atom *atom = &ports->atoms[i];

		both[i] = in[i] && out[i];
		if (atom->name && !both[i])
			both[i] = (in[i] && has_number(ports, atom->protocol, out)) || (out[i] && has_number(ports, atom->protocol, in));
	}
}

/* ---- in words ---- */

static void add_words(struct strbuf *out, const char *protocol, unsigned from, unsigned to)
{
	bool tcp = !strcmp(protocol, "TCP");

	strbuf_adds(out, out->len ? ", " : "");
	if (from == 1 && to == PORT_MAX)
		strbuf_addf(out, "every %s port", protocol);
	else if (from == to)
		strbuf_addf(out, "%s%sport %u", tcp ? "" : protocol, tcp ? "" : " ", from);
	else
		strbuf_addf(out, "%s%sports %u-%u", tcp ? "" : protocol, tcp ? "" : " ", from, to);
}

/* Runs of numbers that lie side by side. */
static void protocol_text(const struct matrix_ports *ports, const portset *set, const char *protocol, struct strbuf *out)
{
	unsigned from = 0, to = 0;

	for (size_t i = 0; i < ports->count; i++) {
		const struct port_atom *atom = &ports->atoms[i];

		if (!set[i] || atom->name || strcmp(atom->protocol, protocol) != 0)
			continue;
		if (from && atom->from == to + 1) {
			to = atom->to;
			continue;
		}
		if (from)
			add_words(out, protocol, from, to);
		from = atom->from;
		to = atom->to;
	}
	if (from)
		add_words(out, protocol, from, to);
}

void ports_text(const struct matrix_ports *ports, const portset *set, struct strbuf *out)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;

	if (!memchr(set, 0, ports->count)) {
		strbuf_adds(out, "every port");
		return;
	}
	for (size_t p = 0; p < PROTOCOL_COUNT; p++)
		protocol_text(ports, set, protocols[p], &text);
	for (size_t i = 0; i < ports->count; i++)
		if (set[i] && ports->atoms[i].name)
			strbuf_addf(&text, "%sport %s", text.len ? ", " : "", ports->atoms[i].name);
	strbuf_add(out, text.buf, text.len);
}
