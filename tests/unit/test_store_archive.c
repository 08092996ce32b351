/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include "store_support.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "store/archive.h"
#include "store/tree.h"
#include "util/file.h"
#include "util/mem.h"
#include "util/strbuf.h"

#define auto_tree __attribute__((cleanup(tree_release)))

/* The archive of a commit of these rows, in "archives"; the caller frees. */
static char *make_archive(const struct row *rows)
{
	struct git_store *store = open_repo();
	struct error err = ERROR_INIT;
	char id[GIT_ID_SIZE], *path;
	bool made;

	commit_rows(store, rows, SAMPLE_TIME, id);
	if (archive_make(store, TARGET(id, "archives"), &path, &made, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(made);
	git_store_free(store);
	return path;
}

static int make_again(char **path, bool *made, struct error *err)
{
	struct git_store *store = open_repo();
	char id[GIT_ID_SIZE];
	int rc;

	assert_int_equal(git_resolve(store, "prod", NULL, id, err), 0);
	rc = archive_make(store, TARGET(id, "archives"), path, made, err);
	git_store_free(store);
	return rc;
}

static void assert_readable(const char *path)
{
	auto_tree struct tree tree = TREE_INIT;
	auto_strbuf struct strbuf commit = STRBUF_INIT;
	struct error err = ERROR_INIT;

	if (archive_read(path, &tree, &commit, &err) < 0)
		fail_msg("%s", err.text);
}

static void assert_refused(const char *path, const char *part)
{
	auto_tree struct tree tree = TREE_INIT;
	auto_strbuf struct strbuf commit = STRBUF_INIT;
	struct error err = ERROR_INIT;

	if (archive_read(path, &tree, &commit, &err) == 0)
		fail_msg("'%s' is taken for good", path);
	if (err.code != ERR_INTEGRITY || !strstr(err.text, part) || commit.len != 0)
		fail_msg("%d: %s", err.code, err.text);
}

/* ---- making ---- */

static void test_an_archive_is_what_tar_and_zstd_read(void **state)
{
	auto_free char *path = make_archive(sample_rows), *names = NULL, *times = NULL, *id = NULL, *raw = NULL, *expected = NULL;

	(void)state;
	id = shell_output("git -C repo rev-parse HEAD");
	expected = xasprintf("archives/prod-20261120T140000Z-%s.tar.zst", id);
	assert_string_equal(path, expected);
	shell("cd archives && sha256sum -c --strict *.sha256 && test $(ls -A | wc -l) = 2");
	shell("zstd -lv %s | grep -q XXH64", path);
	names = shell_output("tar --zstd -tf %s", path);
	assert_string_equal(
		names, "MANIFEST.sha256\nCOMMIT\ngenerated.yaml\n" SAMPLE_OBJECT "\npolicy.yaml\nrequirements.yaml\nsnapshot.yaml");
	times = shell_output("TZ=UTC tar --zstd -tvf %s --full-time --numeric-owner | awk '{print $1, $2, $4, $5}' | sort -u", path);
	assert_string_equal(times, "-rw-r--r-- 0/0 2026-11-20 14:00:00");
	shell("mkdir x && tar --zstd -xf %s -C x && cd x && sha256sum -c --strict MANIFEST.sha256", path);
	raw = shell_output("git hash-object -t commit x/COMMIT");
	assert_string_equal(raw, id);
}

static void test_the_same_commit_gives_the_same_bytes(void **state)
{
	auto_free char *path = make_archive(sample_rows), *again = NULL;
	struct error err = ERROR_INIT;
	bool made;

	(void)state;
	shell("mv archives before && sleep 1");
	assert_int_equal(make_again(&again, &made, &err), 0);
	assert_true(made);
	assert_string_equal(path, again);
	shell("diff -r before archives");
}

static char *make_with_manifest(struct git_store *store, const char *id, const char *manifest)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	struct archive_target target = *TARGET(id, "archives");
	struct error err = ERROR_INIT;
	auto_free char *path = NULL;
	bool made;

	shell("rm -rf archives");
	strbuf_adds(&text, manifest);
	target.manifest = &text;
	assert_int_equal(archive_make(store, &target, &path, &made, &err), 0);
	assert_true(made);
	return shell_output("cat archives/*.sha256");
}

/* What the caller says of the manifest saves work, and decides nothing. */
static void test_a_manifest_at_hand_changes_nothing(void **state)
{
	auto_free char *path = make_archive(sample_rows), *sum = shell_output("cat archives/*.sha256");
	auto_free char *manifest = shell_output("zstd -dcq archives/*.zst | tar -xO MANIFEST.sha256");
	struct git_store *store = open_repo();
	struct error err = ERROR_INIT;
	char id[GIT_ID_SIZE];
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_free char *right = NULL, *wrong = NULL;

	(void)state;
	(void)path;
	assert_int_equal(git_resolve(store, "prod", NULL, id, &err), 0);
	strbuf_addf(&text, "%s\n", manifest);
	right = make_with_manifest(store, id, text.buf);
	assert_string_equal(right, sum);
	wrong = make_with_manifest(store, id, "0000  snapshot.yaml\n");
	assert_string_equal(wrong, sum);
	git_store_free(store);
}

static void test_nothing_new_when_it_is_there(void **state)
{
	auto_free char *path = make_archive(sample_rows), *again = NULL;
	struct error err = ERROR_INIT;
	bool made;

	(void)state;
	shell("ls -li archives > before");
	assert_int_equal(make_again(&again, &made, &err), 0);
	assert_false(made);
	assert_string_equal(path, again);
	shell("ls -li archives | cmp - before");
}

/* pax headers only where ustar cannot hold the path: any tar of the last thirty years reads the others. */
static void test_only_long_paths_have_pax_headers(void **state)
{
	auto_strbuf struct strbuf path = STRBUF_INIT;
	auto_free char *short_one = make_archive(sample_rows), *long_one = NULL;
	auto_tree struct tree tree = TREE_INIT;
	auto_strbuf struct strbuf commit = STRBUF_INIT;
	struct error err = ERROR_INIT;
	struct row rows[2] = {{NULL, NULL}, {NULL, NULL}};

	(void)state;
	shell("! zstd -dcq %s | grep -aq PaxHeader", short_one);
	shell("rm -rf archives");
	strbuf_adds(&path, "objects/namespaces/");
	for (int i = 0; i < 63; i++)
		strbuf_addc(&path, 'n');
	strbuf_adds(&path, "/llminferenceserviceconfigs.serving.kserve.io/");
	for (int i = 0; i < 200; i++)
		strbuf_addc(&path, 'o');
	strbuf_adds(&path, ".yaml");
	rows[0] = (struct row){path.buf, "x: 1\n"};
	long_one = make_archive(rows);
	shell("zstd -dcq %s | grep -aq PaxHeader", long_one);
	assert_int_equal(archive_read(long_one, &tree, &commit, &err), 0);
	assert_string_equal(tree.files[0].path, path.buf);
	shell("mkdir x && tar --zstd -xf %s -C x && cd x && sha256sum -c --strict MANIFEST.sha256", long_one);
}

static void test_a_missing_sidecar_is_made_good(void **state)
{
	auto_free char *path = make_archive(sample_rows), *again = NULL;
	struct error err = ERROR_INIT;
	bool made;

	(void)state;
	shell("cp -r archives before && rm archives/*.sha256");
	assert_int_equal(make_again(&again, &made, &err), 0);
	assert_true(made);
	shell("diff -r before archives");
	shell("rm %s", path);
	mem_free_pointer(&again);
	assert_int_equal(make_again(&again, &made, &err), 0);
	assert_true(made);
	shell("diff -r before archives");
}

static void test_a_damaged_archive_gets_no_sidecar(void **state)
{
	auto_free char *path = make_archive(sample_rows), *again = NULL;
	struct error err = ERROR_INIT;
	bool made;

	(void)state;
	shell("rm archives/*.sha256 && truncate -s -1 %s", path);
	assert_int_equal(make_again(&again, &made, &err), -1);
	assert_int_equal(err.code, ERR_INTEGRITY);
	assert_false(made);
	shell("test $(ls archives | wc -l) = 1");
}

static void test_an_archive_that_its_sidecar_denies_is_integrity(void **state)
{
	auto_free char *path = make_archive(sample_rows), *again = NULL;
	struct error err = ERROR_INIT;
	bool made;

	(void)state;
	shell("printf x >> %s", path);
	assert_int_equal(make_again(&again, &made, &err), -1);
	assert_int_equal(err.code, ERR_INTEGRITY);
	assert_null(again);
}

static void test_a_commit_by_hand_has_no_archive(void **state)
{
	auto_free char *path = make_archive(sample_rows), *again = NULL;
	struct error err = ERROR_INIT;
	bool made;

	(void)state;
	(void)path;
	shell("cd repo && git update-ref refs/heads/clusters/prod $(git commit-tree -p HEAD -m hand HEAD^{tree})");
	assert_int_equal(make_again(&again, &made, &err), -1);
	assert_int_equal(err.code, ERR_INTEGRITY);
	shell("test $(ls archives | wc -l) = 2");
}

static void make_without_space(void *arg)
{
	const struct rlimit none = {.rlim_cur = 100, .rlim_max = 100};
	struct error err = ERROR_INIT;
	char *path;
	bool made;

	(void)arg;
	if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR || setrlimit(RLIMIT_FSIZE, &none) < 0)
		_exit(98);
	_exit(make_again(&path, &made, &err) < 0 ? (int)err.code : 0);
}

