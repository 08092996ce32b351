/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_api.h"
#include "kube/client.h"
#include "kube/discovery.h"
#include "kube/kubeconfig.h"
#include "kube/list.h"
#include "util/error.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static struct kube_resource routes = {.group = (char[]){"g.io"},
	.version = (char[]){"v1"},
	.resource = (char[]){"httproutes"},
	.kind = (char[]){"HTTPRoute"},
	.namespaced = true};

/* What a list gave: "a b !c" for items a and b, a restart, item c. */
struct run {
	struct strbuf seen;
	char *version;
	char *log; /* of the server */
	int result;
	struct error err;
	const char *stop_at; /* the sink fails at this item */
	size_t wrong_type;
	struct kube_client *client; /* with first: the list behind this one is asked for when the last page has come */
	struct kube_list_first *first;
};

static int take(json_t *item, void *arg, struct error *err)
{
	struct run *run = arg;
	const char *name = json_text_at(item, "metadata", "name", NULL);
	const char *version = json_text_at(item, "apiVersion", NULL);
	const char *kind = json_text_at(item, "kind", NULL);

	assert_non_null(name);
	if (run->stop_at && strcmp(run->stop_at, name) == 0)
		return error_set(err, ERR_GONE, "enough");
	run->wrong_type += !version || !kind || strcmp(version, "g.io/v1") != 0 || strcmp(kind, "HTTPRoute") != 0;
	strbuf_addf(&run->seen, "%s ", name);
	return 0;
}

static void restart(void *arg)
{
	struct run *run = arg;

	strbuf_adds(&run->seen, "!");
}

/* At the version of this list, of which nothing has been shown yet. */
static void ask_for_next(const char *version, void *arg)
{
	struct run *run = arg;
	const struct kube_list_options next = {.at_version = version};

	strbuf_adds(&run->seen, "? ");
	kube_list_ask(run->client, &routes, &next, run->first);
}

static void list_with(
	struct run *run, const struct fake_exchange *script, size_t count, const struct kube_list_options *options, bool restartable)
{
	struct fake_api *api = fake_api_start(script, count);
	auto_free char *server = xstrdup(fake_api_url(api));
	char source[] = "test", space[] = "default";
	struct kube_config config = {.server = server, .source = source, .namespace_ = space};
	struct kube_list_sink sink = {.item = take, .restart = restartable ? restart : NULL, .arg = run};
	struct kube_client *client = NULL;

	run->seen = (struct strbuf)STRBUF_INIT;
	assert_int_equal(kube_client_new(&client, &config, &run->err), 0);
	run->result = kube_list(client, &routes, options, &sink, &run->version, &run->err);
	run->log = fake_api_log(api);
	kube_client_free(client);
	fake_api_stop(api);
}

static void list(struct run *run, const struct fake_exchange *script, size_t count)
{
	static const struct kube_list_options options = {0};

	list_with(run, script, count, &options, true);
}

static void release(struct run *run)
{
	strbuf_release(&run->seen);
	free(run->version);
	free(run->log);
}

static void assert_good(struct run *run, const char *seen, const char *version)
{
	if (run->result < 0)
		fail_msg("%s", run->err.text);
	assert_string_equal(run->seen.buf, seen);
	assert_string_equal(run->version, version);
	assert_int_equal(run->wrong_type, 0);
	assert_int_equal(run->err.code, ERR_NONE);
	release(run);
}

static void assert_bad(struct run *run, const char *text)
{
	assert_int_equal(run->result, -1);
	assert_string_equal(run->err.text, text);
	assert_null(run->version);
	release(run);
}

#define PAGE_OF(kind, version, rv, token, items)                                                                                           \
	"{\"kind\":\"" kind "\",\"apiVersion\":\"" version "\",\"metadata\":{\"resourceVersion\":\"" rv "\",\"continue\":\"" token         \
	"\"},\"items\":[" items "]}"
