/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot/status.h"

#include <string.h>

#include "store/archive.h"
#include "store/git.h"
#include "store/stale.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/file.h"
#include "util/json.h"
#include "util/openmetrics.h"
#include "util/mem.h"
#include "util/strbuf.h"
#include "util/text.h"
#include "util/yaml.h"

#define REFUSED_REF "refs/rhaii-dr/refused/"
#define CLOCK_SKEW_MAX 60 /* seconds that a capture may seem to lie ahead */

char *status_offsite(const char *declared)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;

	if (!declared)
		return xstrdup("none");
	strbuf_adds(&text, "declared, not checked: ");
	text_escape(&text, declared, strlen(declared), 0);
	return strbuf_detach(&text, NULL);
}

/* ---- reading ---- */

json_t *status_objects(struct git_store *store, const char *commit, json_t **orphans, struct error *err)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_json json_t *info = NULL;
	const json_t *kind;
	json_int_t sum = 0;
	size_t i;

	if (orphans)
		*orphans = json_null();
	if (git_read_file(store, commit, "snapshot.yaml", &text, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return NULL;
		error_clear(err);
		return json_null();
	}
	if (!(info = yaml_read(text.buf, text.len, err))) {
		error_wrap(err, "snapshot.yaml of commit %.12s", commit);
		return NULL;
	}
	json_array_foreach (json_object_get(info, "kinds"), i, kind)
		sum += json_integer_value(json_object_get(kind, "count"));
	if (orphans && json_is_integer(json_object_get(info, "orphans")))
		*orphans = json_incref(json_object_get(info, "orphans"));
	return json_integer(sum);
}

