/* SPDX-License-Identifier: Apache-2.0 */
/* classify and clean: what is taken of a live object. */
#include "support.h"

#include <string.h>

#include "object/classify.h"
#include "object/clean.h"
#include "object/fieldpath.h"
#include "object/object.h"
#include "util/json.h"
#include "util/strbuf.h"

static json_t *json_of(const char *text)
{
	struct error err = ERROR_INIT;
	json_t *value = json_read(text, strlen(text), &err);

	assert_string_equal(err.text, "");
	return value;
}

static struct fieldpath *path_of(const char *text)
{
	struct error err = ERROR_INIT;
	struct fieldpath *path = NULL;

	fieldpath_parse(&path, text, &err);
	assert_string_equal(err.text, "");
	return path;
}

static void assert_class(const char *metadata, const struct classify_rule *rule, enum object_class class_, const char *evidence)
{
	struct error err = ERROR_INIT;
	auto_strbuf struct strbuf why = STRBUF_INIT;
	auto_json json_t *json = json_pack("{ss,ss,so}", "apiVersion", "v1", "kind", "ConfigMap", "metadata", json_of(metadata));
	struct object *object = NULL;

	assert_int_equal(object_new(&object, "configmaps", json, &err), 0);
	assert_int_equal(classify_object(object, rule, rule ? 1 : 0, &why), class_);
	assert_string_equal(why.buf, evidence);
	assert_int_equal(classify_object(object, rule, rule ? 1 : 0, NULL), class_);
	object_free(object);
}

#define AUTHORED "no controller owns it and no rule of the policy says otherwise"

static void test_what_nobody_controls_is_authored(void **state)
{
	(void)state;
	assert_class("{\"name\":\"a\",\"namespace\":\"n\"}", NULL, CLASS_AUTHORED, AUTHORED);
}

/* Helm marks what it installs and Argo what it syncs; teams deploy their models with both. */
static void test_helm_and_argo_marks_decide_nothing(void **state)
{
	(void)state;
	assert_class("{\"name\":\"a\",\"labels\":{\"app.kubernetes.io/managed-by\":\"Helm\"},\"annotations\":{\"meta.helm.sh/"
		     "release-name\":\"x\","
		     "\"argocd.argoproj.io/tracking-id\":\"y\"}}",
		NULL, CLASS_AUTHORED, AUTHORED);
}

static void test_what_a_controller_owns_is_generated(void **state)
{
	(void)state;
	assert_class("{\"name\":\"a\",\"ownerReferences\":[{\"kind\":\"X\",\"name\":\"x\"},{\"kind\":\"LLMInferenceService\",\"name\":"
		     "\"qwen\",\"controller\":true}]}",
		NULL, CLASS_GENERATED, "controlled by LLMInferenceService qwen");
}

/* An owner that is not the controller only ties the lifetimes. */
static void test_a_mere_owner_does_not_make_it_generated(void **state)
{
	(void)state;
	assert_class("{\"name\":\"a\",\"ownerReferences\":[{\"kind\":\"X\",\"name\":\"x\"}]}", NULL, CLASS_AUTHORED, AUTHORED);
	assert_class("{\"name\":\"a\",\"ownerReferences\":[{\"kind\":\"X\",\"name\":\"x\",\"controller\":false}]}", NULL, CLASS_AUTHORED,
		AUTHORED);
}

static void test_a_rule_holds_only_with_all_that_it_names(void **state)
{
	char group[] = "", resource[] = "configmaps", why[] = "preset";
	struct classify_rule rule = {.class_ = CLASS_INSTALLED, .group = group, .resource = resource, .why = why};

	(void)state;
	strlist_add(&rule.namespaces, "kserve");
	strlist_add(&rule.names, "kserve-config-*");
	strlist_add(&rule.labels, "part-of=kserve");
	strlist_add(&rule.labels, "any");
	assert_class("{\"name\":\"kserve-config-x\",\"namespace\":\"kserve\",\"labels\":{\"part-of\":\"kserve\",\"any\":\"\"}}", &rule,
		CLASS_INSTALLED, "preset");
	assert_class("{\"name\":\"kserve-config-x\",\"namespace\":\"team\",\"labels\":{\"part-of\":\"kserve\",\"any\":\"\"}}", &rule,
		CLASS_AUTHORED, AUTHORED);
	assert_class("{\"name\":\"config-x\",\"namespace\":\"kserve\",\"labels\":{\"part-of\":\"kserve\",\"any\":\"\"}}", &rule,
		CLASS_AUTHORED, AUTHORED);
	assert_class("{\"name\":\"kserve-config-x\",\"namespace\":\"kserve\",\"labels\":{\"part-of\":\"other\",\"any\":\"\"}}", &rule,
		CLASS_AUTHORED, AUTHORED);
	assert_class("{\"name\":\"kserve-config-x\",\"namespace\":\"kserve\",\"labels\":{\"part-of\":\"kserve\"}}", &rule, CLASS_AUTHORED,
		AUTHORED);
	assert_class("{\"name\":\"kserve-config-x\",\"namespace\":\"kserve\"}", &rule, CLASS_AUTHORED, AUTHORED);
	strlist_release(&rule.namespaces);
	strlist_release(&rule.names);
	strlist_release(&rule.labels);
}

