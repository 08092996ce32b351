/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include "restore_support.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "object/canonical.h"
#include "object/object.h"
#include "util/json.h"
#include "util/mem.h"

static const char policy[] = "format: 1\n"
			     "name: test\n"
			     "strip: [metadata.uid, metadata.resourceVersion, metadata.managedFields, metadata.deletionTimestamp, status]\n"
			     "waves:\n"
			     "- {name: plain}\n"
			     "- {name: namespaces}\n"
			     "- {name: active, gate: namespaces-active}\n"
			     "- {name: early}\n"
			     "- {name: services, gate: dry-run-create}\n"
			     "- {name: routes}\n"
			     "kinds:\n"
			     "- {resource: configmaps, kind: ConfigMap, wave: plain}\n"
			     "- resource: namespaces\n"
			     "  kind: Namespace\n"
			     "  namespaced: false\n"
			     "  select: holding\n"
			     "  wave: namespaces\n"
			     "  mergeFields: [metadata.labels]\n"
			     "- {resource: roles, group: rbac.authorization.k8s.io, kind: Role, wave: active}\n"
			     "- resource: llminferenceservices\n"
			     "  group: serving.kserve.io\n"
			     "  kind: LLMInferenceService\n"
			     "  wave: services\n"
			     "  early: {to: httproutes.gateway.networking.k8s.io, wave: early}\n"
			     "  pods: [{at: spec.template, replicas: [spec.replicas]}]\n"
			     "  references:\n"
			     "  - {path: 'spec.router.route.http.refs[]', to: httproutes.gateway.networking.k8s.io}\n"
			     "- {resource: httproutes, group: gateway.networking.k8s.io, kind: HTTPRoute, wave: routes}\n";

static void make_folders(const char *path)
{
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		auto_free char *folder = xstrndup(path, (size_t)(slash - path));

		(void)mkdir(folder, 0700);
	}
}

static void write_file(const char *path, const char *text)
{
	auto_free char *full = xasprintf("snap/%s", path);

	make_folders(full);
	support_write_file(full, text);
}

int restore_set_up(void **state)
{
	struct restore_fixture *f = xcalloc(1, sizeof(*f));
	void *dir = NULL;

	if (support_enter_dir(&dir) < 0)
		return -1;
	f->dir = dir;
	f->err = xcalloc(1, sizeof(*f->err));
	f->settings = (struct restore_settings){.source = &f->source, .snapshot = "./snap", .rto_ms = 1800000};
	write_file("snapshot.yaml", "cluster:\n  id: old\n  name: prod\nformat: 1\n");
	write_file("generated.yaml", "objects: []\n");
	write_file("requirements.yaml", "requirements: []\n");
	write_file("policy.yaml", policy);
	*state = f;
	return 0;
}

int restore_tear_down(void **state)
{
	struct restore_fixture *f = *state;
	void *dir = f->dir;

	restore_free(f->restore);
	json_decref(f->plan);
	json_decref(f->report);
	fake_cluster_stop(&f->cluster);
	free(f->err);
	free(f);
	return support_leave_dir(&dir);
}

void restore_object(const char *resource, const char *text)
{
	auto_json json_t *json = fake_value(text);
	auto_strbuf struct strbuf path = STRBUF_INIT, yaml = STRBUF_INIT;
	struct error err = ERROR_INIT;
	struct object *object;

	json_object_del(json, "status");
	if (object_new(&object, resource, json, &err) < 0)
		fail_msg("%s", err.text);
	object_path(object, &path);
	canonical_yaml(json, &yaml);
	write_file(path.buf, yaml.buf);
	object_free(object);
}

void restore_hello_bare(struct restore_fixture *f)
{
	fake_cluster_hello(&f->cluster, "new",
		FAKE_VERSION("v1",
			FAKE_RESOURCE("namespaces", "Namespace", "Cluster") "," FAKE_RESOURCE("serviceaccounts", "ServiceAccount",
				"Namespaced") "," FAKE_RESOURCE("configmaps", "ConfigMap", "Namespaced")),
		FAKE_GROUP("rbac.authorization.k8s.io", FAKE_VERSION("v1", FAKE_RESOURCE("roles", "Role", "Namespaced"))) "," FAKE_GROUP(
			"serving.kserve.io",
			FAKE_VERSION("v1alpha2",
				FAKE_RESOURCE("llminferenceservices", "LLMInferenceService", "Namespaced")) "," FAKE_VERSION("v1alpha1",
				FAKE_RESOURCE("llminferenceservices", "LLMInferenceService",
					"Namespaced"))) "," FAKE_GROUP("gateway.networking.k8s.io",
			FAKE_VERSION("v1", FAKE_RESOURCE("httproutes", "HTTPRoute", "Namespaced"))));
}