/* libarchive goes on after 48,892 failed writes, and the file looks normal (facts/engine.md 6.2). */
static void test_a_full_disk_leaves_nothing(void **state)
{
	auto_free char *path = make_archive(sample_rows);

	(void)state;
	(void)path;
	shell("rm archives/*");
	assert_int_equal(support_exit_status_of(make_without_space, NULL), ERR_FAILED);
	assert_int_equal(support_count_entries("archives"), 0);
}

/* ---- reading ---- */

static void test_what_is_read_is_what_was_written(void **state)
{
	auto_free char *path = make_archive(sample_rows), *raw = NULL;
	auto_tree struct tree tree = TREE_INIT;
	auto_strbuf struct strbuf commit = STRBUF_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(archive_read(path, &tree, &commit, &err), 0);
	assert_int_equal(tree.count, 5);
	for (const struct row *row = sample_rows; row->path; row++)
		assert_string_equal(tree_find(&tree, row->path)->data, row->text);
	shell("git -C repo cat-file commit HEAD > raw");
	raw = support_read_file("raw");
	assert_string_equal(commit.buf, raw);
}

static void test_a_renamed_archive_is_fine(void **state)
{
	auto_free char *path = make_archive(sample_rows);

	(void)state;
	shell("cp %s other.tar.zst && cp %s.sha256 other.tar.zst.sha256", path, path);
	assert_readable("other.tar.zst");
	assert_readable("./other.tar.zst");
	shell("mv other.tar.zst prod-20261120T140000Z-0123456789012345678901234567890123456789.tar.zst");
	assert_refused("prod-20261120T140000Z-0123456789012345678901234567890123456789.tar.zst", "its name says another commit");
}

