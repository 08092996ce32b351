/* SPDX-License-Identifier: Apache-2.0 */
/* Reports of records: what each rendering says, and that nothing of a hostile record becomes markup, a command or a metric in it. The page itself is in test_drill_report_html.c. */
#include "support.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "drill/chain.h"
#include "report_support.h"
#include "util/json.h"
#include "util/mem.h"

/* ---- all formats ---- */

static void test_the_same_record_gives_the_same_bytes(void **state)
{
	(void)state;
	for (const char *const *name = report_records; *name; name++) {
		for (int format = 0; format < REPORT_FORMAT_COUNT; format++) {
			auto_free char *one = report_of_name(*name, (enum report_format)format);
			auto_free char *two = report_of_name(*name, (enum report_format)format);

			assert_string_equal(one, two);
			assert_int_equal(one[strlen(one) - 1], '\n');
		}
	}
}

/* They are hashed, so they must be the ones in the chain. */
static void test_json_is_the_bytes_of_the_record(void **state)
{
	(void)state;
	for (const char *const *name = report_records; *name; name++) {
		auto_strbuf struct strbuf bytes = STRBUF_INIT;
		auto_json json_t *record = report_record(*name, &bytes);
		auto_free char *text = report_of(record, NULL, REPORT_JSON);

		assert_string_equal(text, bytes.buf);
	}
}

/* Of a file from anywhere: each member once missing and once of each other type. */
static void test_no_member_is_needed(void **state)
{
	static const char *const others[] = {"null", "7", "\"x\"", "[1, \"y\", {}]", "{\"a\": [{}]}"};
	auto_json json_t *whole = report_record("failed", NULL);
	struct error err = ERROR_INIT;
	json_t *member;
	const char *key;

	(void)state;
	json_object_foreach (whole, key, member) {
		for (size_t other = 0; other < sizeof(others) / sizeof(others[0]); other++) {
			auto_json json_t *record = json_deep_copy(whole);

			json_object_set_new(record, key, json_loads(others[other], JSON_DECODE_ANY, NULL));
			for (int format = 0; format < REPORT_FORMAT_COUNT; format++) {
				auto_free char *text = report_of(record, json_object_get(record, key), (enum report_format)format);

				assert_true(*text);
			}
		}
	}
	auto_json json_t *nothing = json_object();
	auto_json json_t *no_object = json_array();
	auto_strbuf struct strbuf out = STRBUF_INIT;

	for (int format = 0; format < REPORT_FORMAT_COUNT; format++) {
		auto_free char *text = report_of(nothing, NULL, (enum report_format)format);

		assert_true(*text);
	}
	assert_int_equal(report_render(no_object, NULL, REPORT_TEXT, &out, &err), -1);
	support_assert_error(&err, ERR_SYNTAX, "the record is no JSON object");
}

/* ---- text ---- */

static void test_text_of_a_passed_drill(void **state)
{
	auto_free char *text = report_of_name("passed", REPORT_TEXT);

	(void)state;
	assert_text_has(text,
		"Drill of prod: passed\n"
		"20261124T201500Z-3fa94c1d, onto a cluster, scenario latest, 2026-11-24T20:15:00Z to 2026-11-24T20:37:20Z\n"
		"\n"
		"Objectives:\n"
		"  Objective  Target   Achieved          Margin  Verdict  Measured\n"
		"  RTO           30m  22m 18.0s   7m 42.0s left  met      from the declared start, 2026-11-24T20:15:00Z\n"
		"  RPO         1h 0m  13m 32.0s  46m 28.0s left  met      from the capture, 2026-11-24T20:01:28Z, to the declared start, "
		"2026-11-24T20:15:00Z\n");
	assert_text_has(text, "\nNot tested:\n");
	assert_text_has(text, "\nRejections: The server took every object.\n");
	assert_text_lacks(text, "Sign-off");
}

