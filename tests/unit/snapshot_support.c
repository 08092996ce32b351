/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include "snapshot_support.h"

#include <stdlib.h>
#include <string.h>

#include "policy/policy.h"
#include "util/json.h"

const char snapshot_policy_text[] =
	"format: 1\n"
	"name: test\n"
	"scope: {excludeNamespaces: ['kube-*']}\n"
	"strip: [metadata.uid, metadata.resourceVersion, metadata.generation, metadata.managedFields, metadata.ownerReferences, status]\n"
	"waves: [{name: one}]\n"
	"generated:\n"
	"- {of: configmaps, names: [root-ca], why: made in every namespace}\n"
	"installed:\n"
	"- {of: routes.r.io, names: [preset], why: part of the installation}\n"
	"inventory: [{of: deployments.apps}, {of: routes.r.io}]\n"
	"kinds:\n"
	"- resource: services\n"
	"  group: s.io\n"
	"  kind: Service\n"
	"  presence: required\n"
	"  wave: one\n"
	"  environment: [spec.host]\n"
	"  pods: [{at: spec.pod, replicas: [spec.replicas, spec.min]}, {at: spec.others, replicas: [spec.replicas], followers: "
	"spec.parallel}, "
	"{at: spec.template}]\n"
	"  references:\n"
	"  - {path: spec.secret, to: secrets}\n"
	"  - {path: spec.token, key: key, to: secrets}\n"
	"  - {path: spec.config, key: key, to: configmaps}\n"
	"  - {path: 'spec.configs[]', namespace: namespace, to: configmaps}\n"
	"  - {path: spec.account, to: serviceaccounts}\n"
	"  - {path: spec.route, key: section, to: routes.r.io}\n"
	"  - {path: spec.class, to: classes.c.io, clusterScoped: true}\n"
	"- {resource: routes, group: r.io, kind: Route, keys: ['spec.sections[].name'], wave: one}\n"
	"- resource: certificates\n"
	"  group: c.io\n"
	"  kind: Certificate\n"
	"  wave: one\n"
	"  produces: [{path: spec.secret, to: secrets}]\n"
	"- {resource: configmaps, kind: ConfigMap, select: referenced, keys: [data, binaryData], wave: one}\n"
	"- {resource: serviceaccounts, kind: ServiceAccount, select: referenced, wave: one}\n"
	"- {resource: namespaces, kind: Namespace, namespaced: false, select: holding, wave: one}\n";

void snapshot_policy(struct snapshot_fixture *f, const char *text)
{
	policy_free(f->policy);
	f->policy = NULL;
	if (policy_read(&f->policy, text, strlen(text), f->err) < 0)
		fail_msg("%s", f->err->text);
}

int snapshot_set_up(void **state)
{
	struct snapshot_fixture *f = xcalloc(1, sizeof(*f));
	void *dir = NULL;

	if (support_enter_dir(&dir) < 0)
		return -1;
	f->dir = dir;
	f->err = xcalloc(1, sizeof(*f->err));
	f->store = open_repo();
	f->options = (struct capture_options){.cluster = "prod", .namespaces = &f->namespaces};
	snapshot_policy(f, snapshot_policy_text);
	*state = f;
	return 0;
}

int snapshot_tear_down(void **state)
{
	struct snapshot_fixture *f = *state;
	void *dir = f->dir;

	fake_cluster_stop(&f->cluster);
	git_store_free(f->store);
	policy_free(f->policy);
	strlist_release(&f->namespaces);
	json_decref(f->result);
	free(f->log);
	free(f->err);
	free(f);
	return support_leave_dir(&dir);
}

