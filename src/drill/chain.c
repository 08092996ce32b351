/* SPDX-License-Identifier: Apache-2.0 */
#include "drill/chain.h"

#include <stdbool.h>
#include <string.h>

#include "drill/record.h"
#include "store/records.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/hash.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"
#include "util/text.h"

/* ---- appending ---- */

struct newest {
	char commit[GIT_ID_SIZE];
	char sha256[HASH_HEX_SIZE];
	bool found;
};

static int take_newest(const struct git_record *record, void *arg, struct error *err)
{
	struct newest *newest = arg;

	(void)err;
	memcpy(newest->commit, record->commit, GIT_ID_SIZE);
	hash_sha256(record->text, record->len, newest->sha256);
	newest->found = true;
	return 1;
}

static void commit_message(const json_t *record, struct strbuf *out)
{
	const char *scenario = json_text_at(record, "scenario", NULL);

	strbuf_addf(out, "%s: %s", json_text_at(record, "kind", NULL), json_text_at(record, "verdict", "result", NULL));
	if (scenario) {
		strbuf_adds(out, " (");
		text_escape(out, scenario, strlen(scenario), 60);
		strbuf_addc(out, ')');
	}
	strbuf_addf(out, "\n\nRecord: %s\nSnapshot: %s\nTool-Version: %s", json_text_at(record, "id", NULL),
		json_text_at(record, "input", "snapshot", "commit", NULL), json_text_at(record, "identity", "tool", "version", NULL));
}

int chain_append(struct git_store *store, json_t *record, char commit[GIT_ID_SIZE], struct error *err)
{
	const char *name = json_text_at(record, "name", NULL);
	auto_strbuf struct strbuf text = STRBUF_INIT, message = STRBUF_INIT;
	struct git_record added = {.time = clock_now()};
	struct newest newest = {.found = false};

	/* Locked first: between the look at the newest and the new one nobody comes in between. */
	if (git_store_lock(store, err) < 0 || git_record_each(store, name, take_newest, &newest, err) < 0)
		return error_wrap(err, "the records of '%s'", name);
	json_object_set_new(record, "previous", newest.found ? json_string(newest.sha256) : json_null());
	record_text(record, &text);
	commit_message(record, &message);
	memcpy(added.parent, newest.commit, GIT_ID_SIZE);
	added.text = text.buf;
	added.len = text.len;
	if (git_record_append(store, name, &added, message.buf, err) < 0)
		return error_wrap(err, "the records of '%s'", name);
	memcpy(commit, added.commit, GIT_ID_SIZE);
	return 0;
}

/* ---- looking for one ---- */

struct search {
	const char *id;
	json_t *found; /* the newest that the id fits */
	size_t count;
};

static bool fits(const json_t *record, const char *id)
{
	const char *own = json_text_at(record, "id", NULL);

	return !id || (own && strncmp(own, id, strlen(id)) == 0);
}

static int look_at(const struct git_record *bytes, void *arg, struct error *err)
{
	struct search *search = arg;
	json_t *record;

	if (record_read(&record, bytes->text, bytes->len, err) < 0)
		return error_wrap(err, "the record of commit %.12s", bytes->commit);
	if (!fits(record, search->id)) {
		json_decref(record);
		return 0;
	}
	if (search->count++ == 0)
		search->found = record;
	else
		json_decref(record);
	return !search->id; /* the newest is enough where none is named */
}

static int not_found(const char *name, const char *id, struct error *err)
{
	auto_strbuf struct strbuf shown = STRBUF_INIT;

	if (id)
		text_escape(&shown, id, strlen(id), 60);
	if (id)
		(void)error_set(err, ERR_NOT_FOUND, "no record '%s' of cluster '%s'", shown.buf, name);
	else
		(void)error_set(err, ERR_NOT_FOUND, "no record of a restore or a drill of cluster '%s' yet", name);
	return error_hint(err, "see 'git log drills/%s' in the repository, or name the file of a record", name);
}