static void test_text_names_what_failed(void **state)
{
	auto_free char *text = report_of_name("failed", REPORT_TEXT);

	(void)state;
	assert_text_has(text, "  RTO missed by 4m 2s: converge took 19m 54s\n");
	assert_text_has(text, "4m 2.0s over  missed   from the declared start");
	assert_text_has(text, "Error: INSTALLATION FAILED: context deadline exceeded");
	assert_text_has(text, "    Observed  503 Service Unavailable\n");
	assert_text_has(text, "denied the request: spec.parallelism.tensor: Invalid value: 8: must not exceed 4\n");
	assert_text_has(text, "  left behind  Namespace rhaii-inference\n");
	assert_text_has(text, "by -2.3s at 2026-10-27T02:21:07Z");
}

/* A phase that nobody timed: the RTO is never met. */
static void test_what_is_not_known_is_at_least(void **state)
{
	auto_free char *text = report_of_name("incomplete", REPORT_TEXT);
	auto_free char *junit = report_of_name("incomplete", REPORT_JUNIT);
	auto_free char *metrics = report_of_name("incomplete", REPORT_OPENMETRICS);

	(void)state;
	assert_text_has(text, "at least 18.2s");
	assert_text_has(text, "not known: declare, create-cluster, install-operators, secrets, cutover");
	assert_text_has(text, "onto a control plane of its own");
	assert_text_lacks(text, " met ");
	assert_text_has(junit, "name=\"RTO\" time=\"0.000\">\n      <skipped message=\"at least: at least 18.2s of 30m\">");
	assert_text_has(metrics, "verdict=\"met\"} 0\n");
	assert_text_has(metrics, "verdict=\"at least\"} 1\n");
	assert_text_lacks(metrics, "rhaii_dr_drill_rto_achieved_seconds{");
}

static void test_trend_is_over_the_records_given(void **state)
{
	auto_json json_t *one = report_record("failed", NULL);
	auto_json json_t *two = report_record("passed", NULL);
	auto_json json_t *trend = json_pack("[o, o]", chain_point(one), chain_point(two));
	auto_free char *text = report_of(two, trend, REPORT_TEXT);

	(void)state;
	assert_text_has(text, "20261027T021000Z-b7710e52  2026-10-27T02:10:00Z  drill  failed      34m 2.0s  converge, 19m 54.0s\n");
	assert_text_has(text, "20261124T201500Z-3fa94c1d  2026-11-24T20:15:00Z  drill  passed     22m 18.0s  create-cluster, 9m 12.0s\n");
}

/* No byte that a terminal obeys, and no text that turns its order around. */
static void assert_shows_only(const char *text)
{
	for (const char *at = text; *at; at++)
		if (((unsigned char)*at < 0x20 && *at != '\n') || *at == 0x7F)
			fail_msg("control character %d: %.40s", *at, at);
	assert_text_lacks(text, "\xE2\x80\xAE"); /* right-to-left override */
	assert_text_lacks(text, "\xC2\x85");     /* next line, of C1 */
	assert_text_lacks(text, "\xEF\xBF\xBE"); /* U+FFFE, which XML forbids */
	assert_text_lacks(text, "\xEF\xBF\xBF");
}

static void test_no_rendering_has_control_characters(void **state)
{
	(void)state;
	for (int format = 0; format < REPORT_FORMAT_COUNT; format++) {
		auto_free char *text = report_of_name("hostile", (enum report_format)format);

		if (format == REPORT_JSON) /* the record as it is, where they are escaped but for what JSON allows */
			continue;
		if (format == REPORT_HTML)
			assert_text_lacks(text, "\x1b");
		assert_shows_only(text);
		assert_text_has(text, "evil");
	}
}

/* ---- Markdown ---- */

/* What is left of the text outside its code spans; the backticks of a span stand for it. The caller frees. */
static char *without_code(const char *text)
{
	struct strbuf rest = STRBUF_INIT;

	while (*text) {
		size_t fence = strspn(text, "`");
		const char *at = text + fence;

		while (fence && *at) {
			size_t run = strspn(at, "`");

			if (run == fence)
				break;
			at += run ? run : 1;
		}
		if (fence && !*at)
			fail_msg("a code span has no end: %.60s", text);
		strbuf_addc(&rest, fence ? '`' : *text);
		text = fence ? at + fence : text + 1;
	}
	return strbuf_detach(&rest, NULL);
}