void snapshot_hello(struct snapshot_fixture *f)
{
	fake_cluster_hello(&f->cluster, "source",
		FAKE_VERSION("v1",
			FAKE_RESOURCE("namespaces", "Namespace", "Cluster") "," FAKE_RESOURCE(
				"configmaps", "ConfigMap", "Namespaced") "," FAKE_RESOURCE("serviceaccounts", "ServiceAccount",
				"Namespaced") "," FAKE_RESOURCE("secrets", "Secret", "Namespaced") "," FAKE_RESOURCE("quotas", "Quota",
				"Namespaced")),
		FAKE_GROUP("b.io", FAKE_VERSION("v1", FAKE_RESOURCE("bindings", "Binding", "Namespaced"))) "," FAKE_GROUP(
			"s.io", FAKE_VERSION("v1", FAKE_RESOURCE("services", "Service", "Namespaced"))) "," FAKE_GROUP("r.io",
			FAKE_VERSION("v1", FAKE_RESOURCE("routes", "Route", "Namespaced"))) "," FAKE_GROUP("c.io",
			FAKE_VERSION("v1", FAKE_RESOURCE("certificates", "Certificate", "Namespaced"))) "," FAKE_GROUP("apps",
			FAKE_VERSION("v1", FAKE_RESOURCE("deployments", "Deployment", "Namespaced"))));
}

static void give_list(struct snapshot_fixture *f, const char *path, const char *version, const char *kind, const char *items)
{
	fake_cluster_list(&f->cluster, path, version, kind, items ? items : "");
}

void snapshot_give(struct snapshot_fixture *f, const struct snapshot_given *given)
{
	snapshot_hello(f);
	give_list(f, "/services?", "s.io/v1", "Service", given->services);
	give_list(f, "/routes?", "r.io/v1", "Route", given->routes);
	give_list(f, "/certificates?", "c.io/v1", "Certificate", given->certificates);
	give_list(f, "/configmaps?", "v1", "ConfigMap", given->configs);
	give_list(f, "/serviceaccounts?", "v1", "ServiceAccount", given->accounts);
	give_list(f, "GET /api/v1/namespaces?", "v1", "Namespace", given->spaces);
	give_list(f, "/deployments?", "meta.k8s.io/v1", "PartialObjectMetadata", given->deployments);
	give_list(f, "/deployments?", "meta.k8s.io/v1", "PartialObjectMetadata", NULL);
}

int snapshot_run(struct snapshot_fixture *f)
{
	int rc;

	json_decref(f->result);
	free(f->log);
	fake_cluster_start(&f->cluster);
	rc = capture_run(&f->options, f->cluster.client, f->store, f->policy, &f->result, f->err);
	f->log = fake_api_log(f->cluster.api);
	fake_cluster_stop(&f->cluster);
	return rc;
}

void snapshot_take(struct snapshot_fixture *f)
{
	if (snapshot_run(f) < 0)
		fail_msg("%s", f->err->text);
}

void snapshot_take_given(struct snapshot_fixture *f, const struct snapshot_given *given)
{
	snapshot_give(f, given);
	snapshot_take(f);
}

void snapshot_refused(struct snapshot_fixture *f, enum error_code code, const char *text)
{
	assert_int_equal(snapshot_run(f), -1);
	assert_null(f->result);
	support_assert_error(f->err, code, text);
}

size_t snapshot_asked(const struct snapshot_fixture *f, const char *text)
{
	size_t count = 0;

	for (const char *at = f->log; (at = strstr(at, text)); at++)
		count++;
	return count;
}

const char *snapshot_text(const struct snapshot_fixture *f, const char *key)
{
	return json_text_at(f->result, key, NULL);
}

json_int_t snapshot_number(const struct snapshot_fixture *f, const char *key)
{
	return json_integer_value(json_object_get(f->result, key));
}

void assert_objects(const char *expected)
{
	auto_free char *files = shell_output("git -C repo ls-tree -r --name-only clusters/prod:objects");

	assert_string_equal(files, expected);
}

void assert_file_has(const char *path, const char *text)
{
	auto_free char *file = shell_output("git -C repo show clusters/prod:%s && echo .", path);

	if (!strstr(file, text))
		fail_msg("not in %s:\n%s\nbut\n%s", path, text, file);
}

void assert_file_lacks(const char *path, const char *text)
{
	auto_free char *file = shell_output("git -C repo show clusters/prod:%s && echo .", path);

	if (strstr(file, text))
		fail_msg("in %s:\n%s", path, file);
}
