/* SPDX-License-Identifier: Apache-2.0 */
/* Who set a field, by managedFields as API servers write them; and the words for it. */
#include "support.h"

#include <string.h>

#include "object/blame.h"
#include "object/change.h"
#include "object/object.h"
#include "util/error.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"

static json_t *parse(const char *text)
{
	struct error err = ERROR_INIT;
	auto_free char *quoted = xstrdup(text);
	json_t *value;

	for (char *c = quoted; *c; c++)
		if (*c == '\'')
			*c = '"';
	value = json_read(quoted, strlen(quoted), &err);
	if (!value)
		fail_msg("%s", err.text);
	return value;
}

static const char object_text[] =
	"{'apiVersion':'s.io/v1','kind':'Service','metadata':{'name':'a','namespace':'prod','labels':{'app.io/"
	"team':'x'},'finalizers':['one','two']},"
	"'spec':{'replicas':2,'args':['a','b'],'containers':[{'name':'init','image':'i'},{'name':'main','image':'m',"
	"'ports':[{'containerPort':80,'protocol':'TCP'},{'containerPort':81,'protocol':'TCP'}]}]}}";

static const char managers_text[] =
	"["
	"{'manager':'helm','operation':'Apply','time':'2026-01-01T00:00:00Z','fieldsV1':{'f:metadata':{'f:labels':{'f:app.io/"
	"team':{}},'f:finalizers':"
	"{'.':{},'v:\\\"one\\\"':{}}},'f:spec':{'f:replicas':{},'f:args':{},'f:containers':{'k:{\\\"name\\\":\\\"main\\\"}':{'.':{},'f:"
	"name':{},'f:image':{},"
	"'f:ports':{'k:{\\\"containerPort\\\":81,\\\"protocol\\\":\\\"TCP\\\"}':{'f:containerPort':{}}}}}}}},"
	"{'manager':'kubectl-edit','operation':'Update','time':'2026-02-12T16:38:09Z','fieldsV1':{'f:spec':{'f:replicas':{}}}},"
	"{'manager':'kserve','operation':'Update','subresource':'status','time':'2026-03-01T00:00:00Z','fieldsV1':{'f:spec':{'f:replicas':{"
	"}},'f:status':{}}},"
	"{'manager':'scaler','operation':'Update','subresource':'scale','time':'2026-02-01T00:00:00Z','fieldsV1':{'f:spec':{'f:max':{}}}},"
	"{'manager':'kubectl','operation':'Update','time':'2026-02-02T00:00:00Z','fieldsV1':{'f:spec':{'f:list':{'i:1':{}}}}}"
	"]";

/* manager NULL: nobody. */
static void assert_owner(const char *path, const char *manager)
{
	auto_json json_t *object = parse(object_text), *managers = parse(managers_text);
	struct blame blame;
	bool found = blame_field(managers, object, path, &blame);

	if (!manager) {
		assert_false(found);
		return;
	}
	assert_true(found);
	assert_string_equal(blame.manager, manager);
}

static void test_the_newest_of_the_owners_is_named(void **state)
{
	(void)state;
	assert_owner("spec.replicas", "kubectl-edit");
}

static void test_a_quoted_key_is_one_key(void **state)
{
	(void)state;
	assert_owner("metadata.labels['app.io/team']", "helm");
	assert_owner("metadata.labels['app.io/other']", NULL);
}

static void test_list_items_are_found_by_their_keys(void **state)
{
	(void)state;
	assert_owner("spec.containers[name=main].image", "helm");
	assert_owner("spec.containers[1 name=main].image", "helm");
	assert_owner("spec.containers[name=init].image", NULL);
	assert_owner("spec.containers[name=main].ports[1].containerPort", "helm");
	assert_owner("spec.containers[name=main].ports[0].containerPort", NULL);
}

static void test_items_of_sets_are_found_by_their_value(void **state)
{
	(void)state;
	assert_owner("metadata.finalizers[0]", "helm");
	assert_owner("metadata.finalizers[1]", NULL);
}

static void test_items_are_found_by_their_position(void **state)
{
	(void)state;
	assert_owner("spec.list[1]", "kubectl");
	assert_owner("spec.list[0]", NULL);
}

/* A list that merges as one value is owned whole, with {} where its items would be. */
static void test_an_atomic_list_is_owned_whole(void **state)
{
	(void)state;
	assert_owner("spec.args[1]", "helm");
}

static void test_a_part_is_enough_for_a_field_that_is_told_whole(void **state)
{
	(void)state;
	assert_owner("spec.containers", "helm");
	assert_owner("spec.containers[name=main]", "helm");
}

static void test_scaling_is_writing(void **state)
{
	(void)state;
	assert_owner("spec.max", "scaler");
}

static void test_what_is_gone_has_no_owner(void **state)
{
	(void)state;
	assert_owner("spec.gone", NULL);
	assert_owner("spec.gone[name=x].y", NULL);
	assert_owner("", NULL);
}

