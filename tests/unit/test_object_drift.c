/* SPDX-License-Identifier: Apache-2.0 */
/* Where a live object is no longer as it was applied. */
#include "support.h"

#include <string.h>

#include "object/drift.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"

static void note(const char *path, const json_t *applied, const json_t *live, void *arg)
{
	strbuf_addf(arg, "%s ", path);
	diff_print_value(arg, path, applied);
	strbuf_adds(arg, " -> ");
	diff_print_value(arg, path, live);
	strbuf_addc(arg, '\n');
}

/* Both texts are the body of an object, with ' for ". */
static void assert_drift(const char *applied, const char *live, const char *expected)
{
	auto_free char *whole = xasprintf("{'apiVersion':'v1','kind':'K',%s}", applied),
		       *text = xasprintf("{'apiVersion':'v1','kind':'K',%s}", live);
	auto_strbuf struct strbuf told = STRBUF_INIT;
	auto_json json_t *object = NULL;
	struct error err = ERROR_INIT;

	for (char *c = whole; *c; c++)
		*c = (char)(*c == '\'' ? '"' : *c);
	for (char *c = text; *c; c++)
		*c = (char)(*c == '\'' ? '"' : *c);
	object = json_read(text, strlen(text), &err);
	assert_non_null(object);
	if (!json_at(object, "metadata", "annotations", NULL))
		json_object_set_new(json_object_get(object, "metadata"), "annotations", json_object());
	json_object_set_new(
		json_at(object, "metadata", "annotations", NULL), "kubectl.kubernetes.io/last-applied-configuration", json_string(whole));
	drift_look(object, note, &told);
	assert_string_equal(told.buf, expected);
}

/* The real backup of the guide: 3 were applied, 0 are there. */
static void test_a_value_that_was_changed_is_drift(void **state)
{
	(void)state;
	assert_drift("'metadata':{'name':'a'},'spec':{'replicas':3,'model':{'uri':'hf://a'}}",
		"'metadata':{'name':'a'},'spec':{'replicas':0,'model':{'uri':'hf://a'}}", "spec.replicas 3 -> 0\n");
}

static void test_a_value_that_is_gone_is_drift(void **state)
{
	(void)state;
	assert_drift("'metadata':{},'spec':{'a':1,'b':{'c':2}}", "'metadata':{},'spec':{'a':1}", "spec.b {\"c\":2} -> (none)\n");
}

static void test_what_others_added_is_none(void **state)
{
	(void)state;
	assert_drift("'metadata':{'labels':{'a':'1'}},'spec':{'containers':[{'name':'main'}]}",
		"'metadata':{'labels':{'a':'1','b':'2'},'uid':'u'},'spec':{'containers':[{'name':'main','image':'i'},{'name':'proxy'}],'x':"
		"1},'status':{}",
		"");
}

static void test_labels_and_annotations_count(void **state)
{
	(void)state;
	assert_drift("'metadata':{'name':'a','annotations':{'k':'1'},'labels':{'a':'1'}}",
		"'metadata':{'name':'b','annotations':{'k':'2'}}",
		"metadata.annotations.k \"1\" -> \"2\"\nmetadata.labels {\"a\":\"1\"} -> (none)\n");
}

static void test_an_empty_value_that_the_server_dropped_is_none(void **state)
{
	(void)state;
	assert_drift("'metadata':{'creationTimestamp':null,'labels':{}},'spec':{'a':null,'b':{},'c':[],'d':''},'status':{'x':1}",
		"'metadata':{},'spec':{}", "");
}

static void test_a_quantity_in_another_form_is_none(void **state)
{
	(void)state;
	assert_drift("'metadata':{},'spec':{'hard':{'cpu':'1000m','memory':'1024Mi','pods':10,'gpu':'0.5'}}",
		"'metadata':{},'spec':{'hard':{'cpu':'1','memory':'1Gi','pods':'10','gpu':'500m'}}", "");
	assert_drift("'metadata':{},'spec':{'hard':{'cpu':'1000m'}}", "'metadata':{},'spec':{'hard':{'cpu':'2'}}",
		"spec.hard.cpu \"1000m\" -> \"2\"\n");
}

static void test_credentials_are_redacted(void **state)
{
	(void)state;
	assert_drift("'metadata':{},'data':{'password':'one'}", "'metadata':{},'data':{'password':'two'}",
		"data.password <redacted> -> <redacted>\n");
}

static void test_another_version_cannot_be_compared(void **state)
{
	auto_json json_t *object = json_pack("{s:s, s:{s:{s:s}}, s:{s:i}}", "apiVersion", "x.io/v2", "metadata", "annotations",
		"kubectl.kubernetes.io/last-applied-configuration", "{\"apiVersion\":\"x.io/v1\",\"spec\":{\"a\":1}}", "spec", "a", 2);

	(void)state;
	assert_int_equal(drift_look(object, NULL, NULL), 0);
}

static void test_text_that_is_no_object_tells_nothing(void **state)
{
	static const char *const texts[] = {
		"", "{", "[]", "3", "{\"apiVersion\":7}", "{\"apiVersion\":\"v1\",\"metadata\":[],\"spec\":null}"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		auto_json json_t *object = json_pack("{s:s, s:{s:{s:s}}}", "apiVersion", "v1", "metadata", "annotations",
			"kubectl.kubernetes.io/last-applied-configuration", texts[i]);
		assert_int_equal(drift_look(object, NULL, NULL), 0);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_value_that_was_changed_is_drift),
		cmocka_unit_test(test_a_value_that_is_gone_is_drift),
		cmocka_unit_test(test_what_others_added_is_none),
		cmocka_unit_test(test_labels_and_annotations_count),
		cmocka_unit_test(test_an_empty_value_that_the_server_dropped_is_none),
		cmocka_unit_test(test_a_quantity_in_another_form_is_none),
		cmocka_unit_test(test_credentials_are_redacted),
		cmocka_unit_test(test_another_version_cannot_be_compared),
		cmocka_unit_test(test_text_that_is_no_object_tells_nothing),
	};

	return cmocka_run_group_tests_name("object_drift", tests, NULL, NULL);
}
