/* SPDX-License-Identifier: Apache-2.0 */
/* What a snapshot can say of an object, from its own files alone. */
#include "support.h"

#include <string.h>

#include "object/object.h"
#include "snapshot/why.h"
#include "snapshot_support.h"
#include "store/snapshot.h"
#include "util/json.h"
#include "util/strbuf.h"

#define OWNED(ns, name, owner_api, owner_kind, owner_name, owner_uid)                                                                      \
	"{" META(ns, name,                                                                                                                 \
		",'ownerReferences':[{'apiVersion':'" owner_api "','kind':'" owner_kind "','name':'" owner_name "','uid':'" owner_uid      \
		"','controller':true}]") "}"

/* Everything that can become of an object. */
static const struct snapshot_given cluster = {
	.services = SERVICE("prod", "a", "'config':'app','secret':'token','route':'preset','class':'gke'"),
	.routes = ROUTE("prod", "x", ",'labels':{'app.kubernetes.io/managed-by':'Helm'}") "," ROUTE("prod", "preset", "") "," OWNED(
		"prod", "made", "s.io/v1", "Service", "a", "prod-a") "," OWNED("prod", "lost", "s.io/v1", "Service", "b", "prod-b"),
	.configs = CONFIG("prod", "app") "," CONFIG("prod", "other"),
	.spaces = SPACE("prod"),
};

/* What is said of the object, as "class: why" and a line for each evidence. The caller frees. */
static char *ask(const struct snapshot_fixture *f, struct object name)
{
	const struct snapshot_source source = {.repo = "repo"};
	struct strbuf text = STRBUF_INIT;
	struct snapshot *snapshot = NULL;
	auto_json json_t *result = NULL;
	const json_t *line;
	size_t i;

	if (snapshot_open(&snapshot, &source, NULL, f->err) < 0)
		fail_msg("%s", f->err->text);
	result = why_object(snapshot, f->policy, &name);
	snapshot_free(snapshot);
	strbuf_addf(&text, "%s: %s\n", json_text_at(result, "class", NULL), json_text_at(result, "why", NULL));
	json_array_foreach (json_object_get(result, "evidence"), i, line)
		strbuf_addf(&text, "%s\n", json_string_value(line));
	return text.buf;
}

struct question {
	char *group, *resource, *namespace_, *name;
	const char *answer;
};

static void assert_answers(const struct snapshot_fixture *f, const struct question *questions, size_t count)
{
	char kind[] = "K";

	for (size_t i = 0; i < count; i++) {
		const struct question *q = &questions[i];
		auto_free char *answer = ask(f,
			(struct object){
				.group = q->group, .resource = q->resource, .kind = kind, .namespace_ = q->namespace_, .name = q->name});

		assert_string_equal(answer, q->answer);
	}
}
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char none[] = "", prod[] = "prod", kube[] = "kube-system", service_group[] = "s.io", services[] = "services", route_group[] = "r.io",
	    routes[] = "routes", configmaps[] = "configmaps", a[] = "a", x[] = "x", preset[] = "preset", made[] = "made", lost[] = "lost",
	    app[] = "app", other[] = "other", token[] = "token", stranger[] = "stranger", root_ca[] = "root-ca", secrets[] = "secrets",
	    pods[] = "pods", apps[] = "apps", deployments[] = "deployments", namespaces[] = "namespaces";

static void test_each_class_is_told_with_its_evidence(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	const struct question questions[] = {
		{service_group, services, prod, a,
			"authored: no controller owns it and no rule of the policy says otherwise\nevery Service in scope that somebody "
			"wrote is "
			"taken\n"},
		/* teams deploy their models with Helm */
		{route_group, routes, prod, x,
			"authored: no controller owns it and no rule of the policy says otherwise\nevery Route in scope that somebody "
			"wrote is "
			"taken\napp.kubernetes.io/managed-by=Helm decides nothing: teams deploy their models so too\n"},
		{none, configmaps, prod, app,
			"authored: no controller owns it and no rule of the policy says otherwise\na ConfigMap is taken where an object of "
			"the "
			"snapshot refers to it\nreferred to by Service prod/a\n"},
		{route_group, routes, prod, made,
			"generated: controlled by Service a\nits owner is in the snapshot: the controller makes it again, it is not "
			"restored\n"},
		{route_group, routes, prod, lost,
			"orphan: controlled by Service b, which is not there any more\nnobody makes it again; it is not restored\n"},
		{route_group, routes, prod, preset, "installed: part of the installation\nneeded by Service prod/a\n"},
		{none, secrets, prod, token,
			"required: the snapshot needs it and does not hold it: the target must have it\nSecrets are never read\nneeded by "
			"Service "
			"prod/a\n"},
		{none, configmaps, prod, root_ca,
			"generated: made in every namespace\na row of the policy says so by kind, namespace and name: such a one is in no "
			"snapshot\n"},
	};

	snapshot_take_given(f, &cluster);
	assert_answers(f, questions, COUNT(questions));
}

