/* SPDX-License-Identifier: Apache-2.0 */
#include "facts.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "object/fieldpath.h"
#include "object/object.h"
#include "policy/policy.h"
#include "util/hash.h"
#include "util/json.h"
#include "util/strbuf.h"

enum { TAG_REFERENCE = 'R', TAG_PRODUCES = 'P', TAG_FINALIZER = 'F', TAG_MATCH = 'M', TAG_HASH = 'H', TAG_KEY = 'K' };

/* ---- writing ---- */

static void put(struct strbuf *out, const char *text)
{
	strbuf_add(out, text, strlen(text) + 1);
}

static void put_number(struct strbuf *out, size_t number)
{
	strbuf_addf(out, "%zu", number);
	strbuf_add(out, "", 1);
}

struct listing {
	const struct reference_rule *rules;
	struct strbuf *out;
	char tag;
};

static int put_reference(const struct reference *reference, void *arg)
{
	const struct listing *list = arg;

	strbuf_addc(list->out, list->tag);
	strbuf_add(list->out, reference->optional ? "1" : "0", 1);
	put_number(list->out, (size_t)(reference->rule - list->rules));
	put(list->out, reference->namespace_);
	put(list->out, reference->name);
	/* a key may be empty, and may not be there */
	strbuf_add(list->out, reference->key ? "=" : "-", 1);
	put(list->out, reference->key ? reference->key : "");
	return 0;
}

void facts_add_finalizer(const char *finalizer, struct strbuf *out)
{
	strbuf_addc(out, TAG_FINALIZER);
	put(out, finalizer);
	put(out, "");
}

void facts_add_match(size_t own, struct strbuf *out)
{
	strbuf_addc(out, TAG_MATCH);
	put_number(out, own);
	put(out, "");
}

static int put_key(json_t *value, const char *concrete, void *arg)
{
	struct strbuf *out = arg;
	size_t count;
	auto_free const char **keys = json_sorted_keys(value, &count);
	const char *text = json_text_at(value, NULL);

	(void)concrete;
	for (size_t i = 0; i < count || (text && i == 0); i++) {
		strbuf_addc(out, TAG_KEY);
		put(out, text ? text : keys[i]);
		put(out, "");
	}
	return 0;
}

void facts_lists(const struct object *object, const struct policy_kind *row, struct strbuf *out)
{
	struct listing references = {.rules = row->references, .out = out, .tag = TAG_REFERENCE};
	struct listing produces = {.rules = row->produces, .out = out, .tag = TAG_PRODUCES};

	references_each(object, row->references, row->reference_count, put_reference, &references);
	references_each(object, row->produces, row->produce_count, put_reference, &produces);
	for (size_t i = 0; i < row->key_count; i++)
		fieldpath_each(object->json, row->keys[i], put_key, out);
}

void facts_hash(const struct object *object, struct strbuf *out)
{
	auto_json json_t *content = json_copy(object->json);
	auto_strbuf struct strbuf text = STRBUF_INIT;
	char sha256[HASH_HEX_SIZE];

	json_object_del(content, "apiVersion");
	json_object_del(content, "kind");
	json_object_del(content, "metadata");
	json_write(content, &text);
	hash_sha256(text.buf, text.len, sha256);
	strbuf_addc(out, TAG_HASH);
	put(out, sha256);
	put(out, "");
}

void facts_write(const struct facts *facts, struct strbuf *out)
{
	put(out, facts->namespace_);
	put(out, facts->name);
	put(out, facts->uid);
	put(out, facts->owner_group);
	put(out, facts->owner_kind);
	put(out, facts->owner_name);
	put(out, facts->owner_uid);
	put_number(out,
		(facts->derived ? 1U : 0U) | (facts->not_ready ? 2U : 0U) | ((unsigned)facts->class_ << 2) | (facts->leaving ? 16U : 0U));
	put_number(out, facts->rule);
	put(out, facts->file.id);
	put(out, facts->file.sha256);
	put_number(out, facts->file.len);
	if (facts->rest)
		strbuf_add(out, facts->rest, (size_t)(facts->end - facts->rest));
}

/* ---- reading ---- */

/* The next string, NULL when there is none. */
static char *next(char **at, const char *end)
{
	char *start = *at, *nul = start < end ? memchr(start, '\0', (size_t)(end - start)) : NULL;

	if (nul)
		*at = nul + 1;
	return nul ? start : NULL;
}

