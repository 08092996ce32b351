/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy.h"

#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "object/classify.h"
#include "object/clean.h"
#include "object/fieldpath.h"
#include "object/references.h"
#include "policy/builtin.h"
#include "util/error.h"
#include "util/file.h"
#include "util/json.h"
#include "util/strbuf.h"
#include "util/text.h"
#include "util/yaml.h"

#define DEFAULT_POLICY "rhaii"
#define FILE_MAX_BYTES (4u << 20)

const char *policy_builtin_text(const char *name)
{
	for (const struct policy_builtin *builtin = policy_builtins; builtin->name; builtin++)
		if (strcmp(builtin->name, name) == 0)
			return builtin->text;
	return NULL;
}

static int load_builtin(struct policy **out, const char *name, struct error *err)
{
	const char *text = policy_builtin_text(name);

	if (!text) {
		error_set(err, ERR_USAGE, "no built-in policy '%s'", name);
		return error_hint(err, "the default is '" DEFAULT_POLICY "'; write a file as ./%s.yaml", name);
	}
	return policy_read(out, text, strlen(text), err) < 0 ? error_wrap(err, "policy '%s'", name) : 0;
}

static int load_text(struct policy **out, const struct strbuf *text, struct error *err)
{
	auto_json json_t *document = NULL;

	if (policy_read(out, text->buf, text->len, err) < 0)
		return -1;
	document = yaml_read(text->buf, text->len, err);
	if (document && policy_read_own(*out, document, err) == 0)
		return 0;
	policy_free(*out);
	*out = NULL;
	return -1;
}

int policy_load(struct policy **out, const char *file_or_name, struct error *err)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;

	if (!file_or_name)
		file_or_name = DEFAULT_POLICY;
	if (!strchr(file_or_name, '/') && !strstr(file_or_name, ".yaml"))
		return load_builtin(out, file_or_name, err);
	if (file_read(file_or_name, FILE_MAX_BYTES, &text, err) < 0) {
		err->code = ERR_USAGE;
		return -1;
	}
	return load_text(out, &text, err) < 0 ? error_wrap(err, "policy '%s'", file_or_name) : 0;
}

/* ---- freeing ---- */

static void free_paths(struct fieldpath **paths, size_t count)
{
	for (size_t i = 0; i < count; i++)
		fieldpath_free(paths[i]);
	free(paths);
}

static void free_references(struct reference_rule *rules, size_t count)
{
	for (size_t i = 0; i < count; i++)
		policy_release_reference(&rules[i]);
	free(rules);
}

static void free_pods(struct policy_pods *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		fieldpath_free(rows[i].at);
		free_paths(rows[i].replicas, rows[i].replica_count);
		fieldpath_free(rows[i].followers);
	}
	free(rows);
}

static void free_evidence(struct clean_evidence *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		fieldpath_free(rows[i].path);
		strlist_release(&rows[i].managers);
		free(rows[i].why);
	}
	free(rows);
}

static void free_named(struct policy_named_list *named)
{
	for (size_t i = 0; i < named->count; i++) {
		fieldpath_free(named->rows[i].at);
		free(named->rows[i].after);
		free(named->rows[i].before);
	}
	free(named->rows);
}

static void release_kind(struct policy_kind *kind)
{
	free(kind->group);
	free(kind->resource);
	free(kind->kind);
	free(kind->early_group);
	free(kind->early_resource);
	free_paths(kind->strip, kind->strip_count);
	free_evidence(kind->evidence, kind->evidence_count);
	free_paths(kind->keep, kind->keep_count);
	free_paths(kind->merge, kind->merge_count);
	free_paths(kind->immutable, kind->immutable_count);
	fieldpath_free(kind->immutable_if);
	free_paths(kind->environment, kind->environment_count);
	free_paths(kind->keys, kind->key_count);
	free_pods(kind->pods, kind->pod_count);
	for (int what = 0; what < NAMES_COUNT; what++)
		free_named(&kind->named[what]);
	free_references(kind->references, kind->reference_count);
	free_references(kind->produces, kind->produce_count);
	strlist_release(&kind->ready_conditions);
	fieldpath_free(kind->ready_parents);
	fieldpath_free(kind->endpoint);
}

static void release_rule(struct classify_rule *rule)
{
	free(rule->group);
	free(rule->resource);
	strlist_release(&rule->namespaces);
	strlist_release(&rule->names);
	strlist_release(&rule->labels);
	strlist_release(&rule->managers);
	strlist_release(&rule->releases);
	free_paths(rule->unless, rule->unless_count);
	free(rule->why);
}

static void free_inventory(struct policy_inventory *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(rows[i].group);
		free(rows[i].resource);
	}
	free(rows);
}

static void free_controllers(struct policy_controller *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(rows[i].group);
		free(rows[i].resource);
		strlist_release(&rows[i].names);
		free(rows[i].container);
	}
	free(rows);
}

void policy_free(struct policy *policy)
{
	if (!policy)
		return;
	free(policy->name);
	json_decref(policy->document);
	strlist_release(&policy->exclude_namespaces);
	free_paths(policy->pod_environment, policy->pod_environment_count);
	strlist_release(&policy->finalizers);
	for (size_t i = 0; i < policy->wave_count; i++)
		free(policy->waves[i].name);
	for (size_t i = 0; i < policy->kind_count; i++)
		release_kind(&policy->kinds[i]);
	for (size_t i = 0; i < policy->rule_count; i++)
		release_rule(&policy->rules[i]);
	free_inventory(policy->inventory, policy->inventory_count);
	free_inventory(policy->webhooks, policy->webhook_count);
	free_controllers(policy->controllers, policy->controller_count);
	free(policy->waves);
	free(policy->kinds);
	free(policy->rules);
	for (size_t i = 0; i < policy->waiver_count; i++) {
		free(policy->waivers[i].object);
		fieldpath_free(policy->waivers[i].path);
		free(policy->waivers[i].reason);
	}
	for (size_t i = 0; i < policy->own_count; i++)
		policy_release_own(&policy->own[i]);
	for (size_t i = 0; i < policy->probe_count; i++)
		policy_release_probe(&policy->probes[i]);
	free(policy->probes);
	free(policy->waivers);
	free(policy->own);
	free(policy);
}

/* ---- asking ---- */

void policy_clean(const struct policy_kind *kind, json_t *object)
{
	clean_by_evidence(object, kind->evidence, kind->evidence_count, kind->keep, kind->keep_count);
	clean_object_but(object, kind->strip, kind->strip_count, kind->keep, kind->keep_count);
}

const struct policy_kind *policy_find(const struct policy *policy, const char *group, const char *resource)
{
	for (size_t i = 0; i < policy->kind_count; i++) {
		const struct policy_kind *kind = &policy->kinds[i];
		if (kind->resource && kind->group && strcmp(kind->resource, resource) == 0 && strcmp(kind->group, group) == 0)
			return kind;
	}
	return NULL;
}

bool policy_excludes(const struct policy *policy, const char *namespace_)
{
	for (size_t i = 0; i < policy->exclude_namespaces.count; i++)
		if (text_glob(policy->exclude_namespaces.items[i], namespace_))
			return true;
	return false;
}

bool policy_group_may_be_custom(const char *group)
{
	static const char *const builtin[] = {
		"networking.k8s.io", "rbac.authorization.k8s.io", "storage.k8s.io", "apps", "batch", "policy", "autoscaling", ""};

	for (size_t i = 0; i < sizeof(builtin) / sizeof(builtin[0]); i++)
		if (strcmp(group, builtin[i]) == 0)
			return false;
	return true;
}