#define PAGE(rv, token, items) PAGE_OF("HTTPRouteList", "g.io/v1", rv, token, items)
#define ITEM(name) "{\"metadata\":{\"name\":\"" name "\"}}"
#define TYPED(kind, version) "{\"kind\":\"" kind "\",\"apiVersion\":\"" version "\",\"metadata\":{\"name\":\"a\"}}"
#define EXPIRED "{\"kind\":\"Status\",\"message\":\"The provided continue parameter is too old\",\"reason\":\"Expired\",\"code\":410}"
#define OK(text)                                                                                                                           \
	{                                                                                                                                  \
		.status = 200, .body = text                                                                                                \
	}
#define GONE                                                                                                                               \
	{                                                                                                                                  \
		.status = 410, .body = EXPIRED                                                                                             \
	}

/* ---- what is a list ---- */

/* Fewer items than asked for, or none, with a token are legal: only the token says that there is more. */
static void test_follows_the_token(void **state)
{
	const struct fake_exchange script[] = {
		{.path = "GET /apis/g.io/v1/httproutes?limit=500 ", .status = 200, .body = PAGE("7", "t+1", ITEM("a"))},
		{.path = "?limit=500&continue=t%2B1 ", .status = 200, .body = PAGE("7", "t2", "")},
		{.path = "?limit=500&continue=t2 ", .status = 200, .body = PAGE("7", "", ITEM("b") "," TYPED("HTTPRoute", "g.io/v1"))},
	};
	struct run run = {0};

	(void)state;
	list(&run, script, COUNT(script));
	assert_good(&run, "a b a ", "7");
}

static void test_empty_lists(void **state)
{
	const struct fake_exchange none[] = {OK(PAGE("7", "", ""))};
	const struct fake_exchange null[] = {OK("{\"kind\":\"HTTPRouteList\",\"apiVersion\":\"g.io/v1\",\"metadata\":{},\"items\":null}")};
	struct run run = {0};

	(void)state;
	list(&run, none, 1);
	assert_good(&run, "", "7");
	run = (struct run){0};
	list(&run, null, 1);
	assert_good(&run, "", "");
}

static void test_asks_as_told(void **state)
{
	const struct kube_list_options options = {.namespace_ = "ns", .page_size = 2, .at_version = "7"};
	const struct fake_exchange script[] = {
		{.path = "GET /apis/g.io/v1/namespaces/ns/httproutes?limit=2&resourceVersionMatch=Exact&resourceVersion=7 ",
			.status = 200,
			.body = PAGE("7", "t", ITEM("a"))},
		{.path = "GET /apis/g.io/v1/namespaces/ns/httproutes?limit=2&continue=t ", .status = 200, .body = PAGE("7", "", ITEM("b"))},
	};
	struct run run = {0};

	(void)state;
	list_with(&run, script, COUNT(script), &options, true);
	assert_good(&run, "a b ", "7");
}

/* Metadata only: the items still say what they are, not how they were asked for. */
static void test_metadata_items_carry_the_kind(void **state)
{
	const struct kube_list_options options = {.metadata_only = true};
	const struct fake_exchange script[] = {OK(PAGE_OF(
		"PartialObjectMetadataList", "meta.k8s.io/v1", "7", "", TYPED("PartialObjectMetadata", "meta.k8s.io/v1") "," ITEM("b")))};
	struct run run = {0};

	(void)state;
	list_with(&run, script, COUNT(script), &options, true);
	assert_non_null(strstr(run.log, "Accept: application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1\r\n"));
	assert_good(&run, "a b ", "7");
}

/* A page counts only when it is complete, whether the connection or the JSON ended too early. */
static void test_a_truncated_page_is_asked_for_again(void **state)
{
	const struct fake_exchange script[] = {
		OK(PAGE("7", "t", ITEM("a"))),
		{.status = 200, .body = PAGE("7", "", ITEM("b")), .cut = 60},
		OK("{\"kind\":\"HTTPRouteList\",\"apiVersion\":\"g.io/v1\",\"items\":[" ITEM("b")),
		OK(PAGE("7", "", ITEM("b"))),
	};
	struct run run = {0};

	(void)state;
	list(&run, script, COUNT(script));
	assert_good(&run, "a b ", "7");
}

