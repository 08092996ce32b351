/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <string.h>

#include "object/fieldpath.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"

static json_t *json_of(const char *text)
{
	struct error err = ERROR_INIT;
	json_t *value = json_read(text, strlen(text), &err);

	assert_string_equal(err.text, "");
	return value;
}

static struct fieldpath *path_of(const char *text)
{
	struct error err = ERROR_INIT;
	struct fieldpath *path = NULL;

	fieldpath_parse(&path, text, &err);
	assert_string_equal(err.text, "");
	return path;
}

static int note(json_t *value, const char *concrete, void *arg)
{
	strbuf_adds(arg, concrete);
	strbuf_addc(arg, '=');
	json_write(value, arg);
	strbuf_addc(arg, ' ');
	return 0;
}

static void assert_named(const char *path_text, const char *json, const char *expected)
{
	auto_strbuf struct strbuf found = STRBUF_INIT;
	auto_json json_t *value = json_of(json);
	struct fieldpath *path = path_of(path_text);

	assert_int_equal(fieldpath_each(value, path, note, &found), 0);
	assert_string_equal(found.buf, expected);
	assert_string_equal(fieldpath_text(path), path_text);
	fieldpath_free(path);
}

static void assert_left(const char *path_text, const char *json, size_t removed, const char *expected)
{
	auto_strbuf struct strbuf left = STRBUF_INIT;
	auto_json json_t *value = json_of(json);
	struct fieldpath *path = path_of(path_text);

	assert_int_equal(fieldpath_remove_but(value, path, NULL), removed);
	json_write(value, &left);
	assert_string_equal(left.buf, expected);
	fieldpath_free(path);
}

static void test_names_a_field(void **state)
{
	(void)state;
	assert_named("spec.a.b", "{\"spec\":{\"a\":{\"b\":1}}}", "spec.a.b=1 ");
	assert_named("spec.a.b", "{\"spec\":{\"a\":[]}}", "");
	assert_named("spec", "[]", "");
}

static void test_names_every_item(void **state)
{
	(void)state;
	assert_named(
		"c[].env[].v", "{\"c\":[{\"env\":[{\"v\":1},{\"w\":2}]},7,{\"env\":[{\"v\":3}]}]}", "c[0].env[0].v=1 c[2].env[0].v=3 ");
	assert_named("a[][]", "{\"a\":[[1],[2,3]]}", "a[0][0]=1 a[1][0]=2 a[1][1]=3 ");
}

static void test_names_quoted_keys(void **state)
{
	(void)state;
	assert_named("m['a.b/c'].d", "{\"m\":{\"a.b/c\":{\"d\":1}}}", "m['a.b/c'].d=1 ");
	assert_named("['it''s']", "{\"it's\":1}", "['it''s']=1 ");
	assert_named("['']", "{\"\":1}", "['']=1 ");
}

static void test_star_in_quotes_is_any_run(void **state)
{
	(void)state;
	assert_named("m['x/*']", "{\"m\":{\"x/b\":2,\"x/a\":1,\"y\":3}}", "m['x/a']=1 m['x/b']=2 ");
	assert_named("m['*'].n", "{\"m\":{\"b\":{\"n\":2},\"a\":{\"n\":1}}}", "m.a.n=1 m.b.n=2 ");
}

static void test_names_items_by_a_field(void **state)
{
	(void)state;
	assert_named("s[name=*-t-??].x", "{\"s\":[{\"name\":\"a-t-11\",\"x\":1},{\"name\":\"a-t-111\",\"x\":2},{\"x\":3}]}", "s[0].x=1 ");
	assert_named("s[1]", "{\"s\":[1,2,3]}", "s[1]=2 ");
	assert_named("s[9]", "{\"s\":[1,2,3]}", "");
}

static void test_question_mark_names_only_what_is_empty(void **state)
{
	(void)state;
	assert_named("a?", "{\"a\":[]}", "a=[] ");
	assert_named("a?", "{\"a\":[1]}", "");
	assert_named("a[].b?", "{\"a\":[{\"b\":{}},{\"b\":\"\"},{\"b\":0}]}", "a[0].b={} a[1].b=\"\" ");
}

