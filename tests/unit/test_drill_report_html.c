/* SPDX-License-Identifier: Apache-2.0 */
/* The HTML report: it asks for nothing, runs nothing, takes no markup from a record, and can be read in light and dark. What a browser makes of it is in tests/integration/report.sh. */
#include "support.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/drill/html.h"
#include "drill/chain.h"
#include "report_support.h"
#include "util/base64.h"
#include "util/hash.h"
#include "util/json.h"
#include "util/mem.h"

static size_t count_of(const char *text, const char *what)
{
	size_t count = 0;

	for (; (text = strstr(text, what)); text += strlen(what))
		count++;
	return count;
}

/* ---- nothing from outside ---- */

/* The tags and attributes that could are looked for by test_page_has_only_our_tags. */
static void test_page_may_load_and_run_nothing(void **state)
{
	auto_free char *page = report_of_name("hostile", REPORT_HTML);

	(void)state;
	assert_text_lacks(report_style, "@import");
	assert_text_lacks(report_style, "url(");
	assert_int_equal(count_of(page, " href=\""), count_of(page, " href=\"#") + 1); /* the empty icon */
	assert_text_has(page, "<link rel=\"icon\" href=\"data:,\">");
	assert_text_has(page, "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; style-src 'sha256-");
}

/* With another hash the browser would show the page without its style. */
static void test_policy_names_the_style(void **state)
{
	auto_free char *page = report_of_name("passed", REPORT_HTML);
	char *start = strstr(page, "<style>") + strlen("<style>"), *end = strstr(page, "</style>");
	struct hash *hash = hash_new(0);
	auto_strbuf struct strbuf expected = STRBUF_INIT;
	unsigned char digest[32];

	(void)state;
	hash_update(hash, start, (size_t)(end - start));
	hash_final_raw(hash, digest);
	strbuf_adds(&expected, "style-src 'sha256-");
	base64_encode(digest, sizeof(digest), &expected);
	assert_text_has(page, expected.buf);
}

/* ---- markup ---- */

static bool is_one_of(const char *name, size_t len, const char *const *names)
{
	for (; *names; names++)
		if (strlen(*names) == len && strncmp(*names, name, len) == 0)
			return true;
	return false;
}

/* Past the attributes of a tag: name="value" each, of names that we write. */
static const char *take_attributes(const char *at)
{
	static const char *const ours[] = {"lang", "charset", "http-equiv", "content", "name", "rel", "href", "class", "id", "aria-label",
		"aria-labelledby", "aria-hidden", "role", "scope", "data-label", "rows", "value", "x", "y", "x1", "x2", "y1", "y2", "cx",
		"cy", "r", "d", "width", "height", "text-anchor", "overflow", NULL};

	while (*at == ' ') {
		size_t len = strcspn(++at, "=> ");

		if (!is_one_of(at, len, ours) || strncmp(at + len, "=\"", 2) != 0)
			fail_msg("not an attribute of ours: %.60s", at);
		at = strchr(at + len + 2, '"') + 1;
	}
	return *at == '/' ? at + 1 : at;
}

static void test_page_has_only_our_tags(void **state)
{
	static const char *const ours[] = {"html", "head", "meta", "link", "title", "style", "body", "a", "header", "h1", "h2", "h3", "p",
		"nav", "ul", "li", "main", "section", "div", "span", "table", "caption", "thead", "tbody", "tr", "th", "td", "figure",
		"svg", "desc", "line", "text", "rect", "circle", "path", "details", "summary", "input", "textarea", "footer", NULL};
	auto_free char *page = report_of_name("hostile", REPORT_HTML);
	char *style = strstr(page, "<style>"), *end = strstr(page, "</style>");

	(void)state;
	memset(style + 7, ' ', (size_t)(end - style - 7));
	for (const char *at = strchr(page + 1, '<'); at; at = strchr(at, '<')) {
		size_t len;

		at += at[1] == '/' ? 2 : 1;
		len = strcspn(at, "> /");
		if (!is_one_of(at, len, ours))
			fail_msg("not a tag of ours: %.60s", at);
		at = take_attributes(at + len);
		if (*at != '>')
			fail_msg("a tag has no end: %.60s", at);
	}
	assert_text_has(page, "&lt;script&gt;alert(1)&lt;/script&gt;");
}

static void test_entities_are_ours(void **state)
{
	static const char *const ours[] = {"amp", "lt", "gt", "quot", "#39", NULL};
	auto_free char *page = report_of_name("hostile", REPORT_HTML);

	(void)state;
	for (const char *at = page; (at = strchr(at, '&')); at++)
		if (!is_one_of(at + 1, strcspn(at + 1, ";"), ours))
			fail_msg("an & that is none: %.40s", at);
}

/* ---- what is in it ---- */

static void test_page_of_a_failed_drill(void **state)
{
	auto_free char *page = report_of_name("failed", REPORT_HTML);

	(void)state;
	assert_text_has(page, "<title>Drill of prod: failed</title>");
	assert_text_has(page, "<section id=\"verdict\" class=\"verdict bad\"");
	assert_text_has(page, "<li>RTO missed by 4m 2s: converge took 19m 54s</li>");
	assert_text_has(page,
		"<h3>RTO achieved</h3><p class=\"big\">34m 2.0s</p><p><span class=\"badge bad\">missed</span> of 30m, 4m 2.0s over</p>");
	assert_text_has(page, "<p class=\"big\">9 of 13 passed</p>");
	assert_true(strstr(page, "id=\"verdict\"") < strstr(page, "id=\"timeline\""));
	assert_true(strstr(page, "id=\"timeline\"") < strstr(page, "id=\"bad-probes\""));
	assert_true(strstr(page, "id=\"actions\"") < strstr(page, "id=\"sign-off\""));
	assert_text_has(page, "<textarea rows=\"1\" aria-label=\"Action, 1\">RTO missed by 4m 2s: converge took 19m 54s</textarea>");
	assert_text_has(page, "aria-label=\"Name, Operator\" value=\"m.okafor\"");
}

