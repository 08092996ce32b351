/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "matrix_internal.h"
#include "object/selector.h"
#include "util/json.h"
#include "util/map.h"
#include "util/strbuf.h"

#define NAME_LABEL "kubernetes.io/metadata.name"

struct collecting {
	struct matrix_places *places;
	struct matrix_side sides[WHEN_COUNT];
	struct map known;     /* namespaces that are looked at */
	struct map seen;      /* places that no selector tells from one that is there: key of place_key */
	struct map selectors; /* of pods: text -> json_t */
	struct map changed;   /* namespaces */
	bool named;           /* some rule names its port */
};

static char present[] = "";

static const char *namespace_of(const json_t *policy)
{
	const char *name = json_text_at(policy, "metadata", "namespace", NULL);

	return name ? name : "";
}

/* ---- selectors in words, and a thing that one is about ---- */

/* "app=x, tier in (a, b), !old" */
static void selector_text(json_t *selector, struct strbuf *out)
{
	size_t count, i, j;
	json_t *labels = json_object_get(selector, "matchLabels"), *row, *value;
	auto_free const char **keys = json_sorted_keys(labels, &count);

	for (i = 0; i < count; i++) {
		const char *is = json_text_at(labels, keys[i], NULL);

		strbuf_addf(out, "%s%s=%s", out->len ? ", " : "", keys[i], is ? is : "");
	}
	json_array_foreach (json_object_get(selector, "matchExpressions"), i, row) {
		const char *key = json_text_at(row, "key", NULL), *operator= json_text_at(row, "operator", NULL);

		strbuf_addf(out, "%s%s %s", out->len ? ", " : "", key ? key : "", operator? operator: "");
		json_array_foreach (json_object_get(row, "values"), j, value)
			strbuf_addf(out, " %s", json_is_string(value) ? json_string_value(value) : "");
	}
}

/* Labels with which the selector matches, and little else does; NULL when it can match nothing. The caller's. */
static json_t *labels_for(const json_t *selector)
{
	json_t *labels = json_object(), *row;
	size_t i;

	if (json_is_object(json_object_get(selector, "matchLabels")))
		json_object_update(labels, json_object_get(selector, "matchLabels"));
	json_array_foreach (json_object_get(selector, "matchExpressions"), i, row) {
		const char *key = json_text_at(row, "key", NULL), *operator= json_text_at(row, "operator", NULL);
		json_t *first = json_array_get(json_object_get(row, "values"), 0);

		if (!key || !operator|| json_object_get(labels, key))
			continue;
		if (!strcmp(operator, "In") && first)
			json_object_set(labels, key, first);
		else if (!strcmp(operator, "Exists"))
			json_object_set_new(labels, key, json_string(""));
	}
	if (selector_matches(selector, labels))
		return labels;
	json_decref(labels);
	return NULL;
}

/* ---- one place ---- */

/* What the policies can tell of it: its namespace, and which of the selectors of pods match. */
static char *place_key(const struct collecting *c, const struct place *place)
{
	auto_free struct map_entry *selectors = map_sorted(&c->selectors);
	struct strbuf key = STRBUF_INIT;

	strbuf_addf(&key, "%s/", place->namespace_ ? place->namespace_ : "");
	for (size_t i = 0; i < c->selectors.count; i++)
		strbuf_addc(&key, selector_matches(selectors[i].value, place->labels) ? '1' : '0');
	if (place->kind == PLACE_OUTSIDE)
		json_write(place->spaces[BEFORE], &key);
	if (place->ports && c->named)
		json_write(place->ports, &key);
	return strbuf_detach(&key, NULL);
}

static void place_release(struct place *place)
{
	free(place->namespace_);
	free(place->text);
	json_decref(place->spaces[BEFORE]);
	json_decref(place->spaces[AFTER]);
	json_decref(place->labels);
	json_decref(place->ports);
}

