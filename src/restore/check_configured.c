/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a webhook that runs in the cluster can be reached at all: a CA bundle, and an endpoint of its Service. */
#include "check.h"
#include "util/json.h"

static const char *text_of(const json_t *map, const char *key)
{
	const char *text = json_text_at(map, key, NULL);

	return text ? text : "";
}

static bool has_ready_endpoint(const json_t *slices)
{
	const json_t *slice, *endpoint;
	size_t i, j;

	json_array_foreach (json_object_get(slices, "items"), i, slice)
		json_array_foreach (json_object_get(slice, "endpoints"), j, endpoint)
			if (!json_is_false(json_at(endpoint, "conditions", "ready", NULL)))
				return true;
	return false;
}

static void ask_endpoints(struct asks *asks, json_t *hook)
{
	const json_t *service = json_at(hook, "webhook", "clientConfig", "service", NULL);

	(void)ask_add(asks,
		xasprintf("/apis/discovery.k8s.io/v1/namespaces/%s/endpointslices?labelSelector=kubernetes.io%%2Fservice-name%%3D%s",
			text_of(service, "namespace"), text_of(service, "name")),
		NULL, hook);
}

static void judge_endpoints(struct preflight *p, const struct ask *ask)
{
	const json_t *hook = ask->arg, *service = json_at(hook, "webhook", "clientConfig", "service", NULL);
	const char *namespace_ = text_of(service, "namespace"), *name = text_of(service, "name");

	if (!ask->answer)
		check_untested(p, "the endpoints of Service %s/%s: %s", namespace_, name, ask->text ? ask->text : "no answer");
	else if (!has_ready_endpoint(ask->answer))
		check_failed(p, json_deep_copy(json_object_get(hook, "objects")),
			"see why its pods are not ready: `kubectl get pods -n NAMESPACE`",
			"%s: its Service %s/%s has no endpoint that is ready", text_of(hook, "words"), namespace_, name);
}

void check_configured(struct preflight *p, json_t *hooks)
{
	auto_asks struct asks asks = {0};
	json_t *hook;
	size_t i;

	json_array_foreach (hooks, i, hook) {
		const json_t *config = json_at(hook, "webhook", "clientConfig", NULL);

		if (!json_object_get(config, "service"))
			continue;
		if (!*text_of(config, "caBundle"))
			check_failed(p, json_deep_copy(json_object_get(hook, "objects")), "see whether cert-manager's cainjector runs",
				"%s has no CA bundle", text_of(hook, "words"));
		else
			ask_endpoints(&asks, hook);
	}
	if (check_ask(p, &asks) < 0)
		return;
	for (i = 0; i < asks.count; i++)
		judge_endpoints(p, &asks.items[i]);
}
