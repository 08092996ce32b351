/* SPDX-License-Identifier: Apache-2.0 */
/* Label selectors and amounts, as the API machinery reads them. */
#include "support.h"

#include "fake_cluster.h"
#include "object/quantity.h"
#include "object/selector.h"
#include "util/json.h"

#define LABELS "{'app':'web','tier':'3'}"

static bool matches(const char *selector)
{
	auto_json json_t *wanted = fake_value(selector), *labels = fake_value(LABELS);

	return selector_matches(wanted, labels);
}

static void test_an_empty_selector_matches_everything(void **state)
{
	(void)state;
	assert_true(matches("{}"));
	assert_true(selector_matches(NULL, NULL));
}

static void test_labels_must_all_have_their_value(void **state)
{
	(void)state;
	assert_true(matches("{'matchLabels':{'app':'web','tier':'3'}}"));
	assert_false(matches("{'matchLabels':{'app':'web','tier':'4'}}"));
	assert_false(matches("{'matchLabels':{'team':''}}"));
}

#define EXPRESSION(key, operator, values) "{'matchExpressions':[{'key':'" key "','operator':'" operator"','values':[" values "]}]}"

static void test_expressions(void **state)
{
	(void)state;
	assert_true(matches(EXPRESSION("app", "In", "'shop','web'")));
	assert_false(matches(EXPRESSION("app", "In", "'shop'")));
	assert_false(matches(EXPRESSION("team", "In", "'ml'")));
	assert_false(matches(EXPRESSION("app", "NotIn", "'web'")));
	assert_true(matches(EXPRESSION("team", "NotIn", "'ml'")));
	assert_true(matches(EXPRESSION("app", "Exists", "")));
	assert_false(matches(EXPRESSION("team", "Exists", "")));
	assert_true(matches(EXPRESSION("team", "DoesNotExist", "")));
	assert_false(matches(EXPRESSION("app", "DoesNotExist", "")));
	assert_true(matches(EXPRESSION("tier", "Gt", "'2'")));
	assert_false(matches(EXPRESSION("tier", "Gt", "'3'")));
	assert_true(matches(EXPRESSION("tier", "Lt", "'4'")));
	assert_false(matches(EXPRESSION("app", "Lt", "'4'")));
}

static double amount(const char *text)
{
	auto_json json_t *value = json_string(text);
	double out = -1;

	return quantity_read(value, &out) ? out : -1;
}

static void test_amounts(void **state)
{
	auto_json json_t *four = json_integer(4);
	double out;

	(void)state;
	assert_true(quantity_read(four, &out) && out == 4);
	assert_true(amount("8") == 8);
	assert_true(amount("250m") == 0.25);
	assert_true(amount("16Gi") == 16.0 * 1073741824.0);
	assert_true(amount("1e3") == 1000);
	assert_true(amount("2k") == 2000);
	assert_true(amount("many") == -1);
	assert_true(amount("4 Gi") == -1);
	assert_true(amount("") == -1);
	assert_false(quantity_read(NULL, &out));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_empty_selector_matches_everything),
		cmocka_unit_test(test_labels_must_all_have_their_value),
		cmocka_unit_test(test_expressions),
		cmocka_unit_test(test_amounts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