/* Takes what place owns. */
static void add_place(struct collecting *c, struct place *place)
{
	auto_free char *key = place->kind == PLACE_ADDRESS ? NULL : place_key(c, place);

	if (key && map_put(&c->seen, key, present)) {
		place_release(place);
		return;
	}
	c->places->items = xgrow(c->places->items, &c->places->cap, c->places->count + 1, sizeof(*place));
	c->places->items[c->places->count++] = *place;
}

/* The labels of a namespace on one side, its name among them. */
static json_t *space_labels(const struct collecting *c, const char *name, enum matrix_when when)
{
	json_t *labels = json_object_get(c->sides[when].namespaces, name);
	json_t *copy = json_object();

	if (!labels)
		labels = json_object_get(c->sides[when == BEFORE ? AFTER : BEFORE].namespaces, name);
	if (json_is_object(labels))
		json_object_update(copy, labels);
	json_object_set_new(copy, NAME_LABEL, json_string(name));
	return copy;
}

/* A pod of a namespace that is looked at; takes labels and text. */
static void add_pod(struct collecting *c, const char *namespace_, json_t *labels, json_t *ports, char *text)
{
	struct place place = {.kind = PLACE_POD,
		.namespace_ = xstrdup(namespace_),
		.spaces = {space_labels(c, namespace_, BEFORE), space_labels(c, namespace_, AFTER)},
		.labels = labels,
		.ports = json_incref(ports),
		.changed = map_get(&c->changed, namespace_) != NULL,
		.text = text};

	add_place(c, &place);
}

/* ---- pods ---- */

static void add_pods(struct collecting *c, const json_t *pods)
{
	json_t *pod;
	size_t i;

	json_array_foreach (pods, i, pod) {
		const char *namespace_ = json_text_at(pod, "namespace", NULL), *name = json_text_at(pod, "name", NULL);
		json_t *labels = json_object_get(pod, "labels");

		if (namespace_ && map_get(&c->known, namespace_))
			add_pod(c, namespace_, labels ? json_incref(labels) : json_object(), json_object_get(pod, "ports"),
				xasprintf("ns/%s %s", namespace_, name ? name : "pod"));
	}
}

static void add_selected(struct collecting *c, const char *namespace_, json_t *selector)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	json_t *labels = labels_for(selector);

	if (!labels)
		return;
	selector_text(selector, &text);
	add_pod(c, namespace_, labels, NULL,
		text.len ? xasprintf("ns/%s podSelector %s", namespace_, text.buf) : xasprintf("ns/%s other pods", namespace_));
}

/* "namespace y" for a selector by the name alone. */
static char *outside_text(json_t *spaces, json_t *pods)
{
	const char *name = json_text_at(spaces, "matchLabels", NAME_LABEL, NULL);
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_strbuf struct strbuf of_pods = STRBUF_INIT;

	selector_text(spaces, &text);
	selector_text(pods, &of_pods);
	if (of_pods.len) {
		auto_free char *copy = xasprintf(" podSelector %s", of_pods.buf);

		strbuf_truncate(&of_pods, 0);
		strbuf_adds(&of_pods, copy);
	}
	if (name && json_object_size(json_object_get(spaces, "matchLabels")) == 1 && !json_object_get(spaces, "matchExpressions"))
		return xasprintf("namespace %s%s", name, of_pods.buf);
	if (text.len)
		return xasprintf("namespaces %s%s", text.buf, of_pods.buf);
	return xasprintf("other namespaces%s", of_pods.buf);
}

/* A pod in a namespace that is not looked at and that the selector is about; one in it, where it is. */
static void add_outside(struct collecting *c, json_t *spaces, json_t *pods)
{
	struct place place = {.kind = PLACE_OUTSIDE, .labels = labels_for(pods)};
	const char *name;

	place.spaces[BEFORE] = labels_for(spaces);
	place.spaces[AFTER] = json_incref(place.spaces[BEFORE]);
	name = json_text_at(place.spaces[BEFORE], NAME_LABEL, NULL);
	if (!place.labels || !place.spaces[BEFORE]) {
		place_release(&place);
		return;
	}
	if (name && map_get(&c->known, name)) {
		add_selected(c, name, pods);
		place_release(&place);
		return;
	}
	place.text = outside_text(spaces, pods);
	add_place(c, &place);
}