/* Bars that part cells: the escaped ones do not, wherever they stand. */
static size_t bars_of(const char *line, size_t len)
{
	size_t bars = 0;

	for (size_t i = 0; i < len; i++)
		bars += line[i] == '|' && (i == 0 || line[i - 1] != '\\');
	return bars;
}

static void test_markdown_has_no_foreign_markup(void **state)
{
	static const char *const markup[] = {
		"[", "]", "!", "*", "_", "#1", "&", "~", "\\", "://", "www.", "@", "1. one", "<script", "<img", "</"};
	auto_free char *text = report_of_name("hostile", REPORT_MARKDOWN);
	auto_free char *rest = without_code(text);

	(void)state;
	for (size_t i = 0; i < sizeof(markup) / sizeof(markup[0]); i++)
		assert_text_lacks(rest, markup[i]);
	for (const char *at = rest; (at = strchr(at, '<')); at++)
		assert_memory_equal(at, "<br>", 4);
	assert_text_has(text, "`<script>alert(1)</script>`");
	assert_text_has(text, "` `code` ``two`` `");
}

static void test_markdown_tables_keep_their_columns(void **state)
{
	auto_free char *text = report_of_name("hostile", REPORT_MARKDOWN);
	size_t columns = 0, rows = 0;

	(void)state;
	for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
		size_t len = strcspn(line, "\n");

		if (*line != '|') {
			columns = 0;
			continue;
		}
		if (columns && bars_of(line, len) != columns)
			fail_msg("%zu bars, not %zu: %.*s", bars_of(line, len), columns, (int)len, line);
		columns = bars_of(line, len);
		rows++;
	}
	assert_true(rows > 100);
	assert_text_has(text, "`\\|a\\|b\\|`");
}

/* Headings are ours alone. */
static void test_markdown_lines_start_as_we_mean_them(void **state)
{
	auto_free char *text = report_of_name("hostile", REPORT_MARKDOWN);

	(void)state;
	for (const char *line = text; *line; line = strchr(line, '\n') + 1)
		if (*line != '\n' && !strchr("|#-`", *line) && !isupper((unsigned char)*line))
			fail_msg("a line of its own: %.60s", line);
	assert_text_has(text, "\n## Sign-off\n");
}

/* ---- JUnit ---- */

static size_t count_of(const char *text, const char *what)
{
	size_t count = 0;

	for (; (text = strstr(text, what)); text += strlen(what))
		count++;
	return count;
}

static void test_junit_counts_its_cases(void **state)
{
	(void)state;
	for (const char *const *name = report_records; *name; name++) {
		auto_free char *text = report_of_name(*name, REPORT_JUNIT);
		auto_free char *counts = xasprintf(" tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\">\n  <testsuite ",
			count_of(text, "<testcase "), count_of(text, "<failure "), count_of(text, "<skipped "));

		assert_text_has(text, counts);
		assert_int_equal(count_of(text, "<testsuite "), count_of(text, "</testsuite>"));
	}
}

static void test_junit_of_a_failed_drill(void **state)
{
	auto_free char *text = report_of_name("failed", REPORT_JUNIT);

	(void)state;
	assert_text_has(text, "<failure message=\"missed: 34m 2.0s of 30m\">");
	assert_text_has(
		text, "  <testsuite name=\"probe: endpoint\" tests=\"2\" failures=\"1\" errors=\"0\" skipped=\"0\" time=\"32.151\">\n");
	assert_text_has(text, "<failure message=\"the model does not answer\">expected: /health, a model and a completion\n");
	assert_text_has(text, "<failure message=\"the command of the phase failed\">");
	assert_text_has(text, "name=\"wave services\" time=\"21.700\">\n      <failure ");
	assert_text_has(text, "classname=\"cleanup\" name=\"cleanup\" time=\"98.000\">\n      <failure message=\"partial\">");
}