/* An API server writes no such thing, and a proxy in between might. */
static void test_malformed_fields_own_nothing(void **state)
{
	static const char *const managers[] = {"{}", "[]", "[1]", "[{'manager':'x','time':'t','fieldsV1':'f:spec'}]",
		"[{'fieldsV1':{'f:spec':{'f:replicas':{}}}}]",
		"[{'manager':'x','time':'t','fieldsV1':{'f:spec':{'k:{':{},'v:':{},'i:':{}}}}]"};
	auto_json json_t *object = parse(object_text);
	struct blame blame;

	(void)state;
	for (size_t i = 0; i < sizeof(managers) / sizeof(managers[0]); i++) {
		auto_json json_t *fields = parse(managers[i]);

		assert_false(blame_field(fields, object, "spec.replicas", &blame));
		assert_false(blame_field(fields, object, "spec[0", &blame));
	}
	assert_false(blame_field(NULL, object, "spec.replicas", &blame));
}

static void test_the_newest_time_passes_status_over(void **state)
{
	auto_json json_t *managers = parse(managers_text);

	(void)state;
	assert_string_equal(blame_newest(managers), "2026-02-12T16:38:09Z");
	assert_null(blame_newest(NULL));
}

static void test_the_creator_wrote_when_it_was_made(void **state)
{
	auto_json json_t *managers = parse(managers_text);
	struct blame blame;

	(void)state;
	assert_true(blame_creator(managers, "2026-01-01T00:00:00Z", &blame));
	assert_string_equal(blame.manager, "helm");
	assert_false(blame_creator(managers, "2025-01-01T00:00:00Z", &blame));
	assert_false(blame_creator(managers, NULL, &blame));
}

/* ---- words ---- */

static void assert_words(const json_t *change, const char *expected)
{
	auto_strbuf struct strbuf words = STRBUF_INIT;

	change_words(change, json_array_get(json_object_get(change, "fields"), 0), &words);
	assert_string_equal(words.buf, expected);
}

#define WORDS "Service prod/a: spec.replicas 3 -> 2 (kubectl-edit, 2026-02-12T16:38Z)"

static void test_words_come_back_from_the_message_that_holds_them(void **state)
{
	auto_json json_t *now = parse(object_text), *before = json_deep_copy(now), *managers = parse(managers_text), *record = NULL,
			 *change = NULL, *again = NULL;
	struct object *old, *new_;
	struct error err = ERROR_INIT;

	(void)state;
	json_object_set_new(json_object_get(before, "spec"), "replicas", json_integer(3));
	assert_int_equal(object_new(&old, "services", before, &err), 0);
	assert_int_equal(object_new(&new_, "services", now, &err), 0);
	record = change_record(NULL, managers);
	change = change_between(old, new_);
	again = json_deep_copy(change);
	change_blame(change, record, new_);
	assert_words(change, WORDS);
	change_recall(again, "prod: 1 objects\n\nchanged " WORDS "\n\nCaptured-At: x\n");
	assert_words(again, WORDS);
	object_free(old);
	object_free(new_);
}

static void test_another_change_in_the_message_says_nothing(void **state)
{
	auto_json json_t *change = parse("{'change':'changed','kind':'Service','namespace':'prod','name':'a','manager':null,'time':null,"
					 "'fields':[{'path':'spec.replicas','old':'3','new':'2','manager':null,'time':null}]}");

	(void)state;
	change_recall(change, "x\n\nchanged Service prod/a: spec.replicas 3 -> 2\nchanged Service prod/ab: spec.replicas 3 -> 2 (x, y)\n");
	assert_words(change, "Service prod/a: spec.replicas 3 -> 2");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_newest_of_the_owners_is_named),
		cmocka_unit_test(test_a_quoted_key_is_one_key),
		cmocka_unit_test(test_list_items_are_found_by_their_keys),
		cmocka_unit_test(test_items_of_sets_are_found_by_their_value),
		cmocka_unit_test(test_items_are_found_by_their_position),
		cmocka_unit_test(test_an_atomic_list_is_owned_whole),
		cmocka_unit_test(test_a_part_is_enough_for_a_field_that_is_told_whole),
		cmocka_unit_test(test_scaling_is_writing),
		cmocka_unit_test(test_what_is_gone_has_no_owner),
		cmocka_unit_test(test_malformed_fields_own_nothing),
		cmocka_unit_test(test_the_newest_time_passes_status_over),
		cmocka_unit_test(test_the_creator_wrote_when_it_was_made),
		cmocka_unit_test(test_words_come_back_from_the_message_that_holds_them),
		cmocka_unit_test(test_another_change_in_the_message_says_nothing),
	};

	return cmocka_run_group_tests_name("object_blame", tests, NULL, NULL);
}
