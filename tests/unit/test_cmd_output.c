/* SPDX-License-Identifier: Apache-2.0 */
/* What people see: lines, tables, and the report of a restore. */
#include "support.h"

#include "../../cmd/output.c"
#include "../../cmd/restore_print.c"
#include "../../cmd/tables.c"

static json_t *json_of(const char *text)
{
	struct error err = ERROR_INIT;
	json_t *value = json_read(text, strlen(text), &err);

	assert_string_equal(err.text, "");
	return value;
}

static void assert_text(const struct output *out, const char *expected)
{
	assert_string_equal(out->text.buf, expected);
}

static void assert_has(const struct output *out, const char *expected)
{
	if (!strstr(out->text.buf, expected))
		fail_msg("not in the output: %s\n%s", expected, out->text.buf);
}

#define auto_output __attribute__((cleanup(output_release)))

static void test_table_aligns_and_trims(void **state)
{
	static const struct column columns[] = {
		{"NAME", "name", CELL_TEXT, 0}, {"N", "n", CELL_NUMBER, 0}, {"LAST", "last", CELL_TEXT, 0}, {NULL, NULL, CELL_TEXT, 0}};
	auto_json json_t *rows = json_of("[{\"name\":\"a\",\"n\":5,\"last\":\"x\"},{\"name\":\"longer\",\"n\":100,\"last\":null}]");
	auto_output struct output out;

	(void)state;
	output_init(&out, STDOUT_FILENO, COLOR_NEVER);
	output_table(&out, rows, columns);
	assert_text(&out,
		"NAME      N  LAST\n"
		"a         5  x\n"
		"longer  100  -\n");
}

static void test_table_of_nothing_is_nothing(void **state)
{
	static const struct column columns[] = {{"NAME", "name", CELL_TEXT, 0}, {NULL, NULL, CELL_TEXT, 0}};
	auto_json json_t *rows = json_array();
	auto_output struct output out;

	(void)state;
	output_init(&out, STDOUT_FILENO, COLOR_NEVER);
	output_table(&out, rows, columns);
	assert_text(&out, "");
}

/* A name of another cluster must neither move the cursor nor break the row. */
static void test_foreign_text_is_escaped_everywhere(void **state)
{
	static const struct column columns[] = {
		{"NAME", "name", CELL_STATUS, 0}, {"KEYS", "keys", CELL_TEXT, 0}, {NULL, NULL, CELL_TEXT, 0}};
	auto_json json_t *rows = json_of("[{\"name\":\"a\\u001b[31m\\nb\",\"keys\":[\"x\\u0000y\",\"z\\u202e\"]}]");
	auto_output struct output out;

	(void)state;
	output_init(&out, STDOUT_FILENO, COLOR_ALWAYS);
	output_table(&out, rows, columns);
	output_line(&out, "%s", "\033[2Jx\n");
	output_field(&out, "label", "%s", "\r");
	output_status(&out, "", "\033", "%s", "\033");
	assert_null(strchr(out.text.buf, '\033'));
	assert_null(strchr(out.text.buf, '\r'));
	assert_has(&out, "a\\x1B[31m\\nb  x\\x00y, z\\u{202E}\n");
}

static void test_only_status_words_have_color(void **state)
{
	auto_output struct output out;

	(void)state;
	output_init(&out, STDOUT_FILENO, COLOR_ALWAYS);
	output_status(&out, "rto", "met", "pass");
	output_line(&out, "pass");
	assert_text(&out, "rto          \033[32mmet\033[0m pass\npass\n");
}

static void test_document_is_ascii(void **state)
{
	auto_json json_t *value = json_of("{\"b\":\"\\u009b\",\"a\":1}");
	auto_output struct output out;

	(void)state;
	output_init(&out, STDOUT_FILENO, COLOR_ALWAYS);
	output_document(&out, OUTPUT_JSON, value);
	assert_text(&out, "{\n  \"a\": 1,\n  \"b\": \"\\u009B\"\n}\n");
}

static void test_long_help_wraps(void **state)
{
	auto_output struct output out;

	(void)state;
	output_init(&out, STDOUT_FILENO, COLOR_NEVER);
	output_pair(&out, 4, "-o", "words");
	output_pair(&out, 4, "--longer", "words");
	assert_text(&out, "  -o    words\n  --longer\n        words\n");
}

