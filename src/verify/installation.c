/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/installation.h"

#include <stdlib.h>
#include <string.h>

#include "kube/discovery.h"
#include "kube/list.h"
#include "policy/policy.h"
#include "store/snapshot.h"
#include "util/error.h"
#include "util/hash.h"
#include "util/json.h"
#include "util/mem.h"
#include "verify/judge.h"
#include "verify/look.h"

static const char *text_of(const json_t *map, const char *key)
{
	const char *text = json_text_at(map, key, NULL);

	return text ? text : "";
}

const char *installation_image(const char *image)
{
	const char *slash = strrchr(image, '/');

	return slash ? slash + 1 : image;
}

const char *installation_image_of(const json_t *workload, const char *container)
{
	const json_t *item;
	size_t i;

	json_array_foreach (json_at(workload, "spec", "template", "spec", "containers", NULL), i, item)
		if (strcmp(text_of(item, "name"), container) == 0)
			return text_of(item, "image");
	return "";
}

/* Only the first one is kept. */
static void differ(struct verify_look *look, const char *how, const json_t *row, const char *more)
{
	auto_free char *name = judge_name(text_of(row, "kind"), text_of(row, "namespace"), text_of(row, "name"));
	auto_free char *safe = judge_safe(more);

	if (!look->installation.differs)
		look->installation.differs = xasprintf("%s %s%s", name, how, safe);
}

/* ---- one row of requirements.yaml, found by its name ---- */

static int keep_item(json_t *item, void *arg, struct error *err)
{
	json_t **found = arg;

	(void)err;
	json_decref(*found);
	*found = json_incref(item);
	return 0;
}

static void forget_item(void *arg)
{
	json_t **found = arg;

	json_decref(*found);
	*found = NULL;
}

/* everywhere: the right to such a list is one for the name, in all namespaces. 1: it may not be looked at; why (escaped) is the caller's. */
static int find(struct verify_look *look, const json_t *row, bool everywhere, json_t **found, char **why, struct error *err)
{
	const struct kube_resource *served =
		discovery_find(look->settings.discovery, text_of(row, "group"), text_of(row, "resource"), NULL);
	const struct policy_kind *kind = policy_find(look->settings.policy, text_of(row, "group"), text_of(row, "resource"));
	const struct kube_list_options options = {.namespace_ = everywhere ? NULL : text_of(row, "namespace"),
		.name = text_of(row, "name"),
		.managed_fields = kind && kind->evidence_count};
	const struct kube_list_sink sink = {.item = keep_item, .restart = forget_item, .arg = found};

	if (!served) {
		*why = xstrdup("the API server does not serve its kind");
		return 1;
	}
	if (kube_list(look->settings.client, served, &options, &sink, NULL, err) == 0)
		return 0;
	if (err->code != ERR_FORBIDDEN && err->code != ERR_NOT_FOUND)
		return -1;
	*why = judge_safe(err->text);
	error_clear(err);
	return 1;
}

/* ---- controllers ---- */

static int look_at_controller(struct verify_look *look, const json_t *row, struct error *err)
{
	auto_json json_t *live = NULL;
	auto_free char *why = NULL;
	int rc = find(look, row, true, &live, &why, err);
	const char *here = live ? installation_image_of(live, text_of(row, "container")) : "", *there = text_of(row, "image");

	if (rc == 0 && *here && *there && strcmp(installation_image(here), installation_image(there)) != 0) {
		look->installation.controller_differs = true;
		differ(look, "runs ", row, here);
	}
	return rc < 0 ? -1 : 0;
}

/* ---- presets ---- */

/* As the snapshot hashed it: the cleaned object but for what names it. */
bool installation_is_preset(const struct policy *policy, const json_t *row, const json_t *live)
{
	const struct policy_kind *kind = policy_find(policy, text_of(row, "group"), text_of(row, "resource"));
	auto_json json_t *content = json_deep_copy(live);
	auto_strbuf struct strbuf text = STRBUF_INIT;
	char hex[HASH_HEX_SIZE];

	if (kind)
		policy_clean(kind, content);
	json_object_del(content, "apiVersion");
	json_object_del(content, "kind");
	json_object_del(content, "metadata");
	json_write(content, &text);
	hash_sha256(text.buf, text.len, hex);
	return strcmp(hex, text_of(row, "sha256")) == 0;
}

static int look_at_preset(struct verify_look *look, const json_t *row, struct error *err)
{
	auto_json json_t *live = NULL;
	auto_free char *why = NULL;
	auto_free char *name = judge_name(text_of(row, "kind"), text_of(row, "namespace"), text_of(row, "name"));
	int rc = find(look, row, false, &live, &why, err);
	const char *result = rc                                            ? "not looked at"
		: !live                                                    ? "missing"
		: installation_is_preset(look->settings.policy, row, live) ? "same"
									   : "other";

	if (rc < 0)
		return -1;
	if (rc == 0 && strcmp(result, "same") != 0)
		differ(look, live ? "has other content" : "is not there", row, NULL);
	json_array_append_new(look->installation.presets, json_pack("{s:s, s:s, s:s?}", "object", name, "result", result, "reason", why));
	return 0;
}

int installation_look(struct verify_look *look, struct error *err)
{
	const json_t *requirements = look->settings.snapshot->requirements, *row;
	size_t i;

	json_array_foreach (json_object_get(requirements, "controllers"), i, row)
		if (look_at_controller(look, row, err) < 0)
			return -1;
	look->installation.presets = json_array();
	json_array_foreach (json_object_get(requirements, "presets"), i, row)
		if (look_at_preset(look, row, err) < 0)
			return -1;
	return 0;
}