static int stop_at_second(json_t *value, const char *concrete, void *arg)
{
	(void)value;
	(void)concrete;
	return ++*(int *)arg == 2 ? 42 : 0;
}

static void test_walk_ends_where_fn_says_so(void **state)
{
	auto_json json_t *value = json_of("{\"a\":[1,2,3]}");
	struct fieldpath *path = path_of("a[]");
	int calls = 0;

	(void)state;
	assert_int_equal(fieldpath_each(value, path, stop_at_second, &calls), 42);
	assert_int_equal(calls, 2);
	fieldpath_free(path);
}

static void test_missing_names_maps_that_lack_the_last_key(void **state)
{
	auto_strbuf struct strbuf found = STRBUF_INIT;
	auto_json json_t *value = json_of("{\"a\":[{\"b\":1},{},{\"c\":2},3]}");
	struct fieldpath *path = path_of("a[].b");

	(void)state;
	assert_int_equal(fieldpath_each_missing(value, path, note, &found), 0);
	assert_string_equal(found.buf, "a[1].b={} a[2].b={\"c\":2} ");
	fieldpath_free(path);
}

static void test_removes_and_leaves_empty_containers(void **state)
{
	(void)state;
	assert_left("a.b", "{\"a\":{\"b\":1}}", 1, "{\"a\":{}}");
	assert_left("a[]", "{\"a\":[1,2]}", 2, "{\"a\":[]}");
	assert_left("a[].b", "{\"a\":[{\"b\":1,\"c\":2},{\"c\":3}]}", 1, "{\"a\":[{\"c\":2},{\"c\":3}]}");
	assert_left("a[1]", "{\"a\":[1,2,3]}", 1, "{\"a\":[1,3]}");
	assert_left("a['x*']", "{\"a\":{\"x1\":1,\"x2\":2,\"y\":3}}", 2, "{\"a\":{\"y\":3}}");
	assert_left("a[n=x*]", "{\"a\":[{\"n\":\"x1\"},{\"n\":\"y\"},{\"n\":\"x2\"}]}", 2, "{\"a\":[{\"n\":\"y\"}]}");
	assert_left("a[].b?", "{\"a\":[{\"b\":[]},{\"b\":[1]}]}", 1, "{\"a\":[{},{\"b\":[1]}]}");
	assert_left("x.y", "{\"a\":1}", 0, "{\"a\":1}");
}

static void test_faults_name_the_column(void **state)
{
	static const struct {
		const char *path, *text;
	} rows[] = {
		{"", "no key at column 1 of field path ''"},
		{"a..b", "no key at column 3 of field path 'a..b'"},
		{"a.", "no key at column 3 of field path 'a.'"},
		{"a b", "stray character at column 2 of field path 'a b'"},
		{"a*", "stray character at column 2 of field path 'a*'"},
		{"a[", "no field and '=' in [] at column 3 of field path 'a['"},
		{"a['b", "no closing '] at column 5 of field path 'a['b'"},
		{"a['b'", "no closing '] at column 5 of field path 'a['b''"},
		{"a[x]", "no field and '=' in [] at column 4 of field path 'a[x]'"},
		{"a[x=y", "no closing ] at column 6 of field path 'a[x=y'"},
		{"a[1x]", "no position in [] at column 3 of field path 'a[1x]'"},
		{"a[1234567890]", "no position in [] at column 3 of field path 'a[1234567890]'"},
		{"a?b", "stray character at column 3 of field path 'a?b'"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct error err = ERROR_INIT;
		struct fieldpath *path = NULL;
		assert_int_equal(fieldpath_parse(&path, rows[i].path, &err), -1);
		support_assert_error(&err, ERR_SYNTAX, rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_a_field),
		cmocka_unit_test(test_names_every_item),
		cmocka_unit_test(test_names_quoted_keys),
		cmocka_unit_test(test_star_in_quotes_is_any_run),
		cmocka_unit_test(test_names_items_by_a_field),
		cmocka_unit_test(test_question_mark_names_only_what_is_empty),
		cmocka_unit_test(test_walk_ends_where_fn_says_so),
		cmocka_unit_test(test_missing_names_maps_that_lack_the_last_key),
		cmocka_unit_test(test_removes_and_leaves_empty_containers),
		cmocka_unit_test(test_faults_name_the_column),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