/* Only our own elements, and no entity but the five of XML. */
static void test_junit_has_no_foreign_markup(void **state)
{
	static const char *const ours[] = {"<?xml ", "<testsuites ", "</testsuites>", "<testsuite ", "</testsuite>", "<testcase ",
		"</testcase>", "<failure ", "</failure>", "<skipped ", "</skipped>", "<system-out>", "</system-out>", "&amp;", "&lt;",
		"&gt;", "&quot;", "&#39;"};
	auto_free char *text = report_of_name("hostile", REPORT_JUNIT);

	(void)state;
	for (const char *at = text; (at = strpbrk(at, "<&")); at++) {
		size_t i = 0;

		while (i < sizeof(ours) / sizeof(ours[0]) && strncmp(at, ours[i], strlen(ours[i])) != 0)
			i++;
		if (i == sizeof(ours) / sizeof(ours[0]))
			fail_msg("foreign markup: %.60s", at);
	}
	assert_text_lacks(text, "]]>");
}

/* ---- OpenMetrics ---- */

static bool is_sample(const char *line, size_t len)
{
	const char *end = line + len;
	bool quoted = false;

	if (strncmp(line, "rhaii_dr_drill_", 15) != 0)
		return false;
	while (line < end && (islower((unsigned char)*line) || *line == '_'))
		line++;
	if (*line != '{')
		return false;
	for (; line < end && (quoted || *line != '}'); line++) {
		if (quoted && *line == '\\')
			line++;
		else if (*line == '"')
			quoted = !quoted;
	}
	if (line >= end || line[1] != ' ')
		return false;
	return strspn(line + 2, "-0123456789.") == (size_t)(end - line - 2);
}

static void test_openmetrics_lines_are_ours(void **state)
{
	(void)state;
	for (const char *const *name = report_records; *name; name++) {
		auto_free char *text = report_of_name(*name, REPORT_OPENMETRICS);

		for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
			size_t len = strcspn(line, "\n");

			if (!is_sample(line, len) && strncmp(line, "# HELP rhaii_dr_drill_", 22) != 0 &&
				strncmp(line, "# TYPE rhaii_dr_drill_", 22) != 0 && strcmp(line, "# EOF\n") != 0)
				fail_msg("not a line of ours: %.*s", (int)len, line);
		}
	}
}

static void test_openmetrics_of_a_failed_drill(void **state)
{
	auto_free char *text = report_of_name("failed", REPORT_OPENMETRICS);

	(void)state;
	assert_text_has(text,
		"# TYPE rhaii_dr_drill_rto_margin_seconds "
		"gauge\nrhaii_dr_drill_rto_margin_seconds{cluster=\"prod\",kind=\"drill\",mode=\"real\"} -242.000\n");
	assert_text_has(text, "rhaii_dr_drill_phase_seconds{cluster=\"prod\",kind=\"drill\",mode=\"real\",phase=\"converge\"} 1194.000\n");
	assert_text_has(text, "rhaii_dr_drill_probes{cluster=\"prod\",kind=\"drill\",mode=\"real\",result=\"fail\"} 3\n");
	assert_text_has(text, "rhaii_dr_drill_exit_code{cluster=\"prod\",kind=\"drill\",mode=\"real\"} 3\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_same_record_gives_the_same_bytes),
		cmocka_unit_test(test_json_is_the_bytes_of_the_record),
		cmocka_unit_test(test_no_member_is_needed),
		cmocka_unit_test(test_text_of_a_passed_drill),
		cmocka_unit_test(test_text_names_what_failed),
		cmocka_unit_test(test_what_is_not_known_is_at_least),
		cmocka_unit_test(test_trend_is_over_the_records_given),
		cmocka_unit_test(test_no_rendering_has_control_characters),
		cmocka_unit_test(test_markdown_has_no_foreign_markup),
		cmocka_unit_test(test_markdown_tables_keep_their_columns),
		cmocka_unit_test(test_markdown_lines_start_as_we_mean_them),
		cmocka_unit_test(test_junit_counts_its_cases),
		cmocka_unit_test(test_junit_of_a_failed_drill),
		cmocka_unit_test(test_junit_has_no_foreign_markup),
		cmocka_unit_test(test_openmetrics_lines_are_ours),
		cmocka_unit_test(test_openmetrics_of_a_failed_drill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
