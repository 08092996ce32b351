/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long the apply may take: from what earlier restores on this host have measured, else from a round trip to the target. Gates and converging are not in it.
 */
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "kube/client.h"
#include "kube/object_api.h"
#include "restore/journal.h"
#include "restore/restore.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/file.h"
#include "util/json.h"
#include "util/mem.h"

/* Fewer creates say more of the first connection than of the rate. */
#define SAMPLE_MIN 10
#define JOURNALS_MAX 5 /* that are read */
#define WAVES_MAX 64
#define IN_FLIGHT 8 /* that the apply begins with (apply.c) */
#define ROUND_TRIPS 3

struct sample {
	size_t creates;
	int64_t ms;
};

static size_t requests_of(const struct restore *restore)
{
	size_t count = 0;

	for (size_t i = 0; i < restore->action_count; i++) {
		const struct action *action = &restore->actions[i];

		count += action->kind != ACTION_SKIP && action->kind != ACTION_CONFLICT && action->result == RESULT_NONE;
	}
	return count;
}

static void sample_add(struct sample *sample, const struct journal *journal)
{
	for (size_t i = 0; i < journal_action_count(journal); i++) {
		const char *result = json_text_at(journal_outcome(journal, i), "result", NULL);

		sample->creates += result && strcmp(result, "created") == 0;
	}
	for (size_t wave = 0; wave < WAVES_MAX; wave++) {
		int64_t ms = journal_wave_ms(journal, wave, "apply");

		sample->ms += ms > 0 ? ms : 0;
	}
}

/* The newest journals of this target. One that cannot be read says nothing. */
static struct sample sample_of_journals(const struct restore *restore)
{
	struct sample sample = {0};
	struct error ignored = ERROR_INIT;
	auto_strlist struct strlist names = STRLIST_INIT;
	auto_free char *dir = NULL;
	struct file_root *root;

	if (journal_directory(&dir, restore->target_id, &ignored) < 0 || file_root_open(&root, dir, &ignored) < 0)
		return sample;
	(void)file_root_walk(root, NULL, &names, &ignored);
	file_root_free(root);
	for (size_t i = names.count, read = 0; i > 0 && read < JOURNALS_MAX; i--) {
		auto_free char *path = xasprintf("%s/%s", dir, names.items[i - 1]);
		struct journal *journal;

		if (journal_read(&journal, path, &ignored) < 0)
			continue;
		read++;
		sample_add(&sample, journal);
		journal_free(journal);
	}
	return sample;
}

/* The shortest of a few: what is longer has waited for something else. -1: none came back. */
static int64_t round_trip_ms(const struct restore *restore)
{
	int64_t best = -1;

	for (int i = 0; i < ROUND_TRIPS; i++) {
		int64_t start = clock_monotonic_ms(), ms;
		struct error ignored = ERROR_INIT;
		auto_free char *version = NULL;

		if (kube_server_version(restore->settings->client, &version, &ignored) < 0)
			continue;
		ms = clock_monotonic_ms() - start;
		best = best < 0 || ms < best ? ms : best;
	}
	return best;
}

static json_t *by_rate(size_t requests, const struct sample *sample, const char *basis, const char *what)
{
	int64_t ms = (int64_t)requests * sample->ms / (int64_t)sample->creates;
	auto_free char *text = xasprintf("as %zu %s took %lld ms", sample->creates, what, (long long)sample->ms);

	return json_pack(
		"{s:I, s:I, s:s, s:s}", "requests", (json_int_t)requests, "milliseconds", (json_int_t)ms, "basis", basis, "text", text);
}

static json_t *by_round_trip(const struct restore *restore, size_t requests)
{
	int64_t trip = round_trip_ms(restore), ms;
	auto_free char *text = NULL;

	if (trip < 0)
		return NULL;
	trip = trip ? trip : 1;
	ms = (int64_t)((requests + IN_FLIGHT - 1) / IN_FLIGHT) * trip;
	text = xasprintf(
		"by a round trip of %lld ms to the target, %d at a time; creates and webhooks take longer", (long long)trip, IN_FLIGHT);
	return json_pack("{s:I, s:I, s:s, s:s}", "requests", (json_int_t)requests, "milliseconds", (json_int_t)ms, "basis", "round trip",
		"text", text);
}

static struct sample sample_of_dry_run(const struct restore *restore)
{
	return (struct sample){.creates = (size_t)json_integer_value(json_object_get(restore->dry_run, "asked")),
		.ms = json_integer_value(json_object_get(restore->dry_run, "milliseconds"))};
}

void estimate_make(struct restore *restore)
{
	size_t requests = requests_of(restore);
	struct sample past = sample_of_journals(restore), tried = sample_of_dry_run(restore);

	if (requests == 0)
		return;
	if (past.creates >= SAMPLE_MIN)
		restore->estimate = by_rate(requests, &past, "journal", "creates of earlier restores onto this target");
	else if (tried.creates >= SAMPLE_MIN)
		restore->estimate = by_rate(requests, &tried, "dry run", "dry runs on the server");
	else
		restore->estimate = by_round_trip(restore, requests);
}
