/* SPDX-License-Identifier: Apache-2.0 */
/* Whether somebody on the target will work on the services: the controller of KServe, and its presets. */
#include <string.h>

#include "check.h"
#include "internal.h"
#include "object/classify.h"
#include "object/object.h"
#include "policy/policy.h"
#include "util/error.h"
#include "util/json.h"
#include "util/text.h"

#define SERVING "serving.kserve.io"
#define CONFIGS "llminferenceserviceconfigs"

/* Upstream and Red Hat; an older kserve-controller-manager reconciles LLMInferenceServices itself. */
static const char *const controllers[] = {"*llmisvc-controller-manager", "*kserve-controller-manager"};

static bool is_service(const struct action *action)
{
	return check_is_sent(action) && strcmp(action->object->group, SERVING) == 0 &&
		strcmp(action->object->resource, "llminferenceservices") == 0;
}

json_t *check_services(const struct preflight *p)
{
	json_t *objects = json_array();

	for (size_t i = 0; i < p->restore->action_count; i++)
		if (is_service(&p->restore->actions[i]))
			check_add_object(objects, p->restore->actions[i].object);
	return objects;
}

bool check_has_services(const struct restore *restore)
{
	for (size_t i = 0; i < restore->action_count; i++)
		if (is_service(&restore->actions[i]))
			return true;
	return false;
}

static bool is_controller(const json_t *deployment)
{
	const char *name = json_text_at(deployment, "metadata", "name", NULL);

	for (size_t i = 0; name && i < sizeof(controllers) / sizeof(controllers[0]); i++)
		if (text_glob(controllers[i], name))
			return true;
	return false;
}

static json_int_t available(const json_t *deployment)
{
	return json_integer_value(json_at(deployment, "status", "availableReplicas", NULL));
}

/* Of several (an old one that was left scaled down), one that works is enough. */
static const json_t *find_controller(const json_t *deployments)
{
	const json_t *deployment, *found = NULL;
	size_t i;

	json_array_foreach (deployments, i, deployment)
		if (is_controller(deployment) && (!found || available(deployment) > available(found)))
			found = deployment;
	return found;
}

/* Where it runs under another name, or not as a Deployment, only its webhooks tell that it is there: their check has asked. */
void check_controller(struct preflight *p)
{
	auto_json json_t *objects = check_services(p), *deployments = NULL;
	const json_t *controller;

	if (json_array_size(objects) == 0 || check_list(p, "apps", "deployments", false, &deployments) < 0)
		return;
	controller = find_controller(deployments);
	if (controller && available(controller) == 0)
		check_failed(p, json_incref(objects), NULL, "no replica of Deployment %s/%s is available",
			json_text_at(controller, "metadata", "namespace", NULL), json_text_at(controller, "metadata", "name", NULL));
	else if (!controller && !p->webhook_answers)
		check_failed(p, json_incref(objects), "install the operator", "the target has no controller of KServe");
	else if (!controller)
		check_untested(p, "no Deployment has the name of a controller of KServe; its webhook answers");
}

static bool is_preset(const struct preflight *p, json_t *config)
{
	const struct policy *policy = p->restore->policy;
	const char *well_known = json_text_at(config, "metadata", "annotations", "serving.kserve.io/well-known-config", NULL);
	struct error err = ERROR_INIT;
	struct object *object;
	bool installed;

	if (well_known && strcmp(well_known, "true") == 0)
		return true;
	if (object_new(&object, CONFIGS, config, &err) < 0)
		return false;
	installed = classify_by_name(object, policy->rules, policy->rule_count) != NULL;
	object_free(object);
	return installed;
}

static size_t count_presets(struct preflight *p, const json_t *configs, const json_t *objects)
{
	json_t *config;
	size_t i, count = 0;

	json_array_foreach (configs, i, config) {
		if (!is_preset(p, config))
			continue;
		count++;
		if (json_at(config, "metadata", "deletionTimestamp", NULL))
			check_failed(p, json_deep_copy(objects), "finish the uninstall, then install the operator again",
				"preset %s/%s is being deleted", json_text_at(config, "metadata", "namespace", NULL),
				json_text_at(config, "metadata", "name", NULL));
	}
	return count;
}

void check_presets(struct preflight *p)
{
	auto_json json_t *objects = check_services(p), *configs = NULL;

	if (json_array_size(objects) == 0 || check_list(p, SERVING, CONFIGS, true, &configs) < 0)
		return;
	p->no_presets = count_presets(p, configs, objects) == 0;
	if (p->no_presets)
		check_failed(p, json_incref(objects), NULL, "the target has none of the presets of KServe (LLMInferenceServiceConfigs)");
}