static void add_peer_pods(const json_t *policy, const json_t *rule, const json_t *peer, void *arg)
{
	struct collecting *c = arg;
	json_t *spaces = json_object_get(peer, "namespaceSelector"), *pods = json_object_get(peer, "podSelector");

	(void)rule;
	if (!peer || json_object_get(peer, "ipBlock"))
		return;
	if (spaces)
		add_outside(c, spaces, pods);
	else
		add_selected(c, namespace_of(policy), pods);
}

/* ---- addresses ---- */

struct nets {
	struct cidr *items;
	size_t count, cap;
};

static void add_net(struct nets *nets, const char *text)
{
	struct cidr net;

	if (!text || cidr_parse(&net, text) < 0)
		return;
	net.bare = false;
	for (size_t i = 0; i < nets->count; i++)
		if (nets->items[i].bits == net.bits && cidr_contains(&nets->items[i], &net))
			return;
	nets->items = xgrow(nets->items, &nets->cap, nets->count + 1, sizeof(net));
	nets->items[nets->count++] = net;
}

static void add_peer_nets(const json_t *policy, const json_t *rule, const json_t *peer, void *arg)
{
	const json_t *block = json_object_get(peer, "ipBlock");
	json_t *except;
	size_t i;

	(void)policy;
	(void)rule;
	add_net(arg, json_text_at(block, "cidr", NULL));
	json_array_foreach (json_object_get(block, "except"), i, except)
		add_net(arg, json_string_value(except));
}

/* The first address behind the net; false when there is none. */
static bool address_behind(const struct cidr *net, struct cidr *address)
{
	*address = *net;
	address->bits = (unsigned)net->bytes * 8;
	for (size_t bit = net->bits; bit < address->bits; bit++)
		address->address[bit / 8] |= (unsigned char)(0x80 >> bit % 8);
	for (size_t i = address->bytes; i-- > 0;)
		if (++address->address[i])
			return true;
	return false;
}

static const struct cidr *smaller_around(const struct nets *nets, const struct cidr *net, const struct cidr *address)
{
	for (size_t i = 0; i < nets->count; i++)
		if (nets->items[i].bits > net->bits && cidr_contains(net, &nets->items[i]) && cidr_contains(&nets->items[i], address))
			return &nets->items[i];
	return NULL;
}

/* An address of the net that is in no smaller one of them; false when they fill it. */
static bool address_of(const struct nets *nets, const struct cidr *net, struct cidr *address)
{
	const struct cidr *smaller;
	struct cidr zero = {.bytes = net->bytes};

	*address = cidr_move(&zero, net);
	address->bits = (unsigned)net->bytes * 8;
	while (cidr_contains(net, address)) {
		smaller = smaller_around(nets, net, address);
		if (!smaller)
			return true;
		if (!address_behind(smaller, address))
			return false;
	}
	return false;
}

static void add_addresses(struct collecting *c)
{
	struct nets nets = {0};
	char text[CIDR_TEXT_SIZE];

	add_net(&nets, "0.0.0.0/0");
	add_net(&nets, "::/0");
	matrix_each_rule(c->sides, add_peer_nets, &nets);
	for (size_t i = 0; i < nets.count; i++) {
		struct place place = {.kind = PLACE_ADDRESS};

		if (!address_of(&nets, &nets.items[i], &place.address))
			continue;
		place.text = xasprintf("%s%s", nets.items[i].bits ? "" : "other addresses of ", cidr_text(&nets.items[i], text));
		add_place(c, &place);
	}
	free(nets.items);
}

