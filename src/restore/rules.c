/* SPDX-License-Identifier: Apache-2.0 */
#include "rules.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "util/error.h"

const char *const rule_kind_names[MAP_COUNT] = {
	[MAP_NAMESPACE] = "namespace", [MAP_GATEWAY] = "gateway", [MAP_CIDR] = "cidr", [MAP_HOST] = "host"};

/* ---- reading ---- */

#define LABEL "abcdefghijklmnopqrstuvwxyz0123456789-"

static bool is_made_of(const char *text, size_t len, const char *bytes)
{
	return len > 0 && strspn(text, bytes) >= len && text[0] != '-' && text[len - 1] != '-' && text[0] != '.' && text[len - 1] != '.';
}

static bool is_namespace(const char *text)
{
	return strlen(text) <= 63 && is_made_of(text, strlen(text), LABEL);
}

static bool is_gateway(const char *text)
{
	size_t space = strcspn(text, "/");

	return text[space] == '/' && space <= 63 && is_made_of(text, space, LABEL) &&
		is_made_of(text + space + 1, strlen(text + space + 1), LABEL ".");
}

static bool is_host(const char *text)
{
	text += strncmp(text, "*.", 2) == 0 ? 2 : 0;
	return strlen(text) <= 253 && is_made_of(text, strlen(text), LABEL ".");
}

static bool is_cidr(const char *text)
{
	struct cidr net;

	return cidr_parse(&net, text) == 0;
}

static const struct {
	bool (*is)(const char *text);
	const char *expected;
} forms[MAP_COUNT] = {
	[MAP_NAMESPACE] = {is_namespace, "the name of a namespace"},
	[MAP_GATEWAY] = {is_gateway, "NAMESPACE/NAME"},
	[MAP_CIDR] = {is_cidr, "a CIDR or an address"},
	[MAP_HOST] = {is_host, "a host name or '*.' and a domain"},
};

static int read_nets(struct rule *rule, struct error *err)
{
	(void)cidr_parse(&rule->net, rule->from);
	(void)cidr_parse(&rule->new_net, rule->to);
	if (rule->net.bytes != rule->new_net.bytes)
		return error_set(err, ERR_USAGE, "'%s' and '%s' are not of one IP version", rule->from, rule->to);
	return 0;
}

/* What is wrong with one that is well-formed. */
static int check_rule(const struct rules *rules, struct rule *rule, struct error *err)
{
	if (strcmp(rule->from, rule->to) == 0)
		return error_set(err, ERR_USAGE, "'%s' is mapped to itself", rule->from);
	for (const struct rule *other = rules->items; other < rule; other++)
		if (other->kind == rule->kind && strcmp(other->from, rule->from) == 0)
			return error_set(err, ERR_USAGE, "'%s' is mapped twice", rule->from);
	if (rule->kind == MAP_HOST && (rule->from[0] == '*') != (rule->to[0] == '*'))
		return error_set(err, ERR_USAGE, "'%s' is one host, and the other is all below a domain",
			rule->from[0] == '*' ? rule->to : rule->from);
	return rule->kind == MAP_CIDR ? read_nets(rule, err) : 0;
}

static int read_rule(struct rules *rules, enum mapping_kind kind, const char *text, struct error *err)
{
	const char *equals = strchr(text, '=');
	struct rule *rule = &rules->items[rules->count];

	if (!equals)
		return error_set(err, ERR_USAGE, "'%s' is no OLD=NEW", text);
	*rule = (struct rule){.kind = kind, .from = xstrndup(text, (size_t)(equals - text)), .to = xstrdup(equals + 1)};
	rules->count++;
	if (!forms[kind].is(rule->from) || !forms[kind].is(rule->to))
		return error_set(
			err, ERR_USAGE, "'%s' is not %s", forms[kind].is(rule->from) ? rule->to : rule->from, forms[kind].expected);
	return check_rule(rules, rule, err);
}

int rules_read(struct rules *out, const struct mapping *mapping, struct error *err)
{
	size_t count = 1;

	for (int kind = 0; kind < MAP_COUNT; kind++)
		count += mapping->rules[kind].count;
	*out = (struct rules){.items = xcalloc(count, sizeof(*out->items))};
	for (int kind = 0; kind < MAP_COUNT; kind++)
		for (size_t i = 0; i < mapping->rules[kind].count; i++)
			if (read_rule(out, (enum mapping_kind)kind, mapping->rules[kind].items[i], err) < 0)
				return error_wrap(err, "--map-%s", rule_kind_names[kind]);
	return 0;
}

void rules_release(struct rules *rules)
{
	for (size_t i = 0; i < rules->count; i++) {
		free(rules->items[i].from);
		free(rules->items[i].to);
	}
	free(rules->items);
}

/* ---- asking ---- */

struct rule *rules_find(const struct rules *rules, enum mapping_kind kind, const char *from)
{
	for (size_t i = 0; i < rules->count; i++)
		if (rules->items[i].kind == kind && strcmp(rules->items[i].from, from) == 0)
			return &rules->items[i];
	return NULL;
}

/* How much of the end of host the rule is for, "." first; 0: it is not for that. */
static size_t tail_of(const struct rule *rule, const char *host)
{
	size_t tail = strlen(rule->from) - 1, len = strlen(host);

	if (rule->kind != MAP_HOST || rule->from[0] != '*' || len <= tail)
		return 0;
	return strcmp(host + len - tail, rule->from + 1) == 0 ? tail : 0;
}

struct rule *rules_host(const struct rules *rules, const char *host, struct strbuf *out)
{
	struct rule *best = rules_find(rules, MAP_HOST, host);
	size_t longest = 0;

	if (best) {
		strbuf_adds(out, best->to);
		return best;
	}
	for (size_t i = 0; i < rules->count; i++) {
		size_t tail = tail_of(&rules->items[i], host);

		if (tail > longest) {
			longest = tail;
			best = &rules->items[i];
		}
	}
	if (best)
		strbuf_addf(out, "%.*s%s", (int)(strlen(host) - longest), host, best->to + 1);
	return best;
}

struct rule *rules_net(const struct rules *rules, const struct cidr *net, struct cidr *out, struct error *err)
{
	struct rule *best = NULL;

	for (size_t i = 0; i < rules->count; i++) {
		struct rule *rule = &rules->items[i];

		if (rule->kind == MAP_CIDR && cidr_contains(&rule->net, net) && (!best || rule->net.bits > best->net.bits))
			best = rule;
	}
	if (!best)
		return NULL;
	if (best->net.bits == best->new_net.bits) {
		*out = cidr_move(net, &best->new_net);
		return best;
	}
	if (best->net.bits == net->bits) {
		*out = best->new_net;
		return best;
	}
	char text[CIDR_TEXT_SIZE];

	error_set(err, ERR_USAGE, "%s lies in '%s', which is mapped to a net of another size", cidr_text(net, text), best->from);
	(void)error_hint(err, "say what becomes of it with one more --map-cidr");
	return NULL;
}
