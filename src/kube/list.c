/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/list.h"

#include <stdlib.h>
#include <string.h>

#include "client_internal.h"
#include "kube/client.h"
#include "kube/discovery.h"
#include "page.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/http.h"
#include "util/json.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/strbuf.h"
#include "util/text.h"

#define PAGE_SIZE 500
#define PAGE_DEADLINE_MS (120 * 1000) /* a page of large objects over a slow line */
#define STARTS_MAX 3
#define DRIVE_ITEMS 16 /* between two looks at the network */
#define META_VERSION "meta.k8s.io/v1"
#define META_KIND "PartialObjectMetadata"
#define META_ACCEPT "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

/* One list, over all its pages and starts. */
struct listing {
	struct kube_client *client;
	const struct kube_resource *resource;
	const struct kube_list_options *options;
	const struct kube_list_sink *sink;
	char *api_version; /* of the items */
	char *list_kind;

	/* Of the present start. */
	struct strlist tokens; /* every continue token seen */
	char *version;         /* resourceVersion of the first page; NULL before it */
	size_t items;
	bool foreign;             /* the page is of another kind than list_kind: its items must say what they are */
	struct kube_ahead *ahead; /* the next page, on its way; NULL: none */
	struct strbuf scratch;    /* the text of one item */
};

static void listing_reset(struct listing *list)
{
	strlist_release(&list->tokens);
	free(list->version);
	list->version = NULL;
	list->items = 0;
	kube_ahead_drop(list->ahead);
	list->ahead = NULL;
}

static void listing_release(struct listing *list)
{
	listing_reset(list);
	strbuf_release(&list->scratch);
	free(list->api_version);
	free(list->list_kind);
}

#define auto_listing __attribute__((cleanup(listing_release)))

static bool same(const char *a, const char *b)
{
	return a && strcmp(a, b) == 0;
}

/* Show a foreign string in an error. */
static char *shown(const char *text)
{
	struct strbuf out = STRBUF_INIT;

	if (text)
		text_escape(&out, text, strlen(text), 80);
	return strbuf_detach(&out, NULL);
}

/* ---- items ---- */

/* What the server leaves out of items of built-in kinds the page says for them; but another's is not of the list that it claims to be. */
static bool item_says(const struct listing *list, const json_t *item, const char *key, const char *expected)
{
	const json_t *value = json_object_get(item, key);

	return value ? same(json_string_value(value), expected) : !list->foreign;
}

static int item_check_type(const struct listing *list, const json_t *item, struct error *err)
{
	const char *version = json_text_at(item, "apiVersion", NULL);
	const char *kind = json_text_at(item, "kind", NULL);
	auto_free char *seen_version = NULL;
	auto_free char *seen_kind = NULL;

	if (list->options->metadata_only && same(version, META_VERSION) && same(kind, META_KIND))
		return 0;
	if (item_says(list, item, "apiVersion", list->api_version) && item_says(list, item, "kind", list->resource->kind))
		return 0;
	seen_version = shown(version);
	seen_kind = shown(kind);
	return error_set(err, ERR_REJECTED, "item %zu is a '%s' of '%s', not a '%s' of '%s'", list->items, seen_kind, seen_version,
		list->resource->kind, list->api_version);
}

static int item_take(struct listing *list, json_t *item, struct error *err)
{
	const char *name = json_text_at(item, "metadata", "name", NULL);

	if (item_check_type(list, item, err) < 0)
		return -1;
	if (!name || !*name)
		return error_set(err, ERR_REJECTED, "item %zu has no metadata.name", list->items);
	if (json_object_set_new(item, "apiVersion", json_string(list->api_version)) < 0 ||
		json_object_set_new(item, "kind", json_string(list->resource->kind)) < 0)
		return error_set(err, ERR_FAILED, "item %zu cannot be given its kind", list->items);
	list->items++;
	return list->sink->item(item, list->sink->arg, err);
}

/* Parse one item and give it on. It is gone before the next one is looked at. */
static int item_parse(struct listing *list, const struct kube_raw *raw, struct error *err)
{
	auto_json json_t *item = NULL;

	strbuf_truncate(&list->scratch, 0);
	if (list->options->managed_fields)
		strbuf_add(&list->scratch, raw->text, raw->len);
	else
		page_item_text(raw, &list->scratch);
	item = json_read(list->scratch.buf, list->scratch.len, err);
	if (!item) {
		err->code = ERR_REJECTED;
		return error_wrap(err, "item %zu of uid '%.*s' cannot be read", list->items, (int)raw->uid_len, raw->uid ? raw->uid : "");
	}
	return item_take(list, item, err);
}

static int item_give(struct listing *list, const struct kube_raw *raw, struct error *err)
{
	int known = list->sink->raw ? list->sink->raw(raw, list->sink->arg, err) : 0;

	if (known == 0)
		return item_parse(list, raw, err);
	list->items++;
	return known < 0 ? -1 : 0;
}

static bool is_awaiting(const struct listing *list)
{
	const struct kube_list_first *first = list->options->first;

	return list->ahead || (first && first->ahead);
}