/* ---- what is looked at ---- */

static void know_selector(struct collecting *c, json_t *selector)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;

	if (!json_is_object(selector))
		return;
	json_write(selector, &text);
	map_put(&c->selectors, text.buf, selector);
}

static void know_peer(const json_t *policy, const json_t *rule, const json_t *peer, void *arg)
{
	struct collecting *c = arg;
	const json_t *port;
	size_t i;

	(void)policy;
	know_selector(c, json_object_get(peer, "podSelector"));
	json_array_foreach (json_object_get(rule, "ports"), i, port)
		c->named = c->named || json_is_string(json_object_get(port, "port"));
}

/* The policies of a namespace and its labels as one text. */
static void state_of(const struct collecting *c, const char *name, enum matrix_when when, struct strbuf *out)
{
	auto_strlist struct strlist texts = STRLIST_INIT;
	json_t *policy;
	size_t i;

	json_array_foreach (c->sides[when].policies, i, policy) {
		auto_strbuf struct strbuf text = STRBUF_INIT;

		if (strcmp(namespace_of(policy), name) != 0)
			continue;
		json_write(json_object_get(policy, "spec"), &text);
		strlist_add(&texts, text.buf);
	}
	strlist_sort_unique(&texts);
	for (i = 0; i < texts.count; i++)
		strbuf_addf(out, "%s\n", texts.items[i]);
	auto_json json_t *labels = space_labels(c, name, when);
	json_write(labels, out);
}

static void know_namespace(struct collecting *c, const char *name)
{
	auto_strbuf struct strbuf before = STRBUF_INIT;
	auto_strbuf struct strbuf after = STRBUF_INIT;

	if (!*name || map_put(&c->known, name, present))
		return;
	state_of(c, name, BEFORE, &before);
	state_of(c, name, AFTER, &after);
	if (strcmp(before.buf, after.buf) != 0)
		map_put(&c->changed, name, present);
}

static void know_all(struct collecting *c)
{
	json_t *policy, *labels;
	const char *name;
	size_t i;

	for (int when = BEFORE; when < WHEN_COUNT; when++) {
		json_object_foreach (c->sides[when].namespaces, name, labels)
			know_namespace(c, name);
		json_array_foreach (c->sides[when].policies, i, policy) {
			know_namespace(c, namespace_of(policy));
			know_selector(c, json_at(policy, "spec", "podSelector", NULL));
		}
	}
	matrix_each_rule(c->sides, know_peer, c);
}

static void add_subjects(struct collecting *c)
{
	json_t *policy;
	size_t i;

	for (int when = BEFORE; when < WHEN_COUNT; when++)
		json_array_foreach (c->sides[when].policies, i, policy)
			add_selected(c, namespace_of(policy), json_at(policy, "spec", "podSelector", NULL));
}

void places_collect(struct matrix_places *places, const struct matrix_side sides[WHEN_COUNT], const json_t *pods)
{
	struct collecting c = {.places = places, .sides = {sides[BEFORE], sides[AFTER]}};

	know_all(&c);
	auto_free struct map_entry *namespaces = map_sorted(&c.known);
	/* The first of those that nothing tells apart gives them its name: what policies call them, before what happens to run. */
	for (size_t i = 0; i < c.known.count; i++)
		add_selected(&c, namespaces[i].key, NULL);
	add_subjects(&c);
	matrix_each_rule(sides, add_peer_pods, &c);
	add_pods(&c, pods);
	add_outside(&c, NULL, NULL);
	add_addresses(&c);
	map_release(&c.known, NULL);
	map_release(&c.seen, NULL);
	map_release(&c.selectors, NULL);
	map_release(&c.changed, NULL);
}

void places_release(struct matrix_places *places)
{
	for (size_t i = 0; i < places->count; i++)
		place_release(&places->items[i]);
	free(places->items);
}
