/* SPDX-License-Identifier: Apache-2.0 */
/* A journal that is written, cut off or damaged at any byte, and read again. */
#include "support.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "restore/journal.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"

#define DIR "state"
#define NAME "20261120T140000Z-abc"
#define PATH DIR "/" NAME ".journal"
#define ACTIONS 3

static struct journal *create(const char *name)
{
	auto_json json_t *header = json_pack("{s:s}", "plan", "abcdef"), *actions = json_array();
	struct journal *journal = NULL;
	struct error err = ERROR_INIT;

	for (int i = 0; i < ACTIONS; i++)
		json_array_append_new(actions, json_pack("{s:i}", "number", i));
	if (journal_create(&journal, DIR, name, header, actions, &err) < 0)
		fail_msg("%s", err.text);
	return journal;
}

static struct journal *reopen(const char *path)
{
	struct journal *journal = NULL;
	struct error err = ERROR_INIT;

	if (journal_open(&journal, path, &err) < 0)
		fail_msg("%s", err.text);
	return journal;
}

static int64_t phase_ms(const struct journal *journal, const char *phase)
{
	struct journal_phase times;

	journal_phase(journal, phase, &times);
	return times.ms;
}

/* Two are begun, one of them ends. */
static void write_run(struct journal *journal)
{
	static const size_t both[] = {0, 1};
	struct error err = ERROR_INIT;

	journal_phase_stop(journal, "fetch", 40);
	journal_phase_start(journal, "apply");
	journal_wave(journal, 2, "gate", 7);
	assert_int_equal(journal_begin(journal, both, 2, &err), 0);
	journal_end(journal, 1, json_pack("{s:s, s:s}", "result", "created", "uid", "u1"));
}

static void refused(const char *path, enum error_code code, const char *text)
{
	struct journal *journal = NULL;
	struct error err = ERROR_INIT;

	assert_int_equal(journal_open(&journal, path, &err), -1);
	assert_null(journal);
	support_assert_error(&err, code, text);
}

/* ---- there and back ---- */

static void test_what_was_written_is_read(void **state)
{
	struct journal *journal = create(NAME);
	int code;

	(void)state;
	write_run(journal);
	journal_free(journal);
	journal = reopen(PATH);
	assert_string_equal(journal_name(journal), NAME);
	assert_string_equal(json_text_at(journal_header(journal), "plan", NULL), "abcdef");
	assert_int_equal(journal_action_count(journal), ACTIONS);
	assert_int_equal(json_integer_value(json_object_get(journal_action(journal, 2), "number")), 2);
	assert_true(journal_begun(journal, 0) && journal_begun(journal, 1) && !journal_begun(journal, 2));
	assert_null(journal_outcome(journal, 0));
	assert_string_equal(json_text_at(journal_outcome(journal, 1), "uid", NULL), "u1");
	assert_int_equal(journal_wave_ms(journal, 2, "gate"), 7);
	assert_int_equal(journal_wave_ms(journal, 2, "apply"), -1);
	assert_int_equal(phase_ms(journal, "fetch"), 40);
	assert_false(journal_is_finished(journal, &code));
	journal_free(journal);
}

static void test_only_its_owner_may_read_it(void **state)
{
	struct stat dir, file;

	(void)state;
	journal_free(create(NAME));
	assert_int_equal(stat(DIR, &dir), 0);
	assert_int_equal(stat(PATH, &file), 0);
	assert_int_equal(dir.st_mode & 07777, 0700);
	assert_int_equal(file.st_mode & 07777, 0600);
	assert_int_equal(support_count_entries(DIR), 1);
}

/* A begin after an end is another try, which has no end yet. */
static void test_the_last_try_counts(void **state)
{
	static const size_t again[] = {1};
	struct journal *journal = create(NAME);
	struct error err = ERROR_INIT;

	(void)state;
	write_run(journal);
	assert_int_equal(journal_begin(journal, again, 1, &err), 0);
	journal_free(journal);
	journal = reopen(PATH);
	assert_null(journal_outcome(journal, 1));
	journal_free(journal);
}