static int items_take(struct listing *list, const struct page *page, struct error *err)
{
	const json_t *items = json_object_get(page->head, "items");
	struct kube_raw raw;

	/* A nil slice in Go is null in JSON: an empty list. */
	if (!json_is_array(items) && !json_is_null(items))
		return error_set(err, ERR_REJECTED, "the page has no items");
	for (size_t i = 0; i < page->count; i++) {
		page_item(page, i, &raw);
		if (item_give(list, &raw, err) < 0)
			return -1;
		/* What was asked for comes in meanwhile. Its own faults are seen when it is taken. */
		if (is_awaiting(list) && list->items % DRIVE_ITEMS == 0 && kube_drive(list->client, 0, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- pages ---- */

/* A definition may call its list as it likes (spec.names.listKind), which discovery does not tell; what is in such a list is told by its items. */
static int page_check_type(struct listing *list, const json_t *page, struct error *err)
{
	const char *version = json_text_at(page, "apiVersion", NULL);
	const char *kind = json_text_at(page, "kind", NULL);
	const char *expected = list->options->metadata_only ? META_VERSION : list->api_version;
	auto_free char *seen_version = NULL;
	auto_free char *seen_kind = NULL;

	list->foreign = !same(kind, list->list_kind);
	if (same(version, expected) && (!list->foreign || (kind && !list->options->metadata_only)))
		return 0;
	seen_version = shown(version);
	seen_kind = shown(kind);
	return error_set(
		err, ERR_REJECTED, "the page is a '%s' of '%s', not a '%s' of '%s'", seen_kind, seen_version, list->list_kind, expected);
}

/* All pages are of one moment: else an object could be in none of them. */
static int page_check_version(struct listing *list, const json_t *page, struct error *err)
{
	const char *has = json_text_at(page, "metadata", "resourceVersion", NULL);
	const char *version = has ? has : "";
	const char *expected = list->version ? list->version : list->options->at_version;
	auto_free char *seen = NULL;

	if (expected && strcmp(expected, version) != 0) {
		seen = shown(version);
		return error_set(err, ERR_REJECTED, "the page is of resourceVersion '%s', not '%s'", seen, expected);
	}
	if (!list->version)
		list->version = xstrdup(version);
	return 0;
}

static char *page_path(const struct listing *list, const char *token)
{
	const struct kube_list_options *options = list->options;
	struct strbuf path = STRBUF_INIT;

	kube_path(&path, list->resource, options->namespace_, NULL);
	strbuf_addf(&path, "?limit=%zu", options->page_size > 0 ? options->page_size : (size_t)PAGE_SIZE);
	if (options->name) {
		strbuf_adds(&path, "&fieldSelector=metadata.name%3D");
		http_escape(&path, options->name);
	}
	if (token) {
		strbuf_adds(&path, "&continue=");
		http_escape(&path, token);
	} else if (options->at_version) {
		/* Only on the first page: the token carries the version to the others, and the server refuses both together. */
		strbuf_adds(&path, "&resourceVersionMatch=Exact&resourceVersion=");
		http_escape(&path, options->at_version);
	}
	return strbuf_detach(&path, NULL);
}

/* The token of the next page; NULL after the last. Borrowed from list. */
static int page_next(struct listing *list, const json_t *page, const char **next, struct error *err)
{
	const json_t *value = json_at(page, "metadata", "continue", NULL);
	const char *token = json_text_at(page, "metadata", "continue", NULL);

	*next = NULL;
	if (!value || json_is_null(value))
		return 0;
	if (!token)
		return error_set(err, ERR_REJECTED, "the page's continue token is not text");
	if (!*token)
		return 0;
	if (strlist_contains(&list->tokens, token))
		return error_set(err, ERR_REJECTED, "the server repeats a continue token: the list has no end");
	strlist_add(&list->tokens, token);
	*next = list->tokens.items[list->tokens.count - 1];
	return 0;
}

static int page_keep(struct strbuf *body, void *arg, struct error *err)
{
	return page_read(arg, body, err);
}

/* The page that was asked for ahead: 1, 0 when there is none to be had that way. */
static int page_ahead(struct listing *list, struct page *page, struct error *err)
{
	auto_strbuf struct strbuf body = STRBUF_INIT;
	struct kube_ahead *ahead = list->ahead;
	int64_t wait = -1;

	list->ahead = NULL;
	if (!ahead)
		return 0;
	if (kube_ahead_take(list->client, ahead, &body, &wait, err) == 0 && page_read(page, &body, err) == 0)
		return 1;
	/* Who is told to come back after the deadline fails now, as with a page that was not asked for ahead. */
	if (!answer_is_worth_asking(err) || wait >= PAGE_DEADLINE_MS)
		return -1;
	log_debug("list of %s: %s; asking again", list->resource->resource, err->text);
	error_clear(err);
	if (wait > 0)
		clock_sleep_ms(wait);
	return 0;
}

static struct kube_request page_request(const struct listing *list, const char *path)
{
	return (struct kube_request){
		.method = "GET",
		.path = path,
		.accept = list->options->metadata_only ? META_ACCEPT : NULL,
		.deadline_ms = PAGE_DEADLINE_MS,
	};
}

static int page_get(struct listing *list, const char *token, struct page *page, struct error *err)
{
	auto_free char *path = page_path(list, token);
	struct kube_request request = page_request(list, path);
	int came = page_ahead(list, page, err);

	return came == 0 ? kube_call_raw(list->client, &request, page_keep, page, err) : came < 0 ? -1 : 0;
}

/* Ask for the page after this one, and see that the request leaves. */
static int page_ask_ahead(struct listing *list, const char *token, struct error *err)
{
	auto_free char *path = page_path(list, token);
	struct kube_request request = page_request(list, path);

	list->ahead = kube_ask_ahead(list->client, &request);
	return list->ahead ? kube_drive(list->client, 0, err) : 0;
}

static int page_take(struct listing *list, const char *token, const char **next, struct error *err)
{
	__attribute__((cleanup(page_release))) struct page page = PAGE_INIT;

	if (page_get(list, token, &page, err) < 0 || page_check_type(list, page.head, err) < 0 ||
		page_check_version(list, page.head, err) < 0 || page_next(list, page.head, next, err) < 0)
		return -1;
	if (*next && page_ask_ahead(list, *next, err) < 0)
		return -1;
	if (!*next && list->sink->last)
		list->sink->last(list->version, list->sink->arg);
	return items_take(list, &page, err);
}

/* ---- starts ---- */

/*
 * *expired: the server forgot the version between two pages (etcd compacts every five minutes). An ERR_GONE of the sink is its own
 * affair, so only the request's counts.
 */
static int list_once(struct listing *list, bool *expired, struct error *err)
{
	const char *token = NULL;

	do {
		size_t before = list->items;

		if (page_take(list, token, &token, err) < 0) {
			*expired = err->code == ERR_GONE && list->items == before;
			return -1;
		}
	} while (token);
	return 0;
}

static bool may_restart(const struct listing *list, bool expired, int starts)
{
	if (!expired || starts >= STARTS_MAX || list->options->at_version)
		return false;
	return list->sink->restart || !list->version;
}

static int list_all(struct listing *list, struct error *err)
{
	bool expired = false;
	int starts = 1;

	while (list_once(list, &expired, err) < 0) {
		if (!may_restart(list, expired, starts++))
			return -1;
		log_debug("list of %s: %s; starting over", list->resource->resource, err->text);
		if (list->sink->restart)
			list->sink->restart(list->sink->arg);
		listing_reset(list);
		error_clear(err);
	}
	return 0;
}

static int list_wrap(const struct listing *list, struct error *err)
{
	const struct kube_resource *resource = list->resource;
	const char *dot = *resource->group ? "." : "";

	if (list->options->namespace_ && *list->options->namespace_)
		return error_wrap(
			err, "list of %s%s%s in namespace '%s'", resource->resource, dot, resource->group, list->options->namespace_);
	return error_wrap(err, "list of %s%s%s", resource->resource, dot, resource->group);
}

static void listing_init(struct listing *list)
{
	list->api_version = kube_api_version(list->resource);
	list->list_kind = list->options->metadata_only ? xstrdup(META_KIND "List") : xasprintf("%sList", list->resource->kind);
}

/* ---- the first page ---- */

void kube_list_first_drop(struct kube_list_first *first)
{
	kube_ahead_drop(first->ahead);
	free(first->path);
	*first = (struct kube_list_first){0};
}

void kube_list_ask(struct kube_client *client, const struct kube_resource *resource, const struct kube_list_options *options,
	struct kube_list_first *first)
{
	const struct listing list = {.client = client, .resource = resource, .options = options};
	struct error ignored = ERROR_INIT; /* whoever waits for it is told again */
	struct kube_request request;

	kube_list_first_drop(first);
	first->path = page_path(&list, NULL);
	request = page_request(&list, first->path);
	first->ahead = kube_ask_ahead(client, &request);
	if (first->ahead)
		(void)kube_drive(client, 0, &ignored);
}

void kube_list_expect(struct kube_client *client, const struct kube_resource *resource, const struct kube_list_options *options)
{
	const struct listing list = {.client = client, .resource = resource, .options = options};
	auto_free char *path = page_path(&list, NULL);
	const struct kube_request request = page_request(&list, path);

	kube_expect(client, &request);
}

/* It is this list's first page, or nobody's. */
static void first_take(struct listing *list)
{
	struct kube_list_first *first = list->options->first;
	auto_free char *path = page_path(list, NULL);

	if (!first)
		return;
	if (same(first->path, path)) {
		list->ahead = first->ahead;
		first->ahead = NULL;
	}
	kube_list_first_drop(first);
}

/* ---- a list ---- */

int kube_list(struct kube_client *client, const struct kube_resource *resource, const struct kube_list_options *options,
	const struct kube_list_sink *sink, char **resource_version, struct error *err)
{
	auto_listing struct listing list = {
		.client = client, .resource = resource, .options = options, .sink = sink, .scratch = STRBUF_INIT};

	listing_init(&list);
	first_take(&list);
	if (list_all(&list, err) < 0)
		return list_wrap(&list, err);
	if (resource_version)
		*resource_version = xstrdup(list.version);
	return 0;
}