static bool next_file(char **at, const char *end, struct git_file *out)
{
	const char *id = next(at, end), *sha256 = next(at, end), *len = next(at, end);

	if (!id || !sha256 || !len || strlen(id) >= sizeof(out->id) || strlen(sha256) >= sizeof(out->sha256))
		return false;
	memcpy(out->id, id, strlen(id) + 1);
	memcpy(out->sha256, sha256, strlen(sha256) + 1);
	out->len = strtoull(len, NULL, 10);
	return true;
}

int facts_read(struct facts *out, struct strbuf *record, size_t from)
{
	char *at = record->buf + from, *end = record->buf + record->len;
	const char *flags, *rule;
	unsigned long bits;

	*out = (struct facts){.end = end};
	out->namespace_ = next(&at, end);
	out->name = next(&at, end);
	out->uid = next(&at, end);
	out->owner_group = next(&at, end);
	out->owner_kind = next(&at, end);
	out->owner_name = next(&at, end);
	out->owner_uid = next(&at, end);
	flags = next(&at, end);
	rule = next(&at, end);
	if (!rule || !next_file(&at, end, &out->file))
		return -1;
	bits = strtoul(flags, NULL, 10);
	out->derived = bits & 1;
	out->not_ready = bits & 2;
	out->class_ = (enum object_class)(bits >> 2 & 3);
	out->leaving = bits & 16;
	out->rule = strtoul(rule, NULL, 10);
	out->rest = at;
	return 0;
}

/* One entry of the lists: four strings of a reference, two of others. */
struct entry {
	char tag;
	const char *first, *second, *third, *fourth;
};

static bool is_reference(const struct entry *entry)
{
	return entry->tag == TAG_REFERENCE || entry->tag == TAG_PRODUCES;
}

static bool next_entry(const char **at, const char *end, struct entry *out)
{
	char *from = (char *)(uintptr_t)*at;
	const char *first = next(&from, end);

	if (!first || !*first)
		return false;
	*out = (struct entry){.tag = *first, .first = first + 1, .second = next(&from, end)};
	if (is_reference(out)) {
		out->third = next(&from, end);
		out->fourth = next(&from, end);
	}
	*at = from;
	return out->second && (!is_reference(out) || out->fourth);
}

static int call(const struct entry *entry, const struct reference_rule *rules, size_t count, reference_fn fn, void *arg)
{
	size_t rule = *entry->first ? strtoul(entry->first + 1, NULL, 10) : count;
	struct reference reference = {.namespace_ = entry->second, .name = entry->third, .path = ""};

	if (rule >= count)
		return 0;
	reference.rule = &rules[rule];
	reference.group = rules[rule].group;
	reference.resource = rules[rule].resource;
	reference.optional = *entry->first == '1';
	reference.key = *entry->fourth == '=' ? entry->fourth + 1 : NULL;
	return fn(&reference, arg);
}

int facts_references(const struct facts *facts, const struct policy_kind *row, reference_fn fn, void *arg)
{
	const char *at = facts->rest;
	struct entry entry;
	int rc = 0;

	while (rc == 0 && next_entry(&at, facts->end, &entry))
		if (entry.tag == TAG_REFERENCE)
			rc = call(&entry, row->references, row->reference_count, fn, arg);
	return rc;
}

int facts_produces(const struct facts *facts, const struct policy_kind *row, reference_fn fn, void *arg)
{
	const char *at = facts->rest;
	struct entry entry;
	int rc = 0;

	while (rc == 0 && next_entry(&at, facts->end, &entry))
		if (entry.tag == TAG_PRODUCES)
			rc = call(&entry, row->produces, row->produce_count, fn, arg);
	return rc;
}

void facts_finalizers(const struct facts *facts, void (*fn)(const char *finalizer, void *arg), void *arg)
{
	const char *at = facts->rest;
	struct entry entry;

	while (next_entry(&at, facts->end, &entry))
		if (entry.tag == TAG_FINALIZER)
			fn(entry.first, arg);
}

void facts_matches(const struct facts *facts, void (*fn)(size_t own, void *arg), void *arg)
{
	const char *at = facts->rest;
	struct entry entry;

	while (next_entry(&at, facts->end, &entry))
		if (entry.tag == TAG_MATCH)
			fn(strtoul(entry.first, NULL, 10), arg);
}

const char *facts_preset(const struct facts *facts)
{
	const char *at = facts->rest;
	struct entry entry;

	while (next_entry(&at, facts->end, &entry))
		if (entry.tag == TAG_HASH)
			return entry.first;
	return NULL;
}

void facts_keys(const struct facts *facts, struct strlist *out)
{
	const char *at = facts->rest;
	struct entry entry;

	while (next_entry(&at, facts->end, &entry))
		if (entry.tag == TAG_KEY)
			strlist_add(out, entry.first);
}
