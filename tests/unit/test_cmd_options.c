/* SPDX-License-Identifier: Apache-2.0 */
/* The options and the configuration file; the whole program is in tests/cli. */
#include "support.h"

#include "../../cmd/config.c"
#include "../../cmd/option_rows.c"
#include "../../cmd/options.c"
#include "util/suggest.h"

static const enum option_id snapshot_like[] = {
	OPTION_REPO, OPTION_NAMESPACE, OPTION_ALL_NAMESPACES, OPTION_POLICY, OPTION_PAGE_SIZE, OPTION_NONE};
static const enum option_id restore_like[] = {OPTION_YES, OPTION_WAIT, OPTION_OTHER_POLICY, OPTION_ONLY, OPTION_NONE};

#define WORDS(...) ((const char *const[]){__VA_ARGS__}), sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)

static int resolve(struct settings *settings, const enum option_id *allowed, const char *const *words, size_t count, struct error *err)
{
	*settings = (struct settings)SETTINGS_INIT;
	if (options_scan(settings, (int)count, words, err) < 0)
		return -1;
	return options_resolve(settings, "test", allowed, err);
}

static int enter(void **state)
{
	(void)setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
	(void)unsetenv("RHAII_DR_PAGE_SIZE");
	(void)unsetenv("RHAII_DR_CONFIG");
	(void)unsetenv("RHAII_DR_NAMESPACE");
	return support_enter_dir(state);
}

/* Every row says all that help and parsing need, and nothing twice. */
static void test_rows_are_complete(void **state)
{
	(void)state;
	for (enum option_id id = OPTION_NONE + 1; id < OPTION_COUNT; id++) {
		const struct option *row = &option_rows[id];

		assert_non_null(row->name);
		assert_non_null(row->help);
		assert_int_equal(row->type == OPT_FLAG || row->type == OPT_CHOICE, row->arg == NULL);
		assert_int_equal(row->type == OPT_CHOICE, row->choices != NULL);
		if (row->excludes)
			assert_int_equal(option_rows[row->excludes].excludes, id);
		for (enum option_id other = id + 1; other < OPTION_COUNT; other++) {
			assert_int_not_equal(row->offset, option_rows[other].offset);
			if (row->letter)
				assert_int_not_equal(row->letter, option_rows[other].letter);
		}
	}
}

/* What consents is never read from a place that nobody looks at when typing. */
static void test_consent_stands_only_on_the_command_line(void **state)
{
	static const enum option_id consents[] = {OPTION_YES, OPTION_IN_PLACE, OPTION_ACCEPT_EDITS};

	(void)state;
	for (size_t i = 0; i < sizeof(consents) / sizeof(consents[0]); i++)
		assert_int_equal(option_rows[consents[i]].reach, COMMAND_LINE_ONLY);
}

static void test_defaults(void **state)
{
	struct settings settings;
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(resolve(&settings, snapshot_like, NULL, 0, &err), 0);
	assert_string_equal(settings.repo, "./rhaii-backup");
	assert_string_equal(settings.policy, "rhaii");
	assert_int_equal(settings.page_size, 500);
	assert_int_equal(settings.wait_ms, 30 * 60 * 1000);
	assert_int_equal(settings.output, OUTPUT_TABLE);
	assert_null(settings.cluster);
	settings_release(&settings);
}

static void test_words_and_options_mix(void **state)
{
	struct settings settings;
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(resolve(&settings, snapshot_like, WORDS("-q", "snapshot", "a", "--repo=x=y", "-", "--", "-n"), &err), 0);
	assert_int_equal(settings.args.count, 4);
	assert_string_equal(settings.args.items[0], "snapshot");
	assert_string_equal(settings.args.items[1], "a");
	assert_string_equal(settings.args.items[2], "-");
	assert_string_equal(settings.args.items[3], "-n");
	assert_string_equal(settings.repo, "x=y");
	assert_true(settings.quiet);
	settings_release(&settings);
}

/* A value may look like an option: git and kubectl take it. */
static void test_value_may_start_with_a_dash(void **state)
{
	struct settings settings;
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(resolve(&settings, snapshot_like, WORDS("--repo", "--odd"), &err), 0);
	assert_string_equal(settings.repo, "--odd");
	settings_release(&settings);
}

static void test_a_comma_is_part_of_a_condition(void **state)
{
	struct settings settings;
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(resolve(&settings, restore_like, WORDS("--only", "ns=a,name=b", "--only=kind=cm"), &err), 0);
	assert_int_equal(settings.selection.only.count, 2);
	assert_string_equal(settings.selection.only.items[0], "ns=a,name=b");
	assert_int_equal(settings.selection.references, REFERENCES_INCLUDE);
	settings_release(&settings);
}

static void test_list_is_repeatable_and_split(void **state)
{
	struct settings settings;
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(resolve(&settings, snapshot_like, WORDS("-n", "a,b", "--namespace=c"), &err), 0);
	assert_int_equal(settings.namespaces.count, 3);
	assert_string_equal(settings.namespaces.items[2], "c");
	settings_release(&settings);
}

