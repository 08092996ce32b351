/* SPDX-License-Identifier: Apache-2.0 */
#include "page.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "kube/list.h"
#include "util/error.h"
#include "util/json.h"
#include "util/mem.h"

/* ---- walking ---- */

static const char *skip_space(const char *at, const char *end)
{
	while (at < end && (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r'))
		at++;
	return at;
}

/* What ends a run of plain bytes. Most of a page's time is spent in these two loops. */
static const bool ends_text[256] = {['"'] = true, ['\\'] = true};
static const bool ends_run[256] = {['"'] = true, ['{'] = true, ['}'] = true, ['['] = true, [']'] = true};

/* Behind the string that starts at the quote at; NULL when it does not end. */
static const char *skip_string(const char *at, const char *end)
{
	for (at++; at < end; at += 2) {
		while (at < end && !ends_text[(unsigned char)*at])
			at++;
		if (at < end && *at == '"')
			return at + 1;
	}
	return NULL;
}

/* Behind the object or array that starts at; NULL when it does not end. */
static const char *skip_nested(const char *at, const char *end)
{
	size_t depth = 0;

	while (at) {
		while (at < end && !ends_run[(unsigned char)*at])
			at++;
		if (at >= end)
			return NULL;
		if (*at == '"') {
			at = skip_string(at, end);
			continue;
		}
		if (*at == '{' || *at == '[')
			depth++;
		else if (--depth == 0)
			return at + 1;
		at++;
	}
	return NULL;
}

/* Behind the value that starts at; NULL when there is none, or no end of it. */
static const char *skip_value(const char *at, const char *end)
{
	const char *start = at;

	if (at >= end)
		return NULL;
	if (*at == '"')
		return skip_string(at, end);
	if (*at == '{' || *at == '[')
		return skip_nested(at, end);
	while (at < end && !strchr(",]} \n\t\r", *at))
		at++;
	return at > start ? at : NULL;
}

/* One "key": value of an object. */
struct member {
	const char *key, *key_end; /* between the quotes, as it is written */
	const char *value, *value_end;
};

static bool member_is(const struct member *member, const char *key)
{
	size_t len = strlen(key);

	return (size_t)(member->key_end - member->key) == len && memcmp(member->key, key, len) == 0;
}

/* The next key of an object and where its value starts; at is behind '{' or behind the member before. NULL after the last. */
static const char *next_key(const char *at, const char *end, struct member *out)
{
	at = skip_space(at, end);
	if (at < end && *at == ',')
		at = skip_space(at + 1, end);
	if (at >= end || *at != '"')
		return NULL;
	out->key = at + 1;
	at = skip_string(at, end);
	if (!at)
		return NULL;
	out->key_end = at - 1;
	at = skip_space(at, end);
	if (at >= end || *at != ':')
		return NULL;
	out->value = skip_space(at + 1, end);
	return out->value;
}

/* As next_key, and behind the value. */
static const char *next_member(const char *at, const char *end, struct member *out)
{
	if (!next_key(at, end, out))
		return NULL;
	out->value_end = skip_value(out->value, end);
	return out->value_end;
}

/* ---- a page ---- */

/* Note where each item is, up to the array's end: NULL when there is none, or something is not as a parser would have it. */
static const char *split_items(struct page *page, const char *at, const char *end)
{
	const char *start = page->text.buf, *behind;

	for (at = skip_space(at, end); at < end && *at != ']'; at = skip_space(at + 1, end)) {
		behind = skip_value(at, end);
		if (!behind)
			return NULL;
		page->spans = xgrow(page->spans, &page->cap, page->count + 1, sizeof(*page->spans));
		page->spans[page->count++] = (struct page_span){.at = (size_t)(at - start), .len = (size_t)(behind - at)};
		at = skip_space(behind, end);
		if (at < end && *at == ']')
			return at;
		if (at >= end || *at != ',' || skip_space(at + 1, end) >= end || *skip_space(at + 1, end) == ']')
			return NULL;
	}
	return at < end ? at : NULL;
}

/* The document without what is in the items, which is in *page then. */
static int cut_items(struct page *page, struct strbuf *head, struct error *err)
{
	const char *start = page->text.buf, *end = start + page->text.len, *from = end, *to = end;
	const char *at = skip_space(start, end);
	struct member member;

	at = at < end && *at == '{' ? at + 1 : NULL;
	while (at && from == end && (at = next_key(at, end, &member))) {
		if (member_is(&member, "items") && member.value < end && *member.value == '[') {
			from = member.value + 1;
			to = split_items(page, from, end);
			if (!to)
				return error_set(err, ERR_SYNTAX, "the items do not end, after %zu of them", page->count);
			break;
		}
		at = skip_value(member.value, end);
	}
	strbuf_add(head, start, (size_t)(from - start));
	strbuf_add(head, to, (size_t)(end - to));
	return 0;
}

int page_read(struct page *page, struct strbuf *body, struct error *err)
{
	auto_strbuf struct strbuf head = STRBUF_INIT;

	page_release(page);
	page->text = *body;
	*body = (struct strbuf)STRBUF_INIT;
	if (cut_items(page, &head, err) < 0)
		return -1;
	page->head = json_read(head.buf, head.len, err);
	return page->head ? 0 : -1;
}

void page_release(struct page *page)
{
	strbuf_release(&page->text);
	json_decref(page->head);
	free(page->spans);
	*page = (struct page)PAGE_INIT;
}

/* ---- an item ---- */

/* The text of a string without escapes, else nothing. */
static void plain_text(const struct member *member, const char **text, size_t *len)
{
	if (*member->value != '"' || memchr(member->value, '\\', (size_t)(member->value_end - member->value)))
		return;
	*text = member->value + 1;
	*len = (size_t)(member->value_end - member->value) - 2;
}

static void read_metadata(const struct member *metadata, struct kube_raw *out)
{
	const char *at = metadata->value + 1, *end = metadata->value_end - 1;
	struct member member;

	if (*metadata->value != '{')
		return;
	while ((at = next_member(at, end, &member))) {
		if (member_is(&member, "uid"))
			plain_text(&member, &out->uid, &out->uid_len);
		else if (member_is(&member, "resourceVersion"))
			plain_text(&member, &out->version, &out->version_len);
		else if (member_is(&member, "managedFields") && !out->managed_fields) {
			out->managed_fields = member.value;
			out->managed_fields_len = (size_t)(member.value_end - member.value);
			out->managed_key = member.key - 1;
		}
	}
}

static void read_item(struct kube_raw *out)
{
	const char *at = out->text + 1, *end = out->text + out->len - 1;
	struct member member;
	bool seen = false;

	if (*out->text != '{')
		return;
	while (!seen && (at = next_member(at, end, &member))) {
		seen = member_is(&member, "metadata");
		if (seen)
			read_metadata(&member, out);
	}
}

void page_item(const struct page *page, size_t index, struct kube_raw *out)
{
	*out = (struct kube_raw){.text = page->text.buf + page->spans[index].at, .len = page->spans[index].len};
	read_item(out);
}

void page_item_text(const struct kube_raw *raw, struct strbuf *out)
{
	const char *end = raw->text + raw->len, *cut = raw->managed_key, *behind;

	if (!raw->managed_fields) {
		strbuf_add(out, raw->text, raw->len);
		return;
	}
	/* With it goes the comma behind it; when it is the last member, the one before it. */
	behind = skip_space(raw->managed_fields + raw->managed_fields_len, end);
	if (behind < end && *behind == ',') {
		behind++;
	} else {
		while (cut > raw->text && strchr(" \n\t\r", cut[-1]))
			cut--;
		if (cut > raw->text && cut[-1] == ',')
			cut--;
	}
	strbuf_add(out, raw->text, (size_t)(cut - raw->text));
	strbuf_add(out, behind, (size_t)(end - behind));
}
