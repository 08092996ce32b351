/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the target runs the installation that the source ran: the images of the controllers and the content of the presets that requirements.yaml names. Another one may make
 * other children of the same services. A controller that is not there under this name is for check_controller to tell.
 */
#include <string.h>

#include "check.h"
#include "internal.h"
#include "kube/discovery.h"
#include "object/object.h"
#include "policy/policy.h"
#include "store/snapshot.h"
#include "util/error.h"
#include "util/json.h"
#include "util/strbuf.h"
#include "verify/installation.h"

static const char *text_of(const json_t *map, const char *key)
{
	const char *text = json_text_at(map, key, NULL);

	return text ? text : "";
}

static void judge_controller(struct preflight *p, const struct ask *ask, const json_t *objects)
{
	const json_t *row = ask->arg;
	const char *here = ask->answer ? installation_image_of(ask->answer, text_of(row, "container")) : "", *there = text_of(row, "image");

	if (!*here || !*there || strcmp(installation_image(here), installation_image(there)) == 0)
		return;
	check_failed(p, json_deep_copy(objects), NULL, "%s %s/%s runs %s, on the source it ran %s", text_of(row, "kind"),
		text_of(row, "namespace"), text_of(row, "name"), here, there);
}

static void judge_preset(struct preflight *p, const struct ask *ask, const json_t *objects)
{
	const json_t *row = ask->arg;

	if (ask->code == ERR_NOT_FOUND && p->no_presets)
		return; /* check_presets tells it, of all together */
	if (ask->code == ERR_NOT_FOUND) {
		check_failed(p, json_deep_copy(objects), NULL, "preset %s/%s of the source is not on the target", text_of(row, "namespace"),
			text_of(row, "name"));
		return;
	}
	if (!ask->answer)
		return;
	if (!installation_is_preset(p->restore->policy, row, ask->answer))
		check_failed(p, json_deep_copy(objects), NULL, "preset %s/%s is another one than on the source", text_of(row, "namespace"),
			text_of(row, "name"));
}

typedef void (*judge_fn)(struct preflight *p, const struct ask *ask, const json_t *objects);

/* Rows of requirements.yaml below this key, each asked for and judged. */
static void look_at(struct preflight *p, const char *key, judge_fn judge, const json_t *objects)
{
	auto_asks struct asks asks = {0};
	json_t *row;
	size_t i;

	json_array_foreach (json_object_get(p->restore->snapshot->requirements, key), i, row) {
		const struct kube_resource *found =
			discovery_find(p->restore->discovery, text_of(row, "group"), text_of(row, "resource"), NULL);
		struct strbuf path = STRBUF_INIT;

		if (!found)
			continue;
		kube_path(&path, found, text_of(row, "namespace"), text_of(row, "name"));
		(void)ask_add(&asks, strbuf_detach(&path, NULL), NULL, row);
	}
	if (check_ask(p, &asks) < 0)
		return;
	for (i = 0; i < asks.count; i++)
		judge(p, &asks.items[i], objects);
}

void check_installation(struct preflight *p)
{
	auto_json json_t *objects = check_services(p);

	if (json_array_size(objects) == 0)
		return;
	look_at(p, "controllers", judge_controller, objects);
	look_at(p, "presets", judge_preset, objects);
}