static void test_of_others_the_nearest_reason_is_told(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	const struct question questions[] = {
		{none, configmaps, prod, other,
			"unknown: it was not there, a controller owned it, or nothing in the snapshot refers to it\na ConfigMap is taken "
			"where an "
			"object of the snapshot refers to it\n"},
		{service_group, services, prod, stranger,
			"unknown: it was not there, or a controller owned it\nevery Service in scope that somebody wrote is taken\n"},
		{none, secrets, prod, stranger, "unknown: Secrets are never read, and nothing in the snapshot needs this one\n"},
		{service_group, services, kube, stranger,
			"unknown: its namespace is out of the scope of the snapshot\nevery Service in scope that somebody wrote is "
			"taken\n"},
		{none, namespaces, none, kube,
			"unknown: its namespace is out of the scope of the snapshot\na Namespace with objects of the snapshot is taken\n"},
		{none, pods, prod, stranger, "unknown: the policy has no row for its kind: no such object is captured\n"},
		{apps, deployments, prod, stranger,
			"unknown: the policy has no row for its kind: no such object is captured\nof its kind only what a controller made "
			"of an object "
			"of the snapshot is listed\n"},
	};

	snapshot_take_given(f, &cluster);
	assert_answers(f, questions, COUNT(questions));
}

/* Of a namespace that a narrowed snapshot does not name nothing is known. */
static void test_a_narrowed_snapshot_knows_its_namespaces_only(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	static char test[] = "test";
	const struct question questions[] = {
		{service_group, services, test, stranger,
			"unknown: its namespace is out of the scope of the snapshot\nevery Service in scope that somebody wrote is "
			"taken\n"},
	};

	strlist_add(&f->namespaces, "prod");
	snapshot_take_given(f, &cluster);
	assert_answers(f, questions, COUNT(questions));
}

static void test_a_row_that_wants_to_see_more_may_hold(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	const struct question questions[] = {
		{route_group, routes, prod, preset,
			"unknown: it was not there, or a controller owned it\nevery Route in scope that somebody wrote is taken\n"
			"the policy's row 'a preset' (installed) may hold: it looks at more than the name\n"},
	};

	snapshot_policy(f,
		"format: 1\nname: test\nstrip: [metadata.uid, metadata.resourceVersion]\nwaves: [{name: one}]\n"
		"installed: [{of: routes.r.io, labels: [a], names: [pre*], why: a preset}]\n"
		"kinds:\n- {resource: routes, group: r.io, kind: Route, wave: one}\n");
	snapshot_take_given(f, &(struct snapshot_given){.routes = ROUTE("prod", "x", "")});
	assert_answers(f, questions, COUNT(questions));
}

/* The name of a preset where its controller is not is somebody's own choice. */
static void test_a_row_that_does_not_hold_is_told(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	const struct question questions[] = {
		{route_group, routes, prod, preset,
			"authored: no controller owns it and no rule of the policy says otherwise\nevery Route in scope that somebody "
			"wrote is "
			"taken\nthe policy's row 'a preset' (installed) does not hold: it is of other namespaces\n"},
	};

	snapshot_policy(f,
		"format: 1\nname: test\nstrip: [metadata.uid, metadata.resourceVersion]\nwaves: [{name: one}]\n"
		"installed: [{of: routes.r.io, namespaces: [system], names: [pre*], why: a preset}]\n"
		"kinds:\n- {resource: routes, group: r.io, kind: Route, wave: one}\n");
	snapshot_take_given(f, &(struct snapshot_given){.routes = ROUTE("prod", "preset", "")});
	assert_answers(f, questions, COUNT(questions));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, snapshot_set_up, snapshot_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_each_class_is_told_with_its_evidence),
		TEST(test_of_others_the_nearest_reason_is_told),
		TEST(test_a_narrowed_snapshot_knows_its_namespaces_only),
		TEST(test_a_row_that_does_not_hold_is_told),
		TEST(test_a_row_that_wants_to_see_more_may_hold),
	};

	return cmocka_run_group_tests_name("snapshot_why", tests, NULL, NULL);
}
