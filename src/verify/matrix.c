/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/matrix.h"

#include <stdlib.h>
#include <string.h>

#include "matrix_internal.h"
#include "object/selector.h"
#include "util/json.h"
#include "util/strbuf.h"
#include "util/text.h"

#define PEERS_TOLD 4
#define EDGE_MAX 400

const struct matrix_words matrix_ways[WAY_COUNT] = {
	[INGRESS] = {"Ingress", "ingress", "from"},
	[EGRESS] = {"Egress", "egress", "to"},
};

void matrix_each_rule(const struct matrix_side sides[WHEN_COUNT], matrix_rule_fn fn, void *arg)
{
	json_t *policy, *rule, *peer;
	size_t i, j, k;

	for (int when = BEFORE; when < WHEN_COUNT; when++)
		json_array_foreach (sides[when].policies, i, policy)
			for (int way = INGRESS; way < WAY_COUNT; way++)
				json_array_foreach (json_at(policy, "spec", matrix_ways[way].rules, NULL), j, rule) {
					fn(policy, rule, NULL, arg);
					json_array_foreach (json_object_get(rule, matrix_ways[way].peers), k, peer)
						fn(policy, rule, peer, arg);
				}
}

/* ---- what a policy says ---- */

/* Without policyTypes it is about what comes in, and about what goes out where it has rules for that. */
static bool is_about(const json_t *policy, enum matrix_way way)
{
	const json_t *types = json_at(policy, "spec", "policyTypes", NULL), *type;
	size_t i;

	if (json_array_size(types) == 0)
		return way == INGRESS || json_array_size(json_at(policy, "spec", "egress", NULL)) > 0;
	json_array_foreach (types, i, type)
		if (json_is_string(type) && !strcmp(json_string_value(type), matrix_ways[way].name))
			return true;
	return false;
}

static bool selects(const json_t *policy, const char *namespace_, const json_t *labels)
{
	const char *own = json_text_at(policy, "metadata", "namespace", NULL);

	return own && namespace_ && !strcmp(own, namespace_) && selector_matches(json_at(policy, "spec", "podSelector", NULL), labels);
}

static bool in_block(const json_t *block, const struct cidr *address)
{
	const char *text = json_text_at(block, "cidr", NULL);
	struct cidr net;
	json_t *except;
	size_t i;

	if (!text || cidr_parse(&net, text) < 0 || !cidr_contains(&net, address))
		return false;
	json_array_foreach (json_object_get(block, "except"), i, except)
		if (json_is_string(except) && cidr_parse(&net, json_string_value(except)) == 0 && cidr_contains(&net, address))
			return false;
	return true;
}

static bool peer_is(const json_t *policy, const json_t *peer, const struct place *place, enum matrix_when when)
{
	const json_t *block = json_object_get(peer, "ipBlock"), *spaces = json_object_get(peer, "namespaceSelector");
	const char *own = json_text_at(policy, "metadata", "namespace", NULL);

	if (block || place->kind == PLACE_ADDRESS)
		return block && place->kind == PLACE_ADDRESS && in_block(block, &place->address);
	if (!selector_matches(json_object_get(peer, "podSelector"), place->labels))
		return false;
	if (spaces)
		return selector_matches(spaces, place->spaces[when]);
	return json_object_get(peer, "podSelector") && own && place->namespace_ && !strcmp(own, place->namespace_);
}

static bool rule_names(const json_t *policy, const json_t *rule, enum matrix_way way, const struct place *place, enum matrix_when when)
{
	const json_t *peers = json_object_get(rule, matrix_ways[way].peers), *peer;
	size_t i;

	json_array_foreach (peers, i, peer)
		if (peer_is(policy, peer, place, when))
			return true;
	return json_array_size(peers) == 0;
}

/* ---- the edges ---- */

struct comparing {
	struct matrix_side sides[WHEN_COUNT];
	struct matrix_ports ports;
	struct matrix_places places;
	portset *in, *out, *edges[WHEN_COUNT], *differ; /* scratch */
};

/* What the policies of `at` let through to, or from, the other one. Named ports are the receiver's. */
static void let_through(const struct comparing *c, enum matrix_when when, enum matrix_way way, const struct place *at,
	const struct place *other, portset *set)
{
	const json_t *named = way == INGRESS ? at->ports : other->ports;
	bool restricted = false;
	json_t *policy, *rule;
	size_t i, j;

	memset(set, 0, c->ports.count);
	json_array_foreach (c->sides[when].policies, i, policy) {
		if (at->kind != PLACE_POD || !is_about(policy, way) || !selects(policy, at->namespace_, at->labels))
			continue;
		restricted = true;
		json_array_foreach (json_at(policy, "spec", matrix_ways[way].rules, NULL), j, rule)
			if (rule_names(policy, rule, way, other, when))
				ports_add_rule(&c->ports, rule, named, set);
	}
	if (!restricted)
		ports_add_all(&c->ports, set);
}