static void test_a_wrong_sidecar_is_refused(void **state)
{
	auto_free char *path = make_archive(sample_rows), *sidecar = xasprintf("%s.sha256", path);

	(void)state;
	support_write_file(sidecar, "");
	assert_refused(path, "does not match");
	shell("sha256sum repo/HEAD > %s", sidecar);
	assert_refused(path, "does not match");
}

static void write_bytes(const char *path, const char *data, size_t len)
{
	struct error err = ERROR_INIT;

	assert_int_equal(file_write(path, data, len, 0600, &err), 0);
}

/*
 * Without the sidecar: zstd's checksum, the manifest and the commit each have to do it. A few bits of a zstd frame change nothing (unused, or a match of
 * zeros at another place in the zeros): there it must be the same commit, which says what every file is.
 */
static void test_a_flipped_bit_anywhere_is_found(void **state)
{
	auto_free char *path = make_archive(sample_rows);
	auto_strbuf struct strbuf bytes = STRBUF_INIT, original = STRBUF_INIT;
	auto_tree struct tree whole = TREE_INIT;
	struct error err = ERROR_INIT;
	size_t harmless = 0;

	(void)state;
	assert_int_equal(archive_read(path, &whole, &original, &err), 0);
	assert_int_equal(file_read(path, 1 << 20, &bytes, &err), 0);
	for (size_t at = 0; at < bytes.len * 8; at += 3) {
		auto_tree struct tree tree = TREE_INIT;
		auto_strbuf struct strbuf commit = STRBUF_INIT;
		int rc;

		bytes.buf[at / 8] ^= (char)(1 << at % 8);
		write_bytes("flipped.tar.zst", bytes.buf, bytes.len);
		rc = archive_read("flipped.tar.zst", &tree, &commit, &err);
		if (rc == 0 ? strcmp(commit.buf, original.buf) != 0 : err.code != ERR_INTEGRITY)
			fail_msg("bit %zu: %s", at, rc ? err.text : "taken for good");
		harmless += rc == 0;
		bytes.buf[at / 8] ^= (char)(1 << at % 8);
	}
	if (harmless > bytes.len / 10)
		fail_msg("%zu of %zu bits do not matter", harmless, bytes.len * 8);
}