static void test_change_is_a_line_a_field(void **state)
{
	auto_json json_t *changes =
		json_of("[{\"change\":\"changed\",\"kind\":\"LLMInferenceService\",\"namespace\":\"ns\",\"name\":\"qwen\",\"fields\":["
			"{\"path\":\"spec.replicas\",\"old\":\"3\",\"new\":\"0\"},{\"path\":\"spec.x\",\"old\":\"(none)\",\"new\":\"1\"}]},"
			"{\"change\":\"added\",\"kind\":\"Namespace\",\"namespace\":\"\",\"name\":\"prod\",\"fields\":[]}]");
	auto_output struct output out;

	(void)state;
	output_init(&out, STDOUT_FILENO, COLOR_NEVER);
	table_changes(&out, changes);
	assert_text(&out,
		"changed LLMInferenceService ns/qwen: spec.replicas 3 -> 0\n"
		"changed LLMInferenceService ns/qwen: spec.x (none) -> 1\n"
		"added Namespace prod\n");
}

static const char report_text[] =
	"{\"snapshot\":{\"name\":\"x\",\"cluster\":\"prod\",\"clusterId\":\"id\",\"commit\":\"abc\",\"capturedAt\":null,\"verified\":true,"
	"\"edits\":[]},"
	"\"target\":{\"id\":\"other\",\"server\":\"v1.34.0\",\"url\":\"https://target\"},"
	"\"waves\":[{\"name\":\"namespaces\",\"gate\":null,\"gateMilliseconds\":null,\"applyMilliseconds\":12,\"actions\":["
	"{\"action\":\"create\",\"kind\":\"Namespace\",\"namespace\":\"\",\"name\":\"a\",\"reason\":null,\"fields\":[],\"result\":"
	"\"created\",\"error\":null},"
	"{\"action\":\"conflict\",\"kind\":\"Namespace\",\"namespace\":\"\",\"name\":\"b\",\"reason\":\"differs\",\"fields\":[{\"path\":"
	"\"metadata.labels.x\","
	"\"live\":\"1\",\"snapshot\":\"2\"}],\"result\":\"conflict\",\"error\":null}]}],"
	"\"counts\":{\"created\":1,\"conflict\":1},\"findings\":[{\"object\":\"Namespace a\",\"path\":\"spec.y\",\"text\":\"dropped\"}],"
	"\"converge\":{\"pending\":1,\"text\":\"LLMInferenceService ns/q: Ready is False\"},"
	"\"probes\":[{\"probe\":\"object\",\"object\":\"Namespace "
	"a\",\"result\":\"pass\",\"expected\":\"equal\",\"observed\":\"equal\",\"reason\":null,"
	"\"milliseconds\":0,\"evidence\":[]},{\"probe\":\"ready\",\"object\":\"LLMInferenceService "
	"ns/q\",\"result\":\"fail\",\"expected\":\"Ready True\","
	"\"observed\":\"Ready False\",\"reason\":\"not ready\",\"milliseconds\":1,\"evidence\":[\"condition Ready: False\"]}],"
	"\"phases\":[{\"name\":\"declare\",\"milliseconds\":null,\"how\":"
	"\"missing\"},{\"name\":\"apply\",\"milliseconds\":1500,\"how\":\"measured\"}],"
	"\"rto\":{\"targetMilliseconds\":1800000,\"knownMilliseconds\":1500,\"marginMilliseconds\":1798500,\"verdict\":\"at "
	"least\",\"missing\":[\"declare\"]}}";

static void test_restore_report(void **state)
{
	auto_json json_t *report = json_of(report_text);
	auto_output struct output out;

	(void)state;
	output_init(&out, STDOUT_FILENO, COLOR_NEVER);
	print_restore(&out, report);
	assert_has(&out, "target       https://target (v1.34.0)\n");
	assert_has(&out, "namespaces        1       -        -        -         1       -        -        -     -   0.0s\n");
	assert_has(&out, "conflict Namespace b: differs\n    metadata.labels.x: 1 on the target, 2 in the snapshot\n");
	assert_has(&out, "LLMInferenceService ns/q: Ready is False\n");
	assert_has(&out, "probes       1 pass, 1 fail, 0 changed, 0 not tested\n");
	assert_has(&out, "    condition Ready: False\n");
	assert_has(&out, "not known: declare\n");
	assert_null(strstr(out.text.buf, "object  Namespace a"));
}