/* A chart's release, in the namespace of its controller: the same mark elsewhere, or another release there, is a team's. */
static void test_a_rule_of_a_release(void **state)
{
	char group[] = "", resource[] = "configmaps", why[] = "chart";
	struct classify_rule rule = {.class_ = CLASS_INSTALLED, .group = group, .resource = resource, .why = why};
#define RELEASE(name) ",\"annotations\":{\"meta.helm.sh/release-name\":\"" name "\"}}"

	(void)state;
	strlist_add(&rule.namespaces, "opendatahub");
	strlist_add(&rule.releases, "rhaii-*");
	assert_class("{\"name\":\"a\",\"namespace\":\"opendatahub\"" RELEASE("rhaii-kserve"), &rule, CLASS_INSTALLED, "chart");
	assert_class("{\"name\":\"a\",\"namespace\":\"team\"" RELEASE("rhaii-kserve"), &rule, CLASS_AUTHORED, AUTHORED);
	assert_class("{\"name\":\"a\",\"namespace\":\"opendatahub\"" RELEASE("models"), &rule, CLASS_AUTHORED, AUTHORED);
	assert_class("{\"name\":\"a\",\"namespace\":\"opendatahub\"}", &rule, CLASS_AUTHORED, AUTHORED);
	strlist_release(&rule.namespaces);
	strlist_release(&rule.releases);
}

static void test_a_rule_is_excused_by_a_filled_field(void **state)
{
	struct fieldpath *unless[] = {path_of("metadata.labels"), path_of("metadata.annotations")};
	char any[] = "*", why[] = "default";
	struct classify_rule rule = {
		.class_ = CLASS_GENERATED, .group = any, .resource = any, .unless = unless, .unless_count = 2, .why = why};

	(void)state;
	assert_class("{\"name\":\"a\"}", &rule, CLASS_GENERATED, "default");
	assert_class("{\"name\":\"a\",\"labels\":{},\"annotations\":{}}", &rule, CLASS_GENERATED, "default");
	assert_class("{\"name\":\"a\",\"labels\":{},\"annotations\":{\"x\":\"\"}}", &rule, CLASS_AUTHORED, AUTHORED);
	fieldpath_free(unless[0]);
	fieldpath_free(unless[1]);
}

static void assert_clean(const char *json, const char *const *strip, const char *expected)
{
	struct fieldpath *paths[8];
	size_t count = 0;
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_json json_t *value = json_of(json);

	for (; strip[count]; count++)
		paths[count] = path_of(strip[count]);
	clean_object(value, paths, count);
	json_write(value, &text);
	assert_string_equal(text.buf, expected);
	while (count > 0)
		fieldpath_free(paths[--count]);
}

static void test_clean_drops_metadata_that_is_empty_afterwards(void **state)
{
	(void)state;
	assert_clean("{\"metadata\":{\"name\":\"a\",\"uid\":\"u\",\"annotations\":{\"x\":\"1\"},\"labels\":{},\"finalizers\":[],"
		     "\"ownerReferences\":[]}}",
		(const char *const[]){"metadata.uid", "metadata.annotations['x']", NULL}, "{\"metadata\":{\"name\":\"a\"}}");
}

static void test_clean_keeps_every_other_empty_container(void **state)
{
	(void)state;
	assert_clean("{\"spec\":{\"podSelector\":{},\"ingress\":[],\"router\":{\"route\":{}},\"labels\":{},\"x\":{\"y\":1}},\"status\":{}}",
		(const char *const[]){"status", "spec.x.y", NULL},
		"{\"spec\":{\"ingress\":[],\"labels\":{},\"podSelector\":{},\"router\":{\"route\":{}},\"x\":{}}}");
}

static void assert_kept(const char *json, const char *strip, const char *keep, const char *expected)
{
	struct fieldpath *paths[] = {path_of(strip), path_of(keep)};
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_json json_t *value = json_of(json);

	clean_object_but(value, &paths[0], 1, &paths[1], 1);
	json_write(value, &text);
	assert_string_equal(text.buf, expected);
	fieldpath_free(paths[0]);
	fieldpath_free(paths[1]);
}