static void test_a_cut_anywhere_is_found(void **state)
{
	auto_free char *path = make_archive(sample_rows);
	auto_strbuf struct strbuf bytes = STRBUF_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(file_read(path, 1 << 20, &bytes, &err), 0);
	for (size_t len = 0; len < bytes.len; len++) {
		write_bytes("cut.tar.zst", bytes.buf, len);
		assert_refused("cut.tar.zst", len > 4 ? "cut off" : "");
	}
}

static void test_bytes_after_the_end_are_refused(void **state)
{
	auto_free char *path = make_archive(sample_rows);

	(void)state;
	shell("(cat %s; printf x) > more.tar.zst", path);
	assert_refused("more.tar.zst", "after the end");
	shell("(cat %s %s) > more.tar.zst", path, path);
	assert_refused("more.tar.zst", "after the end");
	shell("(cat %s; printf '\\120\\052\\115\\030\\004\\000\\000\\000abcd') > more.tar.zst", path);
	assert_refused("more.tar.zst", "after the end");
	shell("(printf '\\120\\052\\115\\030\\004\\000\\000\\000abcd'; cat %s) > more.tar.zst", path);
	assert_refused("more.tar.zst", "");
}

/* Unpack the good archive into x, change it with the script, and pack "$files" (or what the script says) as bad.tar.zst. */
static void repack(const char *script)
{
	shell("rm -rf x bad.tar*; mkdir x && tar --zstd -xf archives/*.tar.zst -C x && cd x && files=\"MANIFEST.sha256 COMMIT "
	      "generated.yaml " SAMPLE_OBJECT " policy.yaml requirements.yaml snapshot.yaml\" && options='' && { %s; } && tar -P "
	      "--format=gnu $options -cf ../bad.tar $files && cd .. && zstd "
	      "-q bad.tar",
		script);
}

static void test_an_archive_by_hand_is_as_good(void **state)
{
	auto_free char *path = make_archive(sample_rows);

	(void)state;
	(void)path;
	repack("true");
	assert_readable("bad.tar.zst");
	repack("options=--format=pax");
	assert_readable("bad.tar.zst");
	repack("options=--sort=none; files='MANIFEST.sha256 COMMIT snapshot.yaml requirements.yaml policy.yaml "
	       "generated.yaml " SAMPLE_OBJECT "'");
	assert_readable("bad.tar.zst");
}

