/* SPDX-License-Identifier: Apache-2.0 */
#include "drill/keep.h"

#include "drill/chain.h"
#include "drill/record.h"
#include "store/git.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/json.h"
#include "util/log.h"
#include "util/mem.h"

/* A snapshot of the CronJob may hold the repository just now. */
#define LOCKED_TRIES 20
#define LOCKED_WAIT_MS 500

static int append(const char *repo, json_t *record, char commit[GIT_ID_SIZE], struct error *err)
{
	struct git_store *store;
	int rc;

	if (git_store_open(&store, repo, false, NULL, err) < 0)
		return -1;
	rc = chain_append(store, record, commit, err);
	git_store_free(store);
	return rc;
}

static json_t *chain_it(json_t *record, const char *repo)
{
	struct error err = ERROR_INIT;
	char commit[GIT_ID_SIZE];

	for (int tries = 0; append(repo, record, commit, &err) < 0; tries++) {
		if ((err.code != ERR_LOCKED && err.code != ERR_CONFLICT) || tries == LOCKED_TRIES) {
			log_warning("the record is in no chain: %s", err.text);
			return json_null();
		}
		error_clear(&err);
		clock_sleep_ms(LOCKED_WAIT_MS);
	}
	return json_string(commit);
}

static json_t *write_it(const json_t *record, const char *dir)
{
	struct error err = ERROR_INIT;
	auto_free char *path = NULL;

	if (record_write(record, dir, &path, &err) == 0)
		return json_string(path);
	log_warning("%s", err.text);
	return json_null();
}

json_t *record_keep(json_t *record, const char *repo, const char *dir)
{
	/* The chain first: it says what came before, and the file has the same bytes. */
	json_t *commit = repo && json_text_at(record, "name", NULL) ? chain_it(record, repo) : json_null();

	return json_pack("{s:o, s:o}", "path", dir ? write_it(record, dir) : json_null(), "commit", commit);
}