static void test_bars_stand_for_phases_and_the_limit_for_the_rto(void **state)
{
	auto_free char *passed = report_of_name("passed", REPORT_HTML);
	auto_free char *failed = report_of_name("failed", REPORT_HTML);

	(void)state;
	assert_text_has(passed, ">RTO 30m</text>");
	assert_int_equal(count_of(passed, "<rect class=\"assumed\" x=\"47."), 1);
	assert_int_equal(count_of(passed, "<rect class=\"outside\" x="), 1);
	assert_int_equal(count_of(passed, "<rect class=\"over\" x="), 0);
	/* converge crosses it; verify and cutover lie behind it; the cleanup does not count */
	assert_int_equal(count_of(failed, "<rect class=\"over\" x="), 2);
}

static void test_trend_is_drawn_from_two_records_on(void **state)
{
	auto_json json_t *one = report_record("failed", NULL);
	auto_json json_t *two = report_record("passed", NULL);
	auto_json json_t *trend = json_pack("[o, o]", chain_point(one), chain_point(two));
	auto_free char *alone = report_of(two, NULL, REPORT_HTML);
	auto_free char *page = report_of(two, trend, REPORT_HTML);

	(void)state;
	assert_text_lacks(alone, "trend-title");
	assert_text_has(page, "RTO achieved, the last 2 records");
	assert_text_has(page, ">34m</text><text class=\"muted\" x=\"25.00%\" y=\"166\" text-anchor=\"middle\">10-27</text>");
	assert_text_has(page, ">22m</text><text class=\"muted\" x=\"75.00%\" y=\"166\" text-anchor=\"middle\">11-24</text>");
}

/* ---- contrast ---- */

/* By Newton: math.h would be a library of its own to link. */
static double fifth_root(double value)
{
	double root = 1;

	for (int i = 0; i < 60; i++)
		root -= (root * root * root * root * root - value) / (5 * root * root * root * root);
	return root;
}

static double power_of_2_4(double value)
{
	return value * value * fifth_root(value * value);
}

/* Of WCAG 2: sRGB, 0 to 1. */
static double luminance(const char *color)
{
	static const double weights[] = {0.2126, 0.7152, 0.0722};
	double sum = 0;

	for (int i = 0; i < 3; i++) {
		const char hex[] = {color[1 + 2 * i], color[2 + 2 * i], '\0'};
		double value = (double)strtol(hex, NULL, 16) / 255;

		sum += weights[i] * (value <= 0.04045 ? value / 12.92 : power_of_2_4((value + 0.055) / 1.055));
	}
	return sum;
}

/* The color of the style's table from there on. */
static const char *color_of(const char *table, const char *name)
{
	auto_free char *key = xasprintf("--%s: #", name);
	const char *at = strstr(table, key);

	if (!at)
		fail_msg("no color %s", name);
	return at + strlen(key) - 1;
}

static void assert_contrast(const char *table, const char *text, const char *ground, double least)
{
	double a = luminance(color_of(table, text)), b = luminance(color_of(table, ground));
	double contrast = ((a > b ? a : b) + 0.05) / ((a > b ? b : a) + 0.05);

	if (contrast < least)
		fail_msg("%s on %s: %.2f, not %.1f", text, ground, contrast, least);
}

static void test_contrast_is_enough_in_light_and_dark(void **state)
{
	static const char *const texts[][2] = {{"ink", "bg"}, {"ink", "panel"}, {"muted", "bg"}, {"muted", "panel"}, {"accent", "bg"},
		{"good", "bg"}, {"bad", "bg"}, {"good", "good-bg"}, {"warn", "warn-bg"}, {"bad", "bad-bg"}, {"ink", "good-bg"},
		{"ink", "warn-bg"}, {"ink", "bad-bg"}};
	static const char *const shapes[][2] = {{"bar", "bg"}, {"edge", "bg"}, {"bad", "bg"}, {"good", "bg"}, {"warn", "bg"}};
	const char *const tables[] = {report_style, strstr(report_style, "prefers-color-scheme: dark")};

	(void)state;
	for (size_t table = 0; table < 2; table++) {
		for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
			assert_contrast(tables[table], texts[i][0], texts[i][1], 4.5);
		for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
			assert_contrast(tables[table], shapes[i][0], shapes[i][1], 3);
	}
}

/* A color that is written elsewhere would not be in the table that is measured. */
static void test_colors_stand_only_in_the_table(void **state)
{
	(void)state;
	for (const char *at = report_style; (at = strchr(at, '#')); at++)
		if (isxdigit((unsigned char)at[1]) && isxdigit((unsigned char)at[2]) && isxdigit((unsigned char)at[3]) && at[-2] != ':')
			fail_msg("a color: %.30s", at);
	assert_text_lacks(report_style, "rgb(");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_page_may_load_and_run_nothing),
		cmocka_unit_test(test_policy_names_the_style),
		cmocka_unit_test(test_page_has_only_our_tags),
		cmocka_unit_test(test_entities_are_ours),
		cmocka_unit_test(test_page_of_a_failed_drill),
		cmocka_unit_test(test_bars_stand_for_phases_and_the_limit_for_the_rto),
		cmocka_unit_test(test_trend_is_drawn_from_two_records_on),
		cmocka_unit_test(test_contrast_is_enough_in_light_and_dark),
		cmocka_unit_test(test_colors_stand_only_in_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