static void finish_with(const char *name, int exit_code)
{
	struct journal *journal = create(name);
	struct error err = ERROR_INIT;

	assert_int_equal(journal_finish(journal, exit_code, &err), 0);
	journal_free(journal);
}

static void assert_finished(int exit_code, bool finished)
{
	struct journal *journal;
	int code = -2;

	(void)unlink(PATH);
	finish_with(NAME, exit_code);
	journal = reopen(PATH);
	assert_int_equal(journal_is_finished(journal, &code), finished);
	assert_int_equal(code, exit_code);
	journal_free(journal);
}

static void test_what_was_stopped_is_not_finished(void **state)
{
	(void)state;
	assert_finished(ERR_NONE, true);
	assert_finished(ERR_PARTIAL, true);
	assert_finished(ERR_VERIFY, true);
	assert_finished(ERR_OBJECTIVE, true);
	assert_finished(ERR_INTERRUPTED, false);
	assert_finished(ERR_FAILED, false);
	assert_finished(ERR_LOCKED, false);
}

static void test_one_that_is_written_cannot_be_opened(void **state)
{
	struct journal *journal = create(NAME);

	(void)state;
	refused(PATH, ERR_LOCKED, NULL);
	journal_free(journal);
}

/* ---- the clock ---- */

static void at(const char *seconds)
{
	assert_int_equal(setenv("RHAII_DR_TEST_TIME", seconds, 1), 0);
}

/* Killed in apply, eight seconds after it began, as far as the journal knows; gone on with a minute later. */
static void test_the_clock_goes_on(void **state)
{
	struct error err = ERROR_INIT;
	struct journal *journal;

	(void)state;
	at("1000");
	journal = create(NAME);
	journal_phase_stop(journal, "apply", 500);
	journal_phase_start(journal, "apply");
	at("1008");
	journal_wave(journal, 0, "gate", 1);
	journal_free(journal);
	at("1068");
	journal = reopen(PATH);
	assert_int_equal(journal_resume(journal, &err), 0);
	assert_int_equal(phase_ms(journal, "apply"), 8500);
	assert_int_equal(journal_idle_ms(journal), 60000);
	assert_int_equal(journal_resumed(journal), 1);
	journal_free(journal);
	journal = reopen(PATH);
	assert_int_equal(journal_resume(journal, &err), 0);
	assert_int_equal(phase_ms(journal, "apply"), 8500);
	assert_int_equal(journal_resumed(journal), 2);
	journal_free(journal);
	unsetenv("RHAII_DR_TEST_TIME");
}

/* What a person was waited for, a jump of the wall clock, and what came back outlive a kill. */
static void test_the_rest_of_the_clock_outlives_a_kill(void **state)
{
	struct journal_phase preflight, apply;
	struct journal *journal;

	(void)state;
	at("1000");
	journal = create(NAME);
	journal_phase_stop(journal, "preflight", 3000);
	journal_waited(journal, "preflight", 45000);
	journal_jump(journal, -7200000);
	journal_phase_start(journal, "apply");
	at("1010");
	journal_phase_stop(journal, "apply", 10000);
	journal_back(journal, "LLMInferenceService ns/qwen");
	at("1020");
	journal_back(journal, "LLMInferenceService ns/qwen");
	journal_free(journal);
	journal = reopen(PATH);
	journal_phase(journal, "preflight", &preflight);
	journal_phase(journal, "apply", &apply);
	assert_int_equal(preflight.human_ms, 45000);
	assert_int_equal(preflight.began, 997000);
	assert_int_equal(apply.began, 1000000);
	assert_int_equal(apply.ended, 1010000);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(journal_jumps(journal), 0), "milliseconds")), -7200000);
	assert_int_equal(json_integer_value(json_object_get(journal_backs(journal), "LLMInferenceService ns/qwen")), 1010000);
	journal_free(journal);
	unsetenv("RHAII_DR_TEST_TIME");
}

/* ---- damage ---- */

static void write_bytes(const char *path, const char *data, size_t len)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