/* The first digits of the refused tree's id, null where nothing waits. */
static int read_refused(struct git_store *store, const char *cluster, json_t **out, struct error *err)
{
	auto_free char *name = xasprintf(REFUSED_REF "%s", cluster);
	struct git_commit commit;
	char id[GIT_ID_SIZE];

	*out = NULL;
	if (git_resolve(store, cluster, name, id, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return -1;
		error_clear(err);
		*out = json_null();
		return 0;
	}
	if (git_read_commit(store, id, &commit, err) < 0)
		return -1;
	*out = json_stringn(commit.tree, GIT_REFUSED_DIGITS);
	git_commit_release(&commit);
	return 0;
}

static int read_archive(struct git_store *store, const char *cluster, const char *commit, const char *dir, json_t **out, struct error *err)
{
	auto_free char *path = NULL, *sidecar = NULL;
	auto_strbuf struct strbuf shown = STRBUF_INIT;

	*out = json_null();
	if (!dir)
		return 0;
	if (!(path = archive_path(store, cluster, commit, dir, err)))
		return -1;
	sidecar = xasprintf("%s.sha256", path);
	text_escape(&shown, path, strlen(path), 0); /* the directory may be named in any bytes */
	*out = json_pack("{s:s, s:b}", "path", shown.buf, "complete", file_exists(path) && file_exists(sidecar));
	return 0;
}

/* When this state was first captured: the commit says, and a commit that is none of ours has its own time. */
static time_t snapshot_time(const struct git_commit *commit)
{
	struct error ignored = ERROR_INIT;
	time_t when;

	return commit->captured_at && clock_parse(commit->captured_at, &when, &ignored) == 0 ? when : commit->time;
}

/* What the ages say, added to entry, which has the stale kinds: no RPO is claimed that does not hold for them. */
static void add_times(json_t *entry, time_t first, time_t last, time_t now, int64_t max_age_ms)
{
	char when[CLOCK_TEXT_SIZE];
	time_t complete = stale_complete_time(json_object_get(entry, "stale"), last);
	json_int_t age = (json_int_t)now - (json_int_t)complete;
	bool ahead = (json_int_t)now - (json_int_t)last < -CLOCK_SKEW_MAX;

	json_object_set_new(entry, "snapshotAt", json_string(clock_format(first, when)));
	json_object_set_new(entry, "capturedAt", json_string(clock_format(last, when)));
	json_object_set_new(entry, "completeAt", json_string(clock_format(complete, when)));
	json_object_set_new(entry, "rpoSeconds", json_integer(age > 0 ? age : 0));
	json_object_set_new(entry, "inFuture", json_boolean(ahead));
	/* a capture that is to come proves no age */
	json_object_set_new(entry, "tooOld", json_boolean(ahead || age > max_age_ms / 1000));
}

static int read_cluster(
	struct git_store *store, const struct status_options *options, const char *cluster, time_t now, json_t *clusters, struct error *err)
{
	json_t *objects = NULL, *refused = NULL, *archive = NULL, *entry;
	time_t first, last = git_captured_at(store, cluster);
	struct git_commit commit;
	char id[GIT_ID_SIZE];

	if (git_resolve(store, cluster, NULL, id, err) < 0 || git_read_commit(store, id, &commit, err) < 0)
		return error_wrap(err, "cluster '%s'", cluster);
	first = snapshot_time(&commit);
	if (!(objects = status_objects(store, id, NULL, err)) || read_refused(store, cluster, &refused, err) < 0 ||
		read_archive(store, cluster, id, options->archive_dir, &archive, err) < 0) {
		json_decref(objects);
		json_decref(refused);
		git_commit_release(&commit);
		return error_wrap(err, "cluster '%s'", cluster);
	}
	entry = json_pack(
		"{s:s, s:s, s:o, s:o, s:o}", "cluster", cluster, "commit", id, "objects", objects, "archive", archive, "refused", refused);
	json_object_set_new(entry, "stale", stale_of(store, cluster, &commit));
	add_times(entry, first, last > first ? last : first, now, options->max_age_ms);
	json_array_append_new(clusters, entry);
	git_commit_release(&commit);
	return 0;
}

/* The one asked for, which must be there, or all of them, of which there must be one. */
static int find_clusters(struct git_store *store, const char *name, struct strlist *out, struct error *err)
{
	auto_free char *found = NULL;

	if (name) {
		if (git_store_cluster(store, name, &found, err) < 0)
			return -1;
		strlist_add(out, found);
		return 0;
	}
	if (git_store_clusters(store, out, err) < 0)
		return -1;
	if (out->count > 0)
		return 0;
	error_set(err, ERR_NOT_FOUND, "no snapshot in the repository yet");
	return error_hint(err, "take the first one: 'rhaii-dr snapshot --cluster NAME'");
}

int status_read(struct git_store *store, const struct status_options *options, json_t **result, struct error *err)
{
	auto_strlist struct strlist names = STRLIST_INIT;
	auto_json json_t *clusters = json_array();
	auto_free char *offsite = status_offsite(options->offsite);
	char when[CLOCK_TEXT_SIZE];
	time_t now = clock_now();

	*result = NULL;
	if (find_clusters(store, options->cluster, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++)
		if (read_cluster(store, options, names.items[i], now, clusters, err) < 0)
			return -1;
	*result = json_pack("{s:s, s:I, s:s, s:O}", "checkedAt", clock_format(now, when), "maxAgeSeconds",
		(json_int_t)(options->max_age_ms / 1000), "offsite", offsite, "clusters", clusters);
	return 0;
}

bool status_too_old(const json_t *result)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (json_object_get(result, "clusters"), i, entry)
		if (json_is_true(json_object_get(entry, "tooOld")))
			return true;
	return false;
}

/* ---- metrics ---- */

static json_t *seconds_of(const json_t *entry, const char *key)
{
	struct error ignored = ERROR_INIT;
	time_t when = 0;

	return clock_parse(json_text_at(entry, key, NULL), &when, &ignored) == 0 ? json_integer(when) : NULL;
}

/* The value of a metric for a cluster; NULL: no sample. The caller's. */
static json_t *last_capture(const json_t *entry)
{
	return seconds_of(entry, "completeAt");
}

static json_t *snapshot_at(const json_t *entry)
{
	return seconds_of(entry, "snapshotAt");
}

static json_t *rpo(const json_t *entry)
{
	return json_incref(json_object_get(entry, "rpoSeconds"));
}

static json_t *missed(const json_t *entry)
{
	return json_integer(json_is_true(json_object_get(entry, "tooOld")));
}

static json_t *objects(const json_t *entry)
{
	json_t *count = json_object_get(entry, "objects");

	return json_is_integer(count) ? json_incref(count) : NULL;
}

static json_t *archive_complete(const json_t *entry)
{
	const json_t *archive = json_object_get(entry, "archive");

	return json_is_object(archive) ? json_integer(json_is_true(json_object_get(archive, "complete"))) : NULL;
}

static json_t *stale_kinds(const json_t *entry)
{
	return json_integer((json_int_t)json_array_size(json_object_get(entry, "stale")));
}

static json_t *refused_waits(const json_t *entry)
{
	return json_integer(json_is_string(json_object_get(entry, "refused")));
}

static json_t *proven_at(const json_t *entry)
{
	return json_is_object(json_object_get(entry, "proof")) ? seconds_of(json_object_get(entry, "proof"), "at") : NULL;
}

static json_t *proof_missed(const json_t *entry)
{
	return json_integer(json_is_true(json_object_get(entry, "proofTooOld")));
}

static json_t *one(const json_t *entry)
{
	(void)entry;
	return json_integer(1);
}

/* A row a metric. snapshot_info is a gauge, not an info (util/openmetrics.h). */
static const struct metric {
	const char *name, *help;
	json_t *(*value)(const json_t *entry);
	bool commit; /* as a label */
} metrics[] = {
	{"rhaii_dr_last_capture_timestamp_seconds", "When the cluster was last captured completely, changed or not: all its kinds.",
		last_capture, false},
	{"rhaii_dr_snapshot_timestamp_seconds", "When the newest snapshot was taken.", snapshot_at, false},
	{"rhaii_dr_rpo_seconds", "Age of the last complete capture when this file was written.", rpo, false},
	{"rhaii_dr_rpo_missed", "1 when the last complete capture was older than --max-age when this file was written.", missed, false},
	{"rhaii_dr_stale_kinds", "Kinds that the last capture could not read, and that kept an older state.", stale_kinds, false},
	{"rhaii_dr_objects", "Objects in the newest snapshot.", objects, false},
	{"rhaii_dr_archive_complete", "1 when the archive of the newest snapshot and its sidecar are there.", archive_complete, false},
	{"rhaii_dr_refused_capture", "1 when a refused capture waits for somebody to accept it.", refused_waits, false},
	{"rhaii_dr_last_proof_timestamp_seconds",
		"When a restore or a drill last brought a snapshot of the cluster back whole and verified.", proven_at, false},
	{"rhaii_dr_proof_too_old", "1 when that was longer ago than --max-proof-age when this file was written, or never.", proof_missed,
		false},
	{"rhaii_dr_snapshot_info", "Commit of the newest snapshot.", one, true},
};

static void add_sample(struct strbuf *out, const struct metric *metric, const json_t *entry)
{
	auto_json json_t *value = metric->value(entry);

	if (!value)
		return;
	strbuf_addf(out, "%s{", metric->name);
	openmetrics_label(out, "cluster", json_text_at(entry, "cluster", NULL));
	if (metric->commit) {
		strbuf_addc(out, ',');
		openmetrics_label(out, "commit", json_text_at(entry, "commit", NULL));
	}
	strbuf_addf(out, "} %lld\n", (long long)json_integer_value(value));
}

void status_openmetrics(const json_t *result, struct strbuf *out)
{
	const json_t *clusters = json_object_get(result, "clusters"), *entry;
	const char *offsite = json_text_at(result, "offsite", NULL);
	size_t i;

	for (size_t row = 0; row < sizeof(metrics) / sizeof(metrics[0]); row++) {
		openmetrics_family(out, metrics[row].name, metrics[row].help);
		json_array_foreach (clusters, i, entry)
			add_sample(out, &metrics[row], entry);
	}
	openmetrics_family(out, "rhaii_dr_rpo_target_seconds", "The RPO: --max-age.");
	strbuf_addf(out, "rhaii_dr_rpo_target_seconds %lld\n", (long long)json_integer_value(json_object_get(result, "maxAgeSeconds")));
	openmetrics_family(out, "rhaii_dr_offsite_declared", "1 when somebody declares that copies leave the site; nothing checks it.");
	strbuf_addf(out, "rhaii_dr_offsite_declared %d\n# EOF\n", offsite && strcmp(offsite, "none") != 0);
}