/* ---- items ---- */

/* Custom resources come with their keys in alphabetical order: metadata behind the items. */
static void test_metadata_may_come_after_the_items(void **state)
{
	const struct fake_exchange script[] = {
		OK("{\"apiVersion\":\"g.io/v1\",\"items\":[" ITEM(
			"a") "],\"kind\":\"HTTPRouteList\",\"metadata\":{\"continue\":\"t\",\"resourceVersion\":\"7\"}}\n"),
		OK("{ \"kind\" : \"HTTPRouteList\", \"apiVersion\":\"g.io/v1\", \"items\" : [ " ITEM("b") " , " ITEM(
			"c") " ] , \"metadata\" : {\"resourceVersion\":\"7\"} }"),
	};
	struct run run = {0};

	(void)state;
	list(&run, script, COUNT(script));
	assert_good(&run, "a b c ", "7");
}

#define REST "\"name\":\"a\""
#define FIELDS "\"managedFields\":[{\"manager\":\"x\",\"fieldsV1\":{\"f:a\":{},\"f:]}\\\"\":{}}}]"

/* What a sink sees of an item before and after it is parsed. */
struct look {
	char raw[400];
	bool has_fields;
	size_t keys;
	const char *skip;
	size_t items;
};

static int look_raw(const struct kube_raw *raw, void *arg, struct error *err)
{
	struct look *look = arg;

	(void)err;
	(void)snprintf(look->raw, sizeof(look->raw), "%.*s|%.*s|%.*s", (int)raw->uid_len, raw->uid ? raw->uid : "", (int)raw->version_len,
		raw->version ? raw->version : "", (int)raw->managed_fields_len, raw->managed_fields ? raw->managed_fields : "");
	return look->skip && raw->uid_len == strlen(look->skip) && memcmp(raw->uid, look->skip, raw->uid_len) == 0;
}

static int look_item(json_t *item, void *arg, struct error *err)
{
	struct look *look = arg;
	const json_t *metadata = json_object_get(item, "metadata");

	(void)err;
	look->items++;
	look->has_fields = json_object_get(metadata, "managedFields") != NULL;
	look->keys = json_object_size(metadata);
	return 0;
}

static void look_at(struct look *look, const char *items)
{
	auto_free char *page = xasprintf(
		"{\"kind\":\"HTTPRouteList\",\"apiVersion\":\"g.io/v1\",\"metadata\":{\"resourceVersion\":\"7\"},\"items\":[%s]}", items);
	const struct fake_exchange script[] = {OK(page)};
	const struct kube_list_options options = {0};
	const struct kube_list_sink sink = {.raw = look_raw, .item = look_item, .arg = look};
	struct fake_api *api = fake_api_start(script, 1);
	auto_free char *server = xstrdup(fake_api_url(api));
	char source[] = "test", space[] = "default";
	struct kube_config config = {.server = server, .source = source, .namespace_ = space};
	struct kube_client *client = NULL;
	struct error err = ERROR_INIT;

	assert_int_equal(kube_client_new(&client, &config, &err), 0);
	if (kube_list(client, &routes, &options, &sink, NULL, &err) < 0)
		fail_msg("%s", err.text);
	kube_client_free(client);
	fake_api_stop(api);
}

/* First, in the middle, last, alone, with spaces: the rest is as it was. */
static void test_managed_fields_are_cut_before_the_parse(void **state)
{
	static const char *const items[] = {"{\"metadata\":{" FIELDS "," REST "}}", "{\"metadata\":{\"uid\":\"u\"," FIELDS "," REST "}}",
		"{\"metadata\":{" REST "," FIELDS "}}", "{\"metadata\":{ " REST " , " FIELDS " } , \"spec\" : {} }"};

	(void)state;
	for (size_t i = 0; i < COUNT(items); i++) {
		struct look look = {0};

		look_at(&look, items[i]);
		assert_int_equal(look.items, 1);
		assert_false(look.has_fields);
		assert_int_equal(look.keys, i == 1 ? 2 : 1);
		assert_non_null(strstr(look.raw, "[{\"manager\":\"x\""));
	}
}