/* The bytes of a whole journal and the length of its head, which was put in place as a whole. */
static char *sample(size_t *len, size_t *head)
{
	struct journal *journal = create(NAME);
	struct stat st;
	char *bytes;

	assert_int_equal(stat(PATH, &st), 0);
	*head = (size_t)st.st_size;
	write_run(journal);
	journal_free(journal);
	bytes = support_read_file(PATH);
	*len = strlen(bytes);
	return bytes;
}

static size_t whole_lines(const char *bytes, size_t len)
{
	while (len > 0 && bytes[len - 1] != '\n')
		len--;
	return len;
}

static size_t size_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return (size_t)st.st_size;
}

/* Whatever is there of the last line: it is cut off, the rest holds, and the journal goes on from there. */
static void test_a_torn_last_line_is_cut_off(void **state)
{
	struct error err = ERROR_INIT;
	size_t len, head;
	auto_free char *bytes = sample(&len, &head);

	(void)state;
	for (size_t cut = head; cut <= len; cut++) {
		struct journal *journal;

		write_bytes("torn", bytes, cut);
		journal = reopen("torn");
		assert_int_equal(size_of("torn"), whole_lines(bytes, cut));
		assert_int_equal(journal_resume(journal, &err), 0);
		journal_free(journal);
		journal_free(reopen("torn"));
	}
}

static void test_a_head_that_is_cut_off_is_damage(void **state)
{
	size_t len, head;
	auto_free char *bytes = sample(&len, &head);

	(void)state;
	for (size_t cut = 0; cut < head; cut++) {
		write_bytes("torn", bytes, cut);
		refused("torn", ERR_INTEGRITY, NULL);
	}
}

/* Where the last line of a text begins. */
static size_t last_line(const char *bytes, size_t len)
{
	return whole_lines(bytes, len - 1);
}

/* A crash may leave anything in the last line, but nothing before it: there it is damage. */
static void test_a_flipped_bit_is_found(void **state)
{
	size_t len, head;
	auto_free char *bytes = sample(&len, &head);
	size_t last = last_line(bytes, len);

	(void)state;
	for (size_t at_ = 0; at_ < len; at_++) {
		struct journal *journal = NULL;
		struct error err = ERROR_INIT;
		int rc;

		bytes[at_] ^= (char)(1 << at_ % 8);
		write_bytes("flipped", bytes, len);
		bytes[at_] ^= (char)(1 << at_ % 8);
		rc = journal_open(&journal, "flipped", &err);
		/* a line end that is gone joins the last two lines */
		if (rc == 0)
			assert_true(at_ >= last - 1 && size_of("flipped") <= last);
		else
			support_assert_error(&err, ERR_INTEGRITY, NULL);
		journal_free(journal);
	}
}

static void test_a_line_that_is_missing_is_found(void **state)
{
	size_t len, head, end;
	auto_free char *bytes = sample(&len, &head), *next = NULL;

	(void)state;
	end = (size_t)(strchr(bytes + head, '\n') + 1 - bytes);
	next = xasprintf("%.*s%s", (int)head, bytes, bytes + end);
	write_bytes("short", next, strlen(next));
	refused("short", ERR_INTEGRITY, NULL);
}

static void test_a_newer_format_is_refused(void **state)
{
	/* with its true checksum */
	static const char line[] = "b8198b108965879d {\"actions\":0,\"format\":3,\"journal\":\"restore\"}\n";

	(void)state;
	write_bytes("newer", line, strlen(line));
	refused("newer", ERR_INTEGRITY, "journal 'newer': format 3 is newer than the 2 that this program reads");
}

static void test_one_that_is_not_there(void **state)
{
	(void)state;
	refused("nowhere.journal", ERR_NOT_FOUND, NULL);
}

/* ---- the newest ---- */

static void test_the_newest_unfinished_one_is_found(void **state)
{
	struct error err = ERROR_INIT;
	auto_free char *path = NULL;

	(void)state;
	journal_free(create("20261120T140000Z-a"));
	journal_free(create("20261121T140000Z-b"));
	finish_with("20261122T140000Z-c", ERR_NONE);
	support_write_file(DIR "/20261123T140000Z-d.txt", "no journal");
	assert_int_equal(journal_find(&path, DIR, &err), 0);
	assert_string_equal(path, DIR "/20261121T140000Z-b.journal");
}