int chain_find(struct git_store *store, const char *name, const char *id, json_t **out, struct error *err)
{
	struct search search = {.id = id};
	int rc = git_record_each(store, name, look_at, &search, err);

	*out = NULL;
	if (rc == 0 && search.count == 0)
		rc = not_found(name, id, err);
	if (rc == 0 && search.count > 1)
		rc = error_set(err, ERR_USAGE, "%zu records of cluster '%s' have an id that starts so: '%s'", search.count, name, id);
	if (rc < 0) {
		json_decref(search.found);
		return error_wrap(err, "the records in '%s'", git_store_dir(store));
	}
	*out = search.found;
	return 0;
}

/* ---- trend ---- */

struct trend {
	const char *id; /* NULL, or it has come */
	size_t count;
	json_t *list; /* newest first */
};

static json_t *value_or_null(json_t *value)
{
	return value ? json_incref(value) : json_null();
}

static json_t *phase_times(const json_t *record)
{
	json_t *times = json_object(), *phase;
	size_t i;

	json_array_foreach (json_object_get(record, "phases"), i, phase) {
		const char *name = json_text_at(phase, "name", NULL);
		json_t *milliseconds = json_object_get(phase, "milliseconds");

		if (name && json_is_integer(milliseconds))
			json_object_set(times, name, milliseconds);
	}
	return times;
}

json_t *chain_point(const json_t *record)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", value_or_null(json_object_get(record, "id")), "scenario",
		value_or_null(json_object_get(record, "scenario")), "kind", value_or_null(json_object_get(record, "kind")), "mode",
		value_or_null(json_object_get(record, "mode")), "startedAt", value_or_null(json_object_get(record, "startedAt")), "result",
		value_or_null(json_at(record, "verdict", "result", NULL)), "rtoMilliseconds",
		value_or_null(json_at(record, "rto", "achievedMilliseconds", NULL)), "phases", phase_times(record));
}

static int add_point(const struct git_record *bytes, void *arg, struct error *err)
{
	struct trend *trend = arg;
	auto_json json_t *record = NULL;

	if (record_read(&record, bytes->text, bytes->len, err) < 0)
		return error_wrap(err, "the record of commit %.12s", bytes->commit);
	if (trend->id && !fits(record, trend->id))
		return 0;
	trend->id = NULL;
	json_array_append_new(trend->list, chain_point(record));
	return json_array_size(trend->list) >= trend->count;
}

int chain_trend(struct git_store *store, const char *name, const char *id, size_t count, json_t **out, struct error *err)
{
	auto_json json_t *list = json_array();
	struct trend trend = {.id = id, .count = count, .list = list};

	*out = NULL;
	if (git_record_each(store, name, add_point, &trend, err) < 0)
		return -1;
	*out = json_array();
	for (size_t i = json_array_size(list); i-- > 0;)
		json_array_append(*out, json_array_get(list, i));
	return 0;
}

static bool is_model(const json_t *point)
{
	const char *mode = json_text_at(point, "mode", NULL), *result = json_text_at(point, "result", NULL);

	return mode && result && strcmp(mode, "real") == 0 && strncmp(result, "passed", strlen("passed")) == 0;
}

void chain_expect(const json_t *trend, int64_t expected_ms[PHASE_COUNT])
{
	const json_t *phases = NULL;

	for (size_t i = json_array_size(trend); !phases && i-- > 0;)
		if (is_model(json_array_get(trend, i)))
			phases = json_object_get(json_array_get(trend, i), "phases");
	for (int phase = 0; phases && phase < PHASE_COUNT; phase++) {
		const json_t *ms = json_object_get(phases, phase_name((enum phase)phase));

		if (json_is_integer(ms))
			expected_ms[phase] = json_integer_value(ms);
	}
}

/* ---- proofs ---- */

/* A restore that was not verified proves nothing; in a local drill there is less to verify, and the mark says that it was one. */
static bool proves(const json_t *record)
{
	const json_t *code = json_at(record, "verdict", "exitCode", NULL);
	const char *mode = json_text_at(record, "mode", NULL);

	if (!json_is_integer(code) || (json_integer_value(code) != ERR_NONE && json_integer_value(code) != ERR_OBJECTIVE))
		return false;
	return json_integer_value(json_at(record, "probeCounts", "pass", NULL)) > 0 || (mode && strcmp(mode, "local") == 0);
}