static void test_the_sink_is_shown_uid_and_version_first(void **state)
{
	struct look look = {0};

	(void)state;
	look_at(&look, "{\"metadata\":{" REST ",\"uid\":\"u-1\",\"resourceVersion\":\"42\"},\"spec\":{\"metadata\":{\"uid\":\"no\"}}}");
	assert_string_equal(look.raw, "u-1|42|");
	look_at(&look, "{\"metadata\":{" REST ",\"uid\":\"u\\u002d1\",\"resourceVersion\":42}}");
	assert_string_equal(look.raw, "||");
}

static void test_an_item_that_the_sink_knows_is_not_parsed(void **state)
{
	struct look look = {.skip = "known"};

	(void)state;
	look_at(&look, "{\"metadata\":{\"uid\":\"known\"," REST "},\"broken\":tru},{\"metadata\":{" REST "}}");
	assert_int_equal(look.items, 1);
}

/* ---- what is not ---- */

static void assert_page_refused(const char *page, const char *text)
{
	const struct fake_exchange script[] = {OK(page)};
	struct run run = {0};

	list(&run, script, 1);
	assert_int_equal(run.err.code, ERR_REJECTED);
	assert_bad(&run, text);
}

static void test_refuses_another_list(void **state)
{
	(void)state;
	assert_page_refused(PAGE_OF("GRPCRouteList", "g.io/v1", "7", "", ITEM("a")),
		"list of httproutes.g.io: item 0 is a '' of '', not a 'HTTPRoute' of 'g.io/v1'");
	assert_page_refused(PAGE_OF("GRPCRouteList", "g.io/v1", "7", "", TYPED("GRPCRoute", "g.io/v1")),
		"list of httproutes.g.io: item 0 is a 'GRPCRoute' of 'g.io/v1', not a 'HTTPRoute' of 'g.io/v1'");
	assert_page_refused("{\"apiVersion\":\"g.io/v1\",\"metadata\":{},\"items\":[]}",
		"list of httproutes.g.io: the page is a '' of 'g.io/v1', not a 'HTTPRouteList' of 'g.io/v1'");
	assert_page_refused(PAGE_OF("HTTPRouteList", "g.io/v2", "7", "", ""),
		"list of httproutes.g.io: the page is a 'HTTPRouteList' of 'g.io/v2', not a 'HTTPRouteList' of 'g.io/v1'");
	assert_page_refused("{}", "list of httproutes.g.io: the page is a '' of '', not a 'HTTPRouteList' of 'g.io/v1'");
	assert_page_refused("[]", "list of httproutes.g.io: the page is a '' of '', not a 'HTTPRouteList' of 'g.io/v1'");
	assert_page_refused("{\"kind\":\"HTTPRouteList\",\"apiVersion\":\"g.io/v1\"}", "list of httproutes.g.io: the page has no items");
}

/* A definition's own spec.names.listKind: the items say what they are, as those of a custom kind always do. */
static void test_a_list_may_have_another_name(void **state)
{
	static const struct fake_exchange script[] = {OK(PAGE_OF("AllRoutes", "g.io/v1", "7", "t", TYPED("HTTPRoute", "g.io/v1"))),
		OK(PAGE_OF("AllRoutes", "g.io/v1", "7", "", ""))};
	struct run run = {0};

	(void)state;
	list(&run, script, 2);
	assert_string_equal(run.err.text, "");
	assert_int_equal(run.wrong_type, 0);
	release(&run);
}