/* The sets of ports that are more (sign > 0) or less than before; false when there are none. */
static bool differ(const struct comparing *c, const struct place *from, const struct place *to, int sign)
{
	const portset *was = c->edges[sign > 0 ? BEFORE : AFTER], *is = c->edges[sign > 0 ? AFTER : BEFORE];
	bool any = false;

	if (from->kind != PLACE_POD && to->kind != PLACE_POD)
		return false;
	if (!from->changed && !to->changed)
		return false;
	for (int when = BEFORE; when < WHEN_COUNT; when++) {
		let_through(c, when, INGRESS, to, from, c->in);
		let_through(c, when, EGRESS, from, to, c->out);
		ports_meet(&c->ports, c->in, c->out, c->edges[when]);
	}
	for (size_t i = 0; i < c->ports.count; i++) {
		c->differ[i] = is[i] && !was[i];
		any = any || c->differ[i];
	}
	return any;
}

/* Those to one receiver that are about the same ports. */
struct edge_group {
	portset *set;
	struct strlist from;
};

static void group_add(struct edge_group **groups, size_t *count, size_t *cap, const struct comparing *c, const char *from)
{
	struct edge_group *group = NULL;

	for (size_t i = 0; i < *count && !group; i++)
		if (!memcmp((*groups)[i].set, c->differ, c->ports.count))
			group = &(*groups)[i];
	if (!group) {
		*groups = xgrow(*groups, cap, *count + 1, sizeof(**groups));
		group = &(*groups)[(*count)++];
		*group = (struct edge_group){.set = xcalloc(c->ports.count + 1, sizeof(portset))};
		memcpy(group->set, c->differ, c->ports.count);
	}
	strlist_add(&group->from, from);
}

static void tell_group(const struct comparing *c, const struct place *to, const struct edge_group *group, struct strlist *out)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_strbuf struct strbuf safe = STRBUF_INIT;

	strbuf_addf(&text, "%s -> ", to->text);
	ports_text(&c->ports, group->set, &text);
	strbuf_adds(&text, " from ");
	for (size_t i = 0; i < group->from.count && i < PEERS_TOLD; i++)
		strbuf_addf(&text, "%s%s", i ? "; " : "", group->from.items[i]);
	if (group->from.count > PEERS_TOLD)
		strbuf_addf(&text, "; and %zu more", group->from.count - PEERS_TOLD);
	text_escape(&safe, text.buf, text.len, EDGE_MAX);
	strlist_add(out, safe.buf);
}

static void compare_to(const struct comparing *c, const struct place *to, int sign, struct strlist *out)
{
	struct edge_group *groups = NULL;
	size_t count = 0, cap = 0;

	for (size_t i = 0; i < c->places.count; i++)
		if (differ(c, &c->places.items[i], to, sign))
			group_add(&groups, &count, &cap, c, c->places.items[i].text);
	for (size_t i = 0; i < count; i++) {
		tell_group(c, to, &groups[i], out);
		free(groups[i].set);
		strlist_release(&groups[i].from);
	}
	free(groups);
}

void matrix_compare(const struct matrix_side *before, const struct matrix_side *after, const json_t *pods, struct matrix_result *out)
{
	struct comparing c = {.sides = {*before, *after}};
	auto_free portset *scratch = NULL;

	ports_collect(&c.ports, c.sides, pods);
	places_collect(&c.places, c.sides, pods);
	scratch = xcalloc(5, c.ports.count + 1);
	c.in = scratch;
	c.out = c.in + c.ports.count;
	c.edges[BEFORE] = c.out + c.ports.count;
	c.edges[AFTER] = c.edges[BEFORE] + c.ports.count;
	c.differ = c.edges[AFTER] + c.ports.count;
	out->places = c.places.count;
	for (size_t i = 0; i < c.places.count; i++) {
		compare_to(&c, &c.places.items[i], 1, &out->widened);
		compare_to(&c, &c.places.items[i], -1, &out->narrowed);
	}
	places_release(&c.places);
	free(c.ports.atoms);
}

void matrix_result_release(struct matrix_result *result)
{
	strlist_release(&result->widened);
	strlist_release(&result->narrowed);
}

size_t matrix_selected(const json_t *policy, const json_t *pods)
{
	size_t count = 0, i;
	json_t *pod;

	json_array_foreach (pods, i, pod)
		count += selects(policy, json_text_at(pod, "namespace", NULL), json_object_get(pod, "labels"));
	return count;
}