json_t *chain_proof_of(const json_t *proofs, const char *snapshot)
{
	json_t *proof;
	size_t i;

	json_array_foreach (proofs, i, proof) {
		const char *commit = json_text_at(proof, "snapshot", NULL);

		if (commit && strcmp(commit, snapshot) == 0)
			return proof;
	}
	return NULL;
}

static int add_proof(const struct git_record *bytes, void *arg, struct error *err)
{
	json_t *proofs = arg;
	auto_json json_t *record = NULL;
	const char *commit;

	if (record_read(&record, bytes->text, bytes->len, err) < 0)
		return error_wrap(err, "the record of commit %.12s", bytes->commit);
	commit = json_text_at(record, "input", "snapshot", "commit", NULL);
	if (!commit || !*commit || !proves(record) || chain_proof_of(proofs, commit))
		return 0;
	json_array_append_new(proofs,
		json_pack("{s:s, s:o, s:o, s:o, s:o, s:o}", "snapshot", commit, "record", value_or_null(json_object_get(record, "id")),
			"kind", value_or_null(json_object_get(record, "kind")), "mode", value_or_null(json_object_get(record, "mode")),
			"at", value_or_null(json_object_get(record, "endedAt")), "server",
			value_or_null(json_at(record, "identity", "target", "server", NULL))));
	return 0;
}

int chain_proofs(struct git_store *store, const char *name, json_t **out, struct error *err)
{
	*out = json_array();
	if (git_record_each(store, name, add_proof, *out, err) == 0)
		return 0;
	json_decref(*out);
	*out = NULL;
	return -1;
}

/* ---- checking ---- */

struct checking {
	const char *name;
	json_t *faults;
	json_int_t records;
	char *newest;
	/* Of the record after the one at hand, and what that says of it. */
	char *after, *expected;
};

static void fault(const struct checking *checking, const char *record, const char *text)
{
	json_array_append_new(checking->faults, json_pack("{s:s, s:s}", "record", record, "text", text));
}

static void check_link(const struct checking *checking, const struct git_record *bytes)
{
	char sha256[HASH_HEX_SIZE];

	hash_sha256(bytes->text, bytes->len, sha256);
	if (checking->records && (!checking->expected || strcmp(checking->expected, sha256) != 0))
		fault(checking, checking->after, "the record before it is not the one that it names: one was changed, left out or put in");
}

static void check_content(const struct checking *checking, const struct git_record *bytes, const json_t *record, const char *id)
{
	const char *name = json_text_at(record, "name", NULL);

	if (!name || strcmp(name, checking->name) != 0)
		fault(checking, id, "it is of another cluster than the chain");
	if (json_text_at(record, "previous", NULL) && !*bytes->parent)
		fault(checking, id, "it names a record before it, and there is none: the start of the chain is missing");
}

static void replace(char **text, const char *with)
{
	mem_free_pointer(text);
	*text = xstrdup(with);
}

static int check_record(const struct git_record *bytes, void *arg, struct error *err)
{
	struct checking *checking = arg;
	auto_json json_t *record = NULL;
	const char *id;

	check_link(checking, bytes);
	if (record_read(&record, bytes->text, bytes->len, err) < 0) {
		fault(checking, bytes->commit, err->text);
		error_clear(err);
	}
	id = json_text_at(record, "id", NULL);
	id = id ? id : bytes->commit;
	if (record)
		check_content(checking, bytes, record, id);
	if (checking->records++ == 0)
		replace(&checking->newest, id);
	replace(&checking->after, id);
	replace(&checking->expected, json_text_at(record, "previous", NULL));
	return 0;
}

int chain_check(struct git_store *store, const char *name, json_t **out, struct error *err)
{
	struct checking checking = {.name = name, .faults = json_array()};

	if (git_record_each(store, name, check_record, &checking, err) < 0) {
		fault(&checking, checking.after ? checking.after : name, err->text);
		error_clear(err);
	}
	*out = json_pack(
		"{s:s, s:I, s:s?, s:o}", "name", name, "records", checking.records, "newest", checking.newest, "faults", checking.faults);
	mem_free_pointer(&checking.newest);
	mem_free_pointer(&checking.after);
	mem_free_pointer(&checking.expected);
	return 0;
}