/* What a policy includes is stripped, but for what its author wants. */
static void test_clean_keeps_what_is_named(void **state)
{
	(void)state;
	assert_kept("{\"a\":1,\"b\":2}", "a", "a", "{\"a\":1,\"b\":2}");
	assert_kept("{\"m\":{\"x.io/a\":true,\"x.io/b\":true}}", "m['x.io/*']", "m['x.io/b']", "{\"m\":{\"x.io/b\":true}}");
	/* inside of what goes */
	assert_kept("{\"status\":{\"a\":{\"b\":1,\"c\":2},\"d\":[1]},\"x\":0}", "status", "status.a.c",
		"{\"status\":{\"a\":{\"c\":2}},\"x\":0}");
	assert_kept("{\"l\":[{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"c\"}]}", "l[]", "l[name=b]", "{\"l\":[{\"name\":\"b\"}]}");
	assert_kept("{\"l\":[{\"a\":1,\"b\":2},3]}", "l", "l[0].b", "{\"l\":[{\"b\":2}]}");
	/* nothing of it is there */
	assert_kept("{\"status\":{\"a\":1}}", "status", "status.b", "{}");
}

static void test_clean_of_odd_values_is_harmless(void **state)
{
	(void)state;
	assert_clean("{\"metadata\":[]}", (const char *const[]){"metadata.uid", NULL}, "{\"metadata\":[]}");
	assert_clean("[]", (const char *const[]){"metadata.uid", NULL}, "[]");
}

/* ---- by evidence ---- */

#define OWNS(manager, fields) "{\"manager\":\"" manager "\",\"fieldsV1\":{\"f:metadata\":{\"f:annotations\":{" fields "}}}}"

/* The annotations lb/a and lb/b, cleaned of what only controllers have set, unless kept (NULL: nothing is). */
static void assert_evidence(const char *managed, const char *kept, const char *expected)
{
	struct clean_evidence row = {.managers = STRLIST_INIT};
	auto_free char *text = xasprintf("{\"metadata\":{\"annotations\":{\"lb/a\":\"1\",\"lb/b\":\"2\"}%s%s}}",
		managed ? ",\"managedFields\":" : "", managed ? managed : "");
	struct error err = ERROR_INIT;
	auto_json json_t *value = json_read(text, strlen(text), &err);
	auto_strbuf struct strbuf left = STRBUF_INIT;
	struct fieldpath *keep = NULL;

	assert_non_null(value);
	strlist_add(&row.managers, "lb-*");
	assert_int_equal(fieldpath_parse(&row.path, "metadata.annotations['lb/*']", &err), 0);
	if (kept)
		assert_int_equal(fieldpath_parse(&keep, kept, &err), 0);
	clean_by_evidence(value, &row, 1, &keep, kept != NULL);
	json_write(json_at(value, "metadata", "annotations", NULL), &left);
	assert_string_equal(left.buf, expected);
	fieldpath_free(row.path);
	fieldpath_free(keep);
	strlist_release(&row.managers);
}

static void test_what_only_a_controller_has_set_goes(void **state)
{
	(void)state;
	assert_evidence("[" OWNS("lb-controller", "\"f:lb/a\":{}") "," OWNS("kubectl", "\"f:lb/b\":{}") "]", NULL, "{\"lb/b\":\"2\"}");
}

static void test_what_a_person_has_set_too_stays(void **state)
{
	(void)state;
	assert_evidence("[" OWNS("lb-controller", "\"f:lb/a\":{},\"f:lb/b\":{}") "," OWNS("kubectl", "\".\":{},\"f:lb/a\":{}") "]", NULL,
		"{\"lb/a\":\"1\"}");
}

static void test_without_evidence_all_stays(void **state)
{
	(void)state;
	assert_evidence(NULL, NULL, "{\"lb/a\":\"1\",\"lb/b\":\"2\"}");
	assert_evidence("[" OWNS("lb-controller", "\".\":{}") "]", NULL, "{\"lb/a\":\"1\",\"lb/b\":\"2\"}");
}

static void test_what_is_kept_stays_whoever_has_set_it(void **state)
{
	(void)state;
	assert_evidence("[" OWNS("lb-controller", "\"f:lb/a\":{},\"f:lb/b\":{}") "]", "metadata.annotations['lb/b']", "{\"lb/b\":\"2\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_nobody_controls_is_authored),
		cmocka_unit_test(test_helm_and_argo_marks_decide_nothing),
		cmocka_unit_test(test_what_a_controller_owns_is_generated),
		cmocka_unit_test(test_a_mere_owner_does_not_make_it_generated),
		cmocka_unit_test(test_a_rule_holds_only_with_all_that_it_names),
		cmocka_unit_test(test_a_rule_of_a_release),
		cmocka_unit_test(test_a_rule_is_excused_by_a_filled_field),
		cmocka_unit_test(test_clean_drops_metadata_that_is_empty_afterwards),
		cmocka_unit_test(test_clean_keeps_every_other_empty_container),
		cmocka_unit_test(test_clean_keeps_what_is_named),
		cmocka_unit_test(test_clean_of_odd_values_is_harmless),
		cmocka_unit_test(test_what_only_a_controller_has_set_goes),
		cmocka_unit_test(test_what_a_person_has_set_too_stays),
		cmocka_unit_test(test_without_evidence_all_stays),
		cmocka_unit_test(test_what_is_kept_stays_whoever_has_set_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