static void test_refuses_other_items(void **state)
{
	(void)state;
	assert_page_refused(PAGE("7", "", ITEM("x") "," TYPED("GRPCRoute", "g.io/v1")),
		"list of httproutes.g.io: item 1 is a 'GRPCRoute' of 'g.io/v1', not a 'HTTPRoute' of 'g.io/v1'");
	assert_page_refused(PAGE("7", "", TYPED("HTTPRoute", "g.io/v2")),
		"list of httproutes.g.io: item 0 is a 'HTTPRoute' of 'g.io/v2', not a 'HTTPRoute' of 'g.io/v1'");
	assert_page_refused(PAGE("7", "", TYPED("PartialObjectMetadata", "meta.k8s.io/v1")),
		"list of httproutes.g.io: item 0 is a 'PartialObjectMetadata' of 'meta.k8s.io/v1', not a 'HTTPRoute' of 'g.io/v1'");
	assert_page_refused(PAGE("7", "", "{\"kind\":1,\"metadata\":{\"name\":\"a\"}}"),
		"list of httproutes.g.io: item 0 is a '' of '', not a 'HTTPRoute' of 'g.io/v1'");
	assert_page_refused(PAGE("7", "", "{}"), "list of httproutes.g.io: item 0 has no metadata.name");
	assert_page_refused(PAGE("7", "", "3"), "list of httproutes.g.io: item 0 has no metadata.name");
	assert_page_refused(PAGE("7", "", ITEM("x") ",{\"metadata\":{\"uid\":\"u-1\",\"name\":\"a\"},\"spec\":{\"a\\u0000\":1}}"),
		"list of httproutes.g.io: item 1 of uid 'u-1' cannot be read: line 1, column 54: a key holds U+0000, which no snapshot can "
		"keep");
}

static void test_refuses_a_repeated_token(void **state)
{
	const struct fake_exchange script[] = {OK(PAGE("7", "t", ITEM("a"))), OK(PAGE("7", "u", ITEM("b"))), OK(PAGE("7", "t", ITEM("c")))};
	struct run run = {0};

	(void)state;
	list(&run, script, COUNT(script));
	assert_bad(&run, "list of httproutes.g.io: the server repeats a continue token: the list has no end");
}

static void test_refuses_a_page_of_another_moment(void **state)
{
	const struct kube_list_options options = {.at_version = "6"};
	const struct fake_exchange script[] = {OK(PAGE("7", "t", ITEM("a"))), OK(PAGE("8", "", ITEM("b")))};
	struct run run = {0};

	(void)state;
	list(&run, script, COUNT(script));
	assert_bad(&run, "list of httproutes.g.io: the page is of resourceVersion '8', not '7'");
	run = (struct run){0};
	list_with(&run, script, COUNT(script), &options, true);
	assert_bad(&run, "list of httproutes.g.io: the page is of resourceVersion '7', not '6'");
}

static void test_a_refusal_names_the_list(void **state)
{
	const struct kube_list_options options = {.namespace_ = "ns"};
	const struct fake_exchange script[] = {{.status = 403, .body = "{\"kind\":\"Status\",\"message\":\"httproutes is forbidden\"}"}};
	struct run run = {0};

	(void)state;
	list_with(&run, script, 1, &options, true);
	assert_int_equal(run.err.code, ERR_FORBIDDEN);
	assert_bad(&run, "list of httproutes.g.io in namespace 'ns': httproutes is forbidden");
}

/* ---- 410 ---- */

static void test_410_starts_over(void **state)
{
	const struct fake_exchange script[] = {
		OK(PAGE("7", "t", ITEM("a"))), GONE, OK(PAGE("9", "t", ITEM("a"))), OK(PAGE("9", "", ITEM("b")))};
	struct run run = {0};

	(void)state;
	list(&run, script, COUNT(script));
	assert_good(&run, "a !a b ", "9");
}

static void test_the_third_410_fails(void **state)
{
	const struct fake_exchange script[] = {OK(PAGE("7", "t", ITEM("a"))), GONE, GONE, OK(PAGE("9", "t", ITEM("a"))), GONE};
	struct run run = {0};

	(void)state;
	list(&run, script, COUNT(script));
	assert_int_equal(run.err.code, ERR_GONE);
	assert_bad(&run, "list of httproutes.g.io: The provided continue parameter is too old");
}