static void test_hostile_archives_are_refused(void **state)
{
	static const struct {
		const char *script, *text;
	} cases[] = {
		{"options='--transform=s,^snapshot.yaml$,../x,'", "not a path that a snapshot can hold: '../x'"},
		{"options='--transform=s,^snapshot.yaml$,/etc/x,'", "not a path that a snapshot can hold: '/etc/x'"},
		{"options='--transform=s,^snapshot.yaml$,./snapshot.yaml,'", "not a path that a snapshot can hold: './snapshot.yaml'"},
		{"options='--transform=s,^snapshot.yaml$,.git/config,'", "not a path"},
		{"rm snapshot.yaml; ln -s /etc/passwd snapshot.yaml", "no plain file: 'snapshot.yaml'"},
		{"rm snapshot.yaml; ln policy.yaml snapshot.yaml", "no plain file: 'snapshot.yaml'"},
		{"rm snapshot.yaml; mkfifo snapshot.yaml", "no plain file: 'snapshot.yaml'"},
		{"rm snapshot.yaml; mkdir snapshot.yaml", "no plain file: 'snapshot.yaml/'"},
		{"truncate -s 1M snapshot.yaml; options=-S", "no plain file: 'snapshot.yaml'"},
		{"options=--hard-dereference; files=\"$files snapshot.yaml\"", "'snapshot.yaml' is there twice"},
		{"options=--hard-dereference; files=\"$files MANIFEST.sha256\"", "an entry that is there twice: 'MANIFEST.sha256'"},
		{"options=--hard-dereference; files=\"$files COMMIT\"", "an entry that is there twice: 'COMMIT'"},
		{"files='COMMIT MANIFEST.sha256 snapshot.yaml'", "no MANIFEST.sha256 where it must be"},
		{"files='MANIFEST.sha256 snapshot.yaml COMMIT'", "no COMMIT where it must be"},
		{"files='MANIFEST.sha256'", "no COMMIT where it must be"},
		{"options='-T /dev/null'; files=", "no MANIFEST.sha256 where it must be"},
		{"echo >> snapshot.yaml", "1 files differ from MANIFEST.sha256, the first is 'snapshot.yaml'"},
		{"files='MANIFEST.sha256 COMMIT generated.yaml'", "4 files differ from MANIFEST.sha256"},
		{"echo > extra; files=\"$files extra\"", "1 files differ from MANIFEST.sha256, the first is 'extra'"},
		{"sort -r MANIFEST.sha256 > m; mv m MANIFEST.sha256", "MANIFEST.sha256 is not sorted"},
		{"sed -i 's,  snapshot,  ../snapshot,' MANIFEST.sha256", "not a path"},
		{"sed -i 's,  snapshot,  /snapshot,' MANIFEST.sha256", "not a path"},
		{"sed -i p MANIFEST.sha256", "is listed twice"},
		{"echo > snapshot.yaml; sha256sum generated.yaml " SAMPLE_OBJECT
		 " policy.yaml requirements.yaml snapshot.yaml > MANIFEST.sha256",
			"its files are not those of commit"},
		{"sed -i 's/^Manifest-SHA256: ./Manifest-SHA256: x/' COMMIT", "does not vouch for MANIFEST.sha256"},
		{"sed -i /^Manifest-SHA256/d COMMIT", "does not vouch for MANIFEST.sha256"},
		{"sed -i s/^committer/x/ COMMIT", "not a commit object"},
		{"truncate -s 3M COMMIT", "too large: 'COMMIT'"},
		{"truncate -s 17M snapshot.yaml", "too large: 'snapshot.yaml'"},
	};
	auto_free char *path = make_archive(sample_rows);

	(void)state;
	(void)path;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		repack(cases[i].script);
		assert_refused("bad.tar.zst", cases[i].text);
	}
}

static void test_a_bomb_is_refused(void **state)
{
	(void)state;
	shell("truncate -s 260M MANIFEST.sha256 && tar -cf bomb.tar MANIFEST.sha256 && zstd -q -1 bomb.tar && rm bomb.tar");
	assert_refused("bomb.tar.zst", "expands to more than a snapshot can hold");
}

/* What this program writes it must be able to read: very much of the same is found out when it is written, not in the disaster. */
static void test_an_archive_that_would_pass_for_a_bomb_is_not_made(void **state)
{
	enum { COUNT = 17 };
	auto_free char *data = xcalloc(1, TREE_FILE_MAX);
	struct git_store *store = open_repo();
	struct error err = ERROR_INIT;
	struct git_write *w;
	char tree[GIT_ID_SIZE], sum[65], id[GIT_ID_SIZE], *path, *message;
	bool unchanged, made;

	(void)state;
	memset(data, 'x', TREE_FILE_MAX);
	assert_int_equal(git_write_begin(&w, store, "prod", &err), 0);
	for (int i = 0; i < COUNT; i++) {
		char name[] = {(char)('a' + i), '\0'};

		assert_int_equal(git_write_file(w, name, data, TREE_FILE_MAX, &err), 0);
	}
	assert_int_equal(git_write_finish(w, tree, sum, &unchanged, &err), 0);
	message = xasprintf("x\n\nManifest-SHA256: %s\n", sum);
	assert_int_equal(git_write_commit(w, message, SAMPLE_TIME, id, &err), 0);
	free(message);
	git_write_free(w);
	assert_int_equal(archive_make(store, TARGET(id, "archives"), &path, &made, &err), -1);
	assert_int_equal(err.code, ERR_FAILED);
	if (!strstr(err.text, "a reader would take it for a bomb"))
		fail_msg("%s", err.text);
	assert_int_equal(support_count_entries("archives"), 0);
	git_store_free(store);
}

