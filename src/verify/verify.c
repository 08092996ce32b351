/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/verify.h"

#include <string.h>

#include "kube/client.h"
#include "kube/object_api.h"
#include "store/snapshot.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/json.h"
#include "util/mem.h"
#include "verify/judge.h"

/* In the order of the verdicts in the result, all four always there. */
static json_t *count_results(const json_t *probes)
{
	static const struct {
		const char *result, *key;
	} rows[] = {{"pass", "pass"}, {"fail", "fail"}, {"changed", "changed"}, {"not tested", "notTested"}};
	json_t *counts = json_object(), *probe;
	size_t i;

	for (size_t r = 0; r < sizeof(rows) / sizeof(*rows); r++) {
		json_int_t count = 0;

		json_array_foreach (probes, i, probe)
			count += !strcmp(json_text_at(probe, "result", NULL), rows[r].result);
		json_object_set_new(counts, rows[r].key, json_integer(count));
	}
	return counts;
}

int verify_run(const struct verify_settings *settings, json_t **result, struct outcome *outcome, struct error *err)
{
	struct verify_look *look = NULL;
	auto_free char *id = NULL;
	json_t *probes;

	*result = NULL;
	if (kube_cluster_id(settings->client, &id, err) < 0 || verify_look_new(&look, settings, true, err) < 0)
		return -1;
	probes = verify_probes(look, outcome);
	*result = json_pack("{s:o, s:{s:s, s:s}, s:o, s:o}", "snapshot", snapshot_description(settings->snapshot), "target", "id", id,
		"server", kube_server(settings->client), "probes", probes, "counts", count_results(probes));
	verify_look_free(look);
	return 0;
}