static void test_without_an_unfinished_one_the_newest_is_found(void **state)
{
	struct error err = ERROR_INIT;
	auto_free char *path = NULL;

	(void)state;
	assert_int_equal(journal_find(&path, DIR, &err), -1);
	support_assert_error(&err, ERR_NOT_FOUND, "there is no restore to resume: no journal in '" DIR "'");
	finish_with("20261120T140000Z-a", ERR_PARTIAL);
	finish_with("20261121T140000Z-b", ERR_NONE);
	assert_int_equal(journal_find(&path, DIR, &err), 0);
	assert_string_equal(path, DIR "/20261121T140000Z-b.journal");
}

static void test_names_tell_the_time_and_do_not_collide(void **state)
{
	auto_free char *first = NULL, *second = NULL;

	(void)state;
	at("1795176000");
	first = journal_new_name(DIR, "0123456789abcdef");
	assert_string_equal(first, "20261120T120000Z-0123456789ab");
	journal_free(create(first));
	second = journal_new_name(DIR, "0123456789abcdef");
	assert_string_equal(second, "20261120T120000Z-0123456789ab-2");
	unsetenv("RHAII_DR_TEST_TIME");
}

static void assert_directory(const char *state_home, const char *home, const char *path)
{
	struct error err = ERROR_INIT;
	auto_free char *dir = NULL;

	assert_int_equal(state_home ? setenv("XDG_STATE_HOME", state_home, 1) : unsetenv("XDG_STATE_HOME"), 0);
	assert_int_equal(home ? setenv("HOME", home, 1) : unsetenv("HOME"), 0);
	if (path) {
		assert_int_equal(journal_directory(&dir, "u-1", &err), 0);
		assert_string_equal(dir, path);
	} else {
		assert_int_equal(journal_directory(&dir, "u-1", &err), -1);
		assert_int_equal(err.code, ERR_USAGE);
	}
}

static void test_the_directory_is_of_the_state_home(void **state)
{
	(void)state;
	assert_directory("/state", "/home/x", "/state/rhaii-dr/u-1");
	assert_directory("relative", "/home/x", "/home/x/.local/state/rhaii-dr/u-1");
	assert_directory(NULL, "/home/x", "/home/x/.local/state/rhaii-dr/u-1");
	assert_directory(NULL, NULL, NULL);
}

static void test_a_uid_leads_nowhere_else(void **state)
{
	static const char *const bad[] = {"", "..", "a/b", "a b"};
	struct error err = ERROR_INIT;
	char *dir;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(journal_directory(&dir, bad[i], &err), -1);
		assert_int_equal(err.code, ERR_INTEGRITY);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, support_enter_dir, support_leave_dir)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_what_was_written_is_read),
		TEST(test_only_its_owner_may_read_it),
		TEST(test_the_last_try_counts),
		TEST(test_what_was_stopped_is_not_finished),
		TEST(test_one_that_is_written_cannot_be_opened),
		TEST(test_the_clock_goes_on),
		TEST(test_the_rest_of_the_clock_outlives_a_kill),
		TEST(test_a_torn_last_line_is_cut_off),
		TEST(test_a_head_that_is_cut_off_is_damage),
		TEST(test_a_flipped_bit_is_found),
		TEST(test_a_line_that_is_missing_is_found),
		TEST(test_a_newer_format_is_refused),
		TEST(test_one_that_is_not_there),
		TEST(test_the_newest_unfinished_one_is_found),
		TEST(test_without_an_unfinished_one_the_newest_is_found),
		TEST(test_names_tell_the_time_and_do_not_collide),
		TEST(test_the_directory_is_of_the_state_home),
		TEST(test_a_uid_leads_nowhere_else),
	};

	return cmocka_run_group_tests_name("restore_journal", tests, NULL, NULL);
}