static void test_410_fails_a_sink_that_cannot_forget(void **state)
{
	const struct kube_list_options options = {0};
	const struct fake_exchange late[] = {OK(PAGE("7", "t", ITEM("a"))), GONE, OK(PAGE("9", "", ITEM("a")))};
	const struct fake_exchange early[] = {GONE, OK(PAGE("9", "", ITEM("a")))};
	struct run run = {0};

	(void)state;
	list_with(&run, late, COUNT(late), &options, false);
	assert_bad(&run, "list of httproutes.g.io: The provided continue parameter is too old");
	run = (struct run){0};
	list_with(&run, early, COUNT(early), &options, false);
	assert_good(&run, "a ", "9");
}

/* To ask for an old version again gives the same answer: the caller has to choose a newer one. */
static void test_410_at_a_version_is_the_callers(void **state)
{
	const struct kube_list_options options = {.at_version = "7"};
	const struct fake_exchange script[] = {GONE, OK(PAGE("7", "", ITEM("a")))};
	struct run run = {0};

	(void)state;
	list_with(&run, script, COUNT(script), &options, true);
	assert_int_equal(run.err.code, ERR_GONE);
	assert_bad(&run, "list of httproutes.g.io: The provided continue parameter is too old");
}

/* The sink's own errors end the list, whatever their code. */
static void test_the_sink_can_end_the_list(void **state)
{
	const struct fake_exchange script[] = {OK(PAGE("7", "", ITEM("a") "," ITEM("b"))), OK(PAGE("7", "", ITEM("a")))};
	struct run run = {.stop_at = "b"};

	(void)state;
	list(&run, script, COUNT(script));
	assert_string_equal(run.seen.buf, "a ");
	assert_bad(&run, "list of httproutes.g.io: enough");
}

/* ---- the list behind this one ---- */

/* Two lists, the first page of the second being asked for during the first. */
static void list_twice(struct run *run, const struct fake_exchange *script, size_t count, const struct kube_list_options *second)
{
	struct fake_api *api = fake_api_start(script, count);
	auto_free char *server = xstrdup(fake_api_url(api));
	char source[] = "test", space[] = "default";
	struct kube_config config = {.server = server, .source = source, .namespace_ = space};
	struct kube_list_first first = {0};
	struct kube_list_options options = {.first = &first};
	const struct kube_list_sink asking = {.item = take, .last = ask_for_next, .arg = run}, sink = {.item = take, .arg = run};

	run->seen = (struct strbuf)STRBUF_INIT;
	run->first = &first;
	assert_int_equal(kube_client_new(&run->client, &config, &run->err), 0);
	assert_int_equal(kube_list(run->client, &routes, &options, &asking, NULL, &run->err), 0);
	options = *second;
	options.first = &first;
	run->result = kube_list(run->client, &routes, &options, &sink, &run->version, &run->err);
	assert_null(first.path);
	assert_null(first.ahead);
	run->log = fake_api_log(api);
	kube_client_free(run->client);
	fake_api_stop(api);
}

static void test_the_next_list_is_asked_for_once(void **state)
{
	const struct kube_list_options second = {.at_version = "7"};
	const struct fake_exchange script[] = {
		{.path = "?limit=500 ", .status = 200, .body = PAGE("7", "t", ITEM("a"))},
		{.path = "?limit=500&continue=t ", .status = 200, .body = PAGE("7", "", ITEM("b"))},
		{.path = "?limit=500&resourceVersionMatch=Exact&resourceVersion=7 ", .status = 200, .body = PAGE("7", "", ITEM("c"))},
	};
	struct run run = {0};

	(void)state;
	list_twice(&run, script, COUNT(script), &second);
	assert_good(&run, "a ? b c ", "7");
}