void restore_hello(struct restore_fixture *f)
{
	restore_hello_bare(f);
	fake_cluster_list(&f->cluster, SPACES, "meta.k8s.io/v1", "PartialObjectMetadata",
		"{'metadata':{'name':'a'}},{'metadata':{'name':'b'}},{'metadata':{'name':'prod'}},{'metadata':{'name':'test'}}");
}

void restore_no_configs(struct restore_fixture *f)
{
	fake_cluster_list(&f->cluster, CONFIGS, "v1", "ConfigMap", "");
}

static int prepare(struct restore_fixture *f)
{
	fake_cluster_start(&f->cluster);
	f->settings.client = f->cluster.client;
	return restore_prepare(&f->restore, &f->settings, f->err);
}

void restore_plan(struct restore_fixture *f)
{
	if (prepare(f) < 0)
		fail_msg("%s", f->err->text);
	f->plan = restore_plan_json(f->restore);
}

void restore_refused(struct restore_fixture *f, enum error_code code, const char *text)
{
	assert_int_equal(prepare(f), -1);
	support_assert_error(f->err, code, text);
}

const json_t *restore_finding(const json_t *document, const char *check)
{
	const json_t *finding;
	size_t i;

	json_array_foreach (json_object_get(document, "preflight"), i, finding)
		if (strcmp(json_text_at(finding, "check", NULL), check) == 0)
			return finding;
	fail_msg("no finding of %s", check);
	return NULL;
}

void restore_blocked_by(struct restore_fixture *f, const char *check, const char *object, const char *text)
{
	const json_t *finding, *objects;

	restore_plan(f);
	finding = restore_finding(f->plan, check);
	objects = json_object_get(finding, "objects");
	assert_string_equal(json_text_at(finding, "text", NULL), text);
	assert_string_equal(json_text_at(finding, "result", NULL), "failed");
	if (object)
		assert_string_equal(json_string_value(json_array_get(objects, 0)), object);
	else
		assert_int_equal(json_array_size(objects), 0);
	assert_int_equal(json_integer_value(json_object_get(f->plan, "blockers")), 1);
	assert_int_equal(restore_blocked(f->restore, f->err), -1);
	assert_int_equal(f->err->code, ERR_NOT_READY);
}

int restore_apply(struct restore_fixture *f)
{
	return restore_run(f->restore, &f->report, &f->outcome, f->err);
}

static json_t *find_action(const json_t *wave, const char *name)
{
	json_t *action;
	size_t i;

	json_array_foreach (json_object_get(wave, "actions"), i, action)
		if (strcmp(json_text_at(action, "name", NULL), name) == 0)
			return action;
	return NULL;
}

json_t *restore_action(const json_t *report, const char *name)
{
	json_t *wave, *found = NULL;
	size_t i;

	json_array_foreach (json_object_get(report, "waves"), i, wave)
		found = found ? found : find_action(wave, name);
	assert_non_null(found);
	return found;
}

void assert_action(const json_t *report, const char *name, const char *key, const char *text)
{
	const char *is = json_text_at(restore_action(report, name), key, NULL);

	assert_string_equal(is ? is : "(null)", text);
}

void assert_field(const json_t *report, const char *name, const char *path, const char *live, const char *snapshot)
{
	const json_t *fields = json_object_get(restore_action(report, name), "fields"), *field = json_array_get(fields, 0);

	assert_int_equal(json_array_size(fields), 1);
	assert_string_equal(json_text_at(field, "path", NULL), path);
	assert_string_equal(json_text_at(field, "live", NULL), live);
	assert_string_equal(json_text_at(field, "snapshot", NULL), snapshot);
}

void restore_forget(struct restore_fixture *f)
{
	restore_free(f->restore);
	json_decref(f->plan);
	json_decref(f->report);
	f->restore = NULL;
	f->plan = f->report = NULL;
	f->outcome = (struct outcome){0};
	fake_cluster_stop(&f->cluster);
}