/* A frame that asks for 2 GiB of memory to be read at all. */
static void test_a_window_too_large_is_refused(void **state)
{
	(void)state;
	shell("head -c 1000000 /dev/urandom > data && zstd -q --ultra --long=31 -c < data > wide.tar.zst");
	assert_refused("wide.tar.zst", "damaged: ");
}

static void test_what_is_no_archive_is_refused(void **state)
{
	auto_tree struct tree tree = TREE_INIT;
	auto_strbuf struct strbuf commit = STRBUF_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(archive_read("none.tar.zst", &tree, &commit, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
	shell("touch empty.tar.zst; mkfifo fifo.tar.zst; mkdir folder.tar.zst; echo text > text.tar.zst; zstd -q text.tar.zst -o "
	      "packed.tar.zst");
	assert_refused("empty.tar.zst", "cut off after 0 bytes");
	assert_refused("fifo.tar.zst", "not a plain file");
	assert_refused("folder.tar.zst", "not a plain file");
	assert_refused("text.tar.zst", "damaged: ");
	assert_refused("packed.tar.zst", "");
	shell("tar -cf plain.tar.zst text.tar.zst");
	assert_refused("plain.tar.zst", "damaged: ");
	shell("tar -cf - text.tar.zst | gzip > gz.tar.zst");
	assert_refused("gz.tar.zst", "damaged: ");
	/* Only tar inside, nothing else that libarchive could read. */
	shell("echo text.tar.zst | cpio -o -H newc 2>/dev/null | zstd -q > cpio.tar.zst || cp packed.tar.zst cpio.tar.zst");
	assert_refused("cpio.tar.zst", "");
}

/* ---- with the archive before ---- */

#define LONG "oooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooo"

/* Against sample_rows: one file has changed, one has come before all others, one between them, and one has gone. */
static const struct row later_rows[] = {
	{"alerts.yaml", "a: 1\n"},
	{"generated.yaml", "items: []\n"},
	{"objects/namespaces/prod/" LONG "/" LONG LONG ".yaml", "kind: Long\n"},
	{"policy.yaml", "another: policy\n"},
	{"snapshot.yaml", "formatVersion: 2\n"},
	{NULL, NULL},
};

/* The second of two commits. The archive of the first is in "archives", its own, made from the repository alone, in "alone". */
struct second {
	char id[GIT_ID_SIZE];
	struct strbuf manifest;
};

static void second_release(struct second *second)
{
	strbuf_release(&second->manifest);
}
#define auto_second __attribute__((cleanup(second_release)))

static void make_two(struct second *second)
{
	auto_free char *first = make_archive(later_rows), *path = NULL, *manifest = NULL;
	struct git_store *store = open_repo();
	struct error err = ERROR_INIT;
	bool made;

	(void)first;
	commit_rows(store, sample_rows, SAMPLE_TIME + 60, second->id);
	assert_int_equal(archive_make(store, TARGET(second->id, "alone"), &path, &made, &err), 0);
	git_store_free(store);
	shell("cp -r archives first");
	manifest = shell_output("zstd -dcq alone/*.zst | tar -xO MANIFEST.sha256");
	strbuf_addf(&second->manifest, "%s\n", manifest);
}

static int make_second(const struct second *second, struct error *err)
{
	struct git_store *store = open_repo();
	struct archive_target target = *TARGET(second->id, "archives");
	auto_free char *path = NULL;
	bool made;
	int rc;

	target.manifest = &second->manifest;
	rc = archive_make(store, &target, &path, &made, err);
	git_store_free(store);
	return rc;
}

/* Make the second archive beside the first one; whatever that is, nothing of it may show. */
static void assert_as_alone(const struct second *second, const char *what)
{
	struct error err = ERROR_INIT;

	if (make_second(second, &err) < 0)
		fail_msg("%s: %s", what, err.text);
	shell("cd alone && for f in *; do cmp \"$f\" ../archives/\"$f\" || exit 1; done");
	shell("rm -rf archives && cp -r first archives");
}

static void test_the_archive_before_changes_nothing(void **state)
{
	auto_second struct second second = {.manifest = STRBUF_INIT};

	(void)state;
	make_two(&second);
	assert_as_alone(&second, "as it was");
}

/* Proof that it is read: git has lost what has not changed. */
static void test_the_archive_before_lends_its_files(void **state)
{
	auto_second struct second second = {.manifest = STRBUF_INIT};
	auto_free char *blob = NULL;
	struct error err = ERROR_INIT;

	(void)state;
	make_two(&second);
	shell("test $(git -C repo rev-parse HEAD~:generated.yaml HEAD:generated.yaml | uniq | wc -l) = 1");
	blob = shell_output("git -C repo rev-parse HEAD:generated.yaml | sed 's,..,&/,'");
	shell("rm -f repo/objects/%s", blob);
	assert_as_alone(&second, "without the blob");
	shell("rm archives/*");
	assert_int_equal(make_second(&second, &err), -1);
	assert_int_equal(err.code, ERR_INTEGRITY);
}

static void test_a_damaged_archive_before_harms_nothing(void **state)
{
	auto_second struct second second = {.manifest = STRBUF_INIT};
	auto_free char *size = NULL;

	(void)state;
	make_two(&second);
	size = shell_output("cat first/*.zst | wc -c");
	for (int at = 0; at < atoi(size); at += 29) {
		shell("printf '\\245' | dd of=$(echo archives/*.zst) bs=1 seek=%d conv=notrunc status=none", at);
		assert_as_alone(&second, "a byte");
	}
	for (int len = 0; len < atoi(size); len += 97) {
		shell("truncate -s %d archives/*.zst", len);
		assert_as_alone(&second, "a cut");
	}
}

/* Whole, and not true: another text at a name, folders, names out of order. */
static void test_a_forged_archive_before_harms_nothing(void **state)
{
	static const char *const forge[] = {
		"for f in $(find . -type f); do echo forged > $f; done; tar -cf ../t MANIFEST.sha256 COMMIT alerts.yaml generated.yaml "
		"policy.yaml",
		"tar -cf ../t snapshot.yaml generated.yaml policy.yaml MANIFEST.sha256",
		"tar -cf ../t generated.yaml generated.yaml generated.yaml",
		"mkdir policy && tar -cf ../t COMMIT policy policy.yaml",
		"ln -s /etc/passwd generated && tar -cf ../t generated policy.yaml",
		": > ../t",
	};
	auto_second struct second second = {.manifest = STRBUF_INIT};

	(void)state;
	make_two(&second);
	for (size_t i = 0; i < sizeof(forge) / sizeof(*forge); i++) {
		shell("rm -rf x && mkdir x && zstd -dcq first/*.zst | tar -x -C x && (cd x && %s) && zstd -qf t -o $(echo archives/*.zst)",
			forge[i]);
		assert_as_alone(&second, forge[i]);
	}
	shell("f=$(echo archives/*.zst) && rm $f && mkfifo $f");
	assert_as_alone(&second, "a fifo");
}

#define T(name) cmocka_unit_test_setup_teardown(name, support_enter_dir, support_leave_dir)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_an_archive_is_what_tar_and_zstd_read),
		T(test_the_same_commit_gives_the_same_bytes),
		T(test_a_manifest_at_hand_changes_nothing),
		T(test_nothing_new_when_it_is_there),
		T(test_only_long_paths_have_pax_headers),
		T(test_a_missing_sidecar_is_made_good),
		T(test_a_damaged_archive_gets_no_sidecar),
		T(test_an_archive_that_its_sidecar_denies_is_integrity),
		T(test_a_commit_by_hand_has_no_archive),
		T(test_a_full_disk_leaves_nothing),
		T(test_what_is_read_is_what_was_written),
		T(test_a_renamed_archive_is_fine),
		T(test_a_wrong_sidecar_is_refused),
		T(test_a_flipped_bit_anywhere_is_found),
		T(test_a_cut_anywhere_is_found),
		T(test_bytes_after_the_end_are_refused),
		T(test_an_archive_by_hand_is_as_good),
		T(test_hostile_archives_are_refused),
		T(test_a_bomb_is_refused),
		T(test_an_archive_that_would_pass_for_a_bomb_is_not_made),
		T(test_a_window_too_large_is_refused),
		T(test_what_is_no_archive_is_refused),
		T(test_the_archive_before_changes_nothing),
		T(test_the_archive_before_lends_its_files),
		T(test_a_damaged_archive_before_harms_nothing),
		T(test_a_forged_archive_before_harms_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