static void test_what_was_asked_for_may_be_another_list(void **state)
{
	const struct kube_list_options second = {.namespace_ = "ns"};
	const struct fake_exchange script[] = {
		{.path = "?limit=500 ", .status = 200, .body = PAGE("7", "", ITEM("a"))},
		{.path = "&resourceVersion=7 ", .status = 200, .body = PAGE("7", "", ITEM("c"))},
		{.path = "/namespaces/ns/httproutes?limit=500 ", .status = 200, .body = PAGE("9", "", ITEM("d"))},
	};
	struct run run = {0};

	(void)state;
	list_twice(&run, script, COUNT(script), &second);
	assert_good(&run, "? a d ", "9");
}

/* One try: whoever needs it then asks in earnest. */
static void test_what_was_asked_for_may_have_failed(void **state)
{
	const struct kube_list_options second = {.at_version = "7"};
	const struct fake_exchange script[] = {
		{.path = "?limit=500 ", .status = 200, .body = PAGE("7", "", ITEM("a"))},
		{.path = "&resourceVersion=7 ", .status = 503},
		{.path = "&resourceVersion=7 ", .status = 200, .body = PAGE("7", "", ITEM("c"))},
	};
	struct run run = {0};

	(void)state;
	list_twice(&run, script, COUNT(script), &second);
	assert_good(&run, "? a c ", "7");
}

/* Nothing is gained by waiting for as long as the deadline is, and asking then: the answer would still be this one. */
static void test_what_was_asked_for_may_be_refused_for_longer_than_the_deadline(void **state)
{
	const struct kube_list_options second = {.at_version = "7"};
	const struct fake_exchange script[] = {
		{.path = "?limit=500 ", .status = 200, .body = PAGE("7", "", ITEM("a"))},
		{.path = "&resourceVersion=7 ", .status = 503, .headers = "Retry-After: 3600\r\n"},
		{.path = "&resourceVersion=7 ", .status = 200, .body = PAGE("7", "", ITEM("c"))},
	};
	struct run run = {0};

	(void)state;
	list_twice(&run, script, COUNT(script), &second);
	assert_string_equal(run.seen.buf, "? a ");
	assert_int_equal(run.err.code, ERR_UNAVAILABLE);
	assert_int_equal(run.result, -1);
	release(&run);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_follows_the_token),
		cmocka_unit_test(test_empty_lists),
		cmocka_unit_test(test_asks_as_told),
		cmocka_unit_test(test_metadata_items_carry_the_kind),
		cmocka_unit_test(test_a_truncated_page_is_asked_for_again),
		cmocka_unit_test(test_metadata_may_come_after_the_items),
		cmocka_unit_test(test_managed_fields_are_cut_before_the_parse),
		cmocka_unit_test(test_the_sink_is_shown_uid_and_version_first),
		cmocka_unit_test(test_an_item_that_the_sink_knows_is_not_parsed),
		cmocka_unit_test(test_refuses_another_list),
		cmocka_unit_test(test_a_list_may_have_another_name),
		cmocka_unit_test(test_refuses_other_items),
		cmocka_unit_test(test_refuses_a_repeated_token),
		cmocka_unit_test(test_refuses_a_page_of_another_moment),
		cmocka_unit_test(test_a_refusal_names_the_list),
		cmocka_unit_test(test_410_starts_over),
		cmocka_unit_test(test_the_third_410_fails),
		cmocka_unit_test(test_410_fails_a_sink_that_cannot_forget),
		cmocka_unit_test(test_410_at_a_version_is_the_callers),
		cmocka_unit_test(test_the_sink_can_end_the_list),
		cmocka_unit_test(test_the_next_list_is_asked_for_once),
		cmocka_unit_test(test_what_was_asked_for_may_be_another_list),
		cmocka_unit_test(test_what_was_asked_for_may_have_failed),
		cmocka_unit_test(test_what_was_asked_for_may_be_refused_for_longer_than_the_deadline),
	};

	return cmocka_run_group_tests_name("kube_list", tests, NULL, NULL);
}
