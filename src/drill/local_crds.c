/* SPDX-License-Identifier: Apache-2.0 */
/* The definitions of a snapshot on the control plane of a local drill. */
#include <stdint.h>
#include <string.h>

#include "drill/local.h"
#include "kube/client.h"
#include "store/snapshot.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/interrupt.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/yaml.h"

#define DEFINITIONS "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
#define FOLDER "crds/"
#define ESTABLISHED_MS 120000
#define POLL_MS 200

/* A version that is not stored needs a conversion, and that a webhook. */
static void keep_stored_version(json_t *definition)
{
	json_t *versions = json_at(definition, "spec", "versions", NULL), *spec = json_object_get(definition, "spec"), *version;

	for (size_t i = json_array_size(versions); i-- > 0;) {
		version = json_array_get(versions, i);
		if (json_is_true(json_object_get(version, "storage")))
			json_object_set_new(version, "served", json_true());
		else
			json_array_remove(versions, i);
	}
	if (json_is_object(spec))
		json_object_set_new(spec, "conversion", json_pack("{s:s}", "strategy", "None"));
}

static int install_one(struct kube_client *client, const struct tree_file *file, struct error *err)
{
	auto_json json_t *definition = yaml_read(file->data, file->len, err);
	struct kube_request request = {.method = "POST", .path = DEFINITIONS, .body = definition};

	if (!definition)
		return error_wrap(err, "'%s'", file->path);
	keep_stored_version(definition);
	if (kube_call(client, &request, NULL, err) < 0)
		return error_wrap(err, "the drill's API server refuses '%s'", file->path);
	return 0;
}

static bool is_established(const json_t *definition)
{
	const json_t *conditions = json_at(definition, "status", "conditions", NULL), *condition;
	size_t i;

	json_array_foreach (conditions, i, condition) {
		const char *type = json_text_at(condition, "type", NULL), *status = json_text_at(condition, "status", NULL);

		if (type && status && strcmp(type, "Established") == 0 && strcmp(status, "True") == 0)
			return true;
	}
	return false;
}

/* How many of them are served by now; -1 with err. */
static int count_established(struct kube_client *client, size_t *count, struct error *err)
{
	struct kube_request request = {.method = "GET", .path = DEFINITIONS};
	auto_json json_t *list = NULL;
	const json_t *definition;
	size_t i;

	*count = 0;
	if (kube_call(client, &request, &list, err) < 0)
		return -1;
	json_array_foreach (json_object_get(list, "items"), i, definition)
		*count += is_established(definition);
	return 0;
}

static int wait_established(struct kube_client *client, size_t wanted, struct error *err)
{
	int64_t until = clock_monotonic_ms() + ESTABLISHED_MS;
	size_t count;

	for (;;) {
		if (count_established(client, &count, err) < 0)
			return -1;
		if (count >= wanted)
			return 0;
		if (interrupted())
			return error_set(err, ERR_INTERRUPTED, "stopped by a signal");
		if (clock_monotonic_ms() >= until)
			return error_set(err, ERR_FAILED, "the drill's API server serves %zu of %zu definitions after %d s", count, wanted,
				ESTABLISHED_MS / 1000);
		clock_sleep_ms(POLL_MS);
	}
}

int local_install(struct kube_client *client, const struct snapshot *snapshot, size_t *installed, struct error *err)
{
	*installed = 0;
	for (size_t i = 0; i < snapshot->tree.count; i++) {
		const struct tree_file *file = &snapshot->tree.files[i];

		if (strncmp(file->path, FOLDER, strlen(FOLDER)) != 0)
			continue;
		if (install_one(client, file, err) < 0)
			return -1;
		(*installed)++;
	}
	return *installed ? wait_established(client, *installed, err) : 0;
}