/* --policy of a restore is another option than that of a snapshot: it has no default and no variable. */
static void test_same_name_means_what_the_command_takes(void **state)
{
	struct settings settings;
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(resolve(&settings, restore_like, WORDS("--policy", "mine.yaml"), &err), 0);
	assert_string_equal(settings.other_policy, "mine.yaml");
	settings_release(&settings);
	assert_int_equal(resolve(&settings, restore_like, NULL, 0, &err), 0);
	assert_null(settings.other_policy);
	settings_release(&settings);
}

static void test_sources_in_order(void **state)
{
	struct settings settings;
	struct error err = ERROR_INIT;

	(void)state;
	support_write_file("config.yaml", "page-size: 1\nnamespace: [file]\n");
	(void)setenv("RHAII_DR_CONFIG", "config.yaml", 1);
	assert_int_equal(resolve(&settings, snapshot_like, NULL, 0, &err), 0);
	assert_int_equal(settings.page_size, 1);
	assert_string_equal(settings.namespaces.items[0], "file");
	settings_release(&settings);

	(void)setenv("RHAII_DR_PAGE_SIZE", "2", 1);
	(void)setenv("RHAII_DR_NAMESPACE", "environment", 1);
	assert_int_equal(resolve(&settings, snapshot_like, NULL, 0, &err), 0);
	assert_int_equal(settings.page_size, 2);
	assert_int_equal(settings.namespaces.count, 1);
	assert_string_equal(settings.namespaces.items[0], "environment");
	settings_release(&settings);

	assert_int_equal(resolve(&settings, snapshot_like, WORDS("--page-size", "3", "-A"), &err), 0);
	assert_int_equal(settings.page_size, 3);
	assert_int_equal(settings.namespaces.count, 0);
	settings_release(&settings);
}

/* The form of the result is known also when the command line is wrong, for the error to be told in it. */
static void test_output_survives_an_error(void **state)
{
	struct settings settings = SETTINGS_INIT;
	struct error err = ERROR_INIT, later = ERROR_INIT;

	(void)state;
	assert_int_equal(options_scan(&settings, 3, (const char *const[]){"--bogus", "-o", "yaml"}, &err), -1);
	assert_string_equal(err.text, "unknown option '--bogus'");
	assert_int_equal(options_resolve(&settings, NULL, snapshot_like, &later), 0);
	assert_int_equal(settings.output, OUTPUT_YAML);
	settings_release(&settings);
}

static void test_bare_command_takes_only_help(void **state)
{
	struct settings settings;
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(resolve(&settings, NULL, WORDS("-h"), &err), 0);
	settings_release(&settings);
	assert_int_equal(resolve(&settings, NULL, WORDS("-q"), &err), -1);
	support_assert_error(&err, ERR_USAGE, "'test' takes no option '-q'");
	settings_release(&settings);
}

static void test_variable_names(void **state)
{
	auto_strbuf struct strbuf name = STRBUF_INIT;

	(void)state;
	option_variable(OPTION_PAGE_SIZE, &name);
	assert_string_equal(name.buf, "RHAII_DR_PAGE_SIZE");
}

static void test_suggest(void **state)
{
	static const char *const names[] = {"snapshot", "restore", "list", "show", "diff", NULL};

	(void)state;
	assert_string_equal(suggest("snapshto", names), "snapshot");
	assert_string_equal(suggest("restor", names), "restore");
	assert_string_equal(suggest("lsit", names), "list");
	assert_string_equal(suggest("shw", names), "show");
	assert_null(suggest("plan", names));
	assert_null(suggest("x", names));
	assert_null(suggest("", names));
	assert_null(suggest("snapshotsnapshotsnapshotsnapshotsnapshot", names));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_are_complete),
		cmocka_unit_test(test_consent_stands_only_on_the_command_line),
		cmocka_unit_test_setup_teardown(test_defaults, enter, support_leave_dir),
		cmocka_unit_test_setup_teardown(test_words_and_options_mix, enter, support_leave_dir),
		cmocka_unit_test_setup_teardown(test_value_may_start_with_a_dash, enter, support_leave_dir),
		cmocka_unit_test_setup_teardown(test_a_comma_is_part_of_a_condition, enter, support_leave_dir),
		cmocka_unit_test_setup_teardown(test_list_is_repeatable_and_split, enter, support_leave_dir),
		cmocka_unit_test_setup_teardown(test_same_name_means_what_the_command_takes, enter, support_leave_dir),
		cmocka_unit_test_setup_teardown(test_sources_in_order, enter, support_leave_dir),
		cmocka_unit_test_setup_teardown(test_output_survives_an_error, enter, support_leave_dir),
		cmocka_unit_test_setup_teardown(test_bare_command_takes_only_help, enter, support_leave_dir),
		cmocka_unit_test(test_variable_names),
		cmocka_unit_test(test_suggest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