/* A restore that broke off has no probes and may have no converge. */
static void test_restore_report_without_probes(void **state)
{
	auto_json json_t *report = json_of(report_text);
	auto_output struct output out;

	(void)state;
	json_object_set_new(report, "probes", json_null());
	json_object_set_new(report, "converge", json_null());
	output_init(&out, STDOUT_FILENO, COLOR_NEVER);
	print_restore(&out, report);
	assert_has(&out, "probes       not tested (stopped after the apply)\n");
}

static void test_plan(void **state)
{
	auto_json json_t *plan = json_of(report_text);
	auto_output struct output out;

	(void)state;
	json_object_set_new(plan, "environment",
		json_of("[{\"object\":\"Gateway ns/g\",\"path\":\"spec.addresses[0].value\",\"value\":\"10.0.0.1\"}]"));
	json_object_set_new(plan, "nodes", json_of("[{\"object\":\"LLMInferenceService ns/a\",\"path\":\"spec.template\",\"pods\":3}]"));
	output_init(&out, STDOUT_FILENO, COLOR_NEVER);
	print_plan(&out, plan);
	assert_has(&out, "LLMInferenceService ns/a  spec.template  3");
	assert_has(&out, "Gateway ns/g  spec.addresses[0].value  \"10.0.0.1\"\n");
	assert_has(&out, "conflict Namespace b: differs\n");
}

/* A template of a config makes no pods itself: nobody knows how many there will be. */
static void test_needs_of_nodes(void **state)
{
	auto_json json_t *nodes = json_of("[{\"object\":\"LLMInferenceService ns/a\",\"path\":\"spec.template\",\"pods\":3,"
					  "\"accelerators\":[{\"name\":\"nvidia.com/"
					  "gpu\",\"each\":2,\"all\":6}],\"tolerations\":[{\"key\":\"gpu\",\"value\":\"l4\",\"effect\":"
					  "\"NoSchedule\"},{\"operator\":\"Exists\"}]},"
					  "{\"object\":\"LLMInferenceServiceConfig "
					  "ns/c\",\"path\":\"spec.template\",\"nodeSelector\":{\"gpu\":\"l4\",\"zone\":\"b\"}}]");
	auto_output struct output out;

	(void)state;
	output_init(&out, STDOUT_FILENO, COLOR_NEVER);
	table_nodes(&out, nodes);
	assert_text(&out,
		"What the pods need of nodes:\n"
		"OBJECT                          PODS OF        PODS  ACCELERATORS                     NODE LABELS     TOLERATIONS\n"
		"LLMInferenceService ns/a        spec.template  3     nvidia.com/gpu 2 each, 6 in all  -               gpu=l4:NoSchedule, "
		"any\n"
		"LLMInferenceServiceConfig ns/c  spec.template  -     -                                gpu=l4, zone=b  -\n");
}

static void test_installation(void **state)
{
	auto_json json_t *requirements =
		json_of("{\"controllers\":[{\"kind\":\"Deployment\",\"namespace\":\"kserve\",\"name\":\"m\",\"image\":\"i:v1\"}],"
			"\"presets\":[],\"webhooks\":[{\"configuration\":\"Hooks h\",\"name\":\"w\",\"service\":\"kserve/s\","
			"\"failurePolicy\":\"Fail\",\"kinds\":[\"a.b\",\"c.d\"]}],\"notRead\":[\"secrets\"]}");
	auto_output struct output out;

	(void)state;
	output_init(&out, STDOUT_FILENO, COLOR_NEVER);
	table_installation(&out, requirements);
	assert_has(&out, "Deployment  kserve     m     i:v1\n");
	assert_has(&out, "Hooks h        w        kserve/s  Fail        a.b, c.d\n");
	assert_has(&out, "not read     secrets\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_aligns_and_trims),
		cmocka_unit_test(test_table_of_nothing_is_nothing),
		cmocka_unit_test(test_foreign_text_is_escaped_everywhere),
		cmocka_unit_test(test_only_status_words_have_color),
		cmocka_unit_test(test_document_is_ascii),
		cmocka_unit_test(test_long_help_wraps),
		cmocka_unit_test(test_change_is_a_line_a_field),
		cmocka_unit_test(test_restore_report),
		cmocka_unit_test(test_restore_report_without_probes),
		cmocka_unit_test(test_plan),
		cmocka_unit_test(test_needs_of_nodes),
		cmocka_unit_test(test_installation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
