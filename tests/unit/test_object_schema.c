/* SPDX-License-Identifier: Apache-2.0 */
/* What a structural schema keeps of an object: by small schemas, and by the definitions that KServe and Gateway API publish. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "object/schema.h"
#include "util/error.h"
#include "util/file.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"
#include "util/yaml.h"

/* Single quotes stand for double ones. */
static json_t *parse(const char *text)
{
	struct error err = ERROR_INIT;
	auto_free char *quoted = xstrdup(text);
	json_t *value;

	for (char *c = quoted; *c; c++)
		if (*c == '\'')
			*c = '"';
	value = json_read(quoted, strlen(quoted), &err);
	if (!value)
		fail_msg("%s: %s", err.text, text);
	return value;
}

static void add_path(const char *path, const json_t *value, const json_t *kept, void *arg)
{
	struct strbuf *paths = arg;

	assert_non_null(value);
	assert_null(kept);
	strbuf_addf(paths, "%s%s", paths->len ? " " : "", path);
}

static void assert_paths(const json_t *definition, const char *version, const char *object_text, const char *paths)
{
	auto_json json_t *object = parse(object_text), *before = json_deep_copy(object);
	auto_strbuf struct strbuf dropped = STRBUF_INIT;
	size_t count = schema_dropped(definition, version, object, add_path, &dropped), spaces = 0;

	assert_string_equal(dropped.buf, paths);
	for (const char *c = paths; *c; c++)
		spaces += *c == ' ';
	assert_int_equal(count, *paths ? spaces + 1 : 0);
	assert_true(json_equal(object, before));
}

/* The schema of spec, and what of {spec: ...} is dropped. */
static void assert_dropped(const char *spec_schema, const char *spec, const char *paths)
{
	auto_free char *text =
		xasprintf("{'spec':{'versions':[{'name':'v1','storage':true,'schema':{'openAPIV3Schema':{'properties':{'spec':%s}}}}]}}",
			spec_schema);
	auto_free char *object = xasprintf("{'apiVersion':'g/v1','kind':'K','metadata':{'name':'n','odd':1},'spec':%s}", spec);
	auto_json json_t *definition = parse(text);

	assert_paths(definition, "v1", object, paths);
}

static void test_drops_what_no_property_names(void **state)
{
	(void)state;
	assert_dropped("{'properties':{'a':{'type':'string'}}}", "{'a':'x','b':1,'c':{'d':1}}", "spec.b spec.c");
	assert_dropped("{}", "{'a':'x'}", "spec.a");
	assert_dropped("{'properties':{'a':{'properties':{'b':{}}}}}", "{'a':{'b':1}}", "");
}

static void test_drops_a_whole_field_once(void **state)
{
	(void)state;
	assert_dropped("{'properties':{}}", "{'a':{'b':{'c':1}}}", "spec.a");
}

static void test_looks_into_items(void **state)
{
	(void)state;
	assert_dropped(
		"{'properties':{'l':{'items':{'properties':{'name':{}}}}}}", "{'l':[{'name':'a','x':1},{'name':'b'}]}", "spec.l[name=a].x");
	assert_dropped("{'properties':{'l':{'items':{'properties':{'k':{}}}}}}", "{'l':[{'k':1},{'k':2,'x':1}]}", "spec.l[1].x");
	assert_dropped("{'properties':{'l':{'items':{'items':{'properties':{'k':{}}}}}}}", "{'l':[[{'k':1,'x':1}]]}", "spec.l[0][0].x");
	/* without items nothing is known of them: they stay, empty */
	assert_dropped("{'properties':{'l':{}}}", "{'l':[{'x':1},2]}", "spec.l[0].x");
}

/* Any key is known below additionalProperties; what is below the key is what its schema says. */
static void test_keeps_keys_of_additional_properties(void **state)
{
	(void)state;
	assert_dropped("{'additionalProperties':{'type':'string'}}", "{'a':'x','b':'y'}", "");
	assert_dropped("{'additionalProperties':{'properties':{'k':{}}}}", "{'a':{'k':1,'x':1}}", "spec.a.x");
	assert_dropped("{'additionalProperties':true}", "{'a':1,'b':{'x':1}}", "spec.b.x");
}

static void test_preserves_unknown_fields(void **state)
{
	(void)state;
	assert_dropped("{'x-kubernetes-preserve-unknown-fields':true}", "{'a':{'b':[{'c':1}]}}", "");
	/* a property that is named is pruned all the same, also below lists */
	assert_dropped("{'x-kubernetes-preserve-unknown-fields':true,'properties':{'a':{'properties':{'k':{}}}}}",
		"{'a':{'k':1,'x':1},'b':{'x':1}}", "spec.a.x");
	assert_dropped("{'properties':{'l':{'x-kubernetes-preserve-unknown-fields':true,'items':{'properties':{'a':{'properties':{}}}}}}}",
		"{'l':[{'a':{'x':1},'y':1}]}", "spec.l[0].a.x");
	assert_dropped("{'properties':{'a':{'x-kubernetes-preserve-unknown-fields':false}}}", "{'a':{'x':1}}", "spec.a.x");
}

static void test_knows_an_embedded_resource(void **state)
{
	(void)state;
	assert_dropped("{'properties':{'r':{'x-kubernetes-embedded-resource':true,'properties':{'spec':{}}}}}",
		"{'r':{'apiVersion':'v1','kind':'K','metadata':{'name':'n'},'spec':1,'status':1}}", "spec.r.status");
	assert_dropped("{'properties':{'r':{'properties':{'spec':{}}}}}", "{'r':{'kind':'K','spec':1}}", "spec.r.kind");
}

static void test_a_number_or_text_is_one_field(void **state)
{
	(void)state;
	assert_dropped("{'properties':{'port':{'x-kubernetes-int-or-string':true}}}", "{'port':'http'}", "");
	assert_dropped("{'properties':{'port':{'x-kubernetes-int-or-string':true}}}", "{'port':80}", "");
}

/* The top of the object is a resource whatever its schema says; a status that it lacks is dropped as a whole. */
static void test_the_object_itself_is_a_resource(void **state)
{
	auto_json json_t *definition = parse("{'spec':{'versions':[{'name':'v1','schema':{'openAPIV3Schema':{}}}]}}");

	(void)state;
	assert_paths(definition, "v1", "{'apiVersion':'g/v1','kind':'K','metadata':{'a':1},'spec':{'b':1},'status':{}}", "spec status");
}

static void test_without_a_schema_nothing_is_dropped(void **state)
{
	auto_json json_t *none = parse("{'spec':{'versions':[{'name':'v1'}]}}");
	auto_json json_t *old = parse("{'spec':{'preserveUnknownFields':true,'versions':[{'name':'v1','schema':{'openAPIV3Schema':{}}}]}}");

	(void)state;
	assert_paths(none, "v1", "{'kind':'K','spec':{'b':1}}", "");
	assert_paths(none, "v2", "{'kind':'K','spec':{'b':1}}", "");
	assert_paths(old, "v1", "{'kind':'K','spec':{'b':1}}", "");
}

static void test_finds_versions(void **state)
{
	auto_json json_t *definition = parse(
		"{'spec':{'versions':[{'name':'v1alpha1','served':true,'storage':false},{'name':'v1','served':false,'storage':true}]}}");

	(void)state;
	assert_string_equal(definition_storage_version(definition), "v1");
	assert_true(json_is_false(json_object_get(definition_version(definition, "v1"), "served")));
	assert_null(definition_version(definition, "v2"));
	assert_null(definition_storage_version(NULL));
}

static void test_tells_the_stored_version_where_nothing_converts(void **state)
{
#define V1_STORED "'versions':[{'name':'v1alpha1'},{'name':'v1','storage':true}]"
	auto_json json_t *none = parse("{'spec':{'conversion':{'strategy':'None'}," V1_STORED "}}");
	auto_json json_t *webhook = parse("{'spec':{'conversion':{'strategy':'Webhook'}," V1_STORED "}}");
	auto_json json_t *unsaid = parse("{'spec':{" V1_STORED "}}");

	(void)state;
	assert_string_equal(definition_unconverted(none, "v1alpha1"), "v1");
	assert_string_equal(definition_unconverted(unsaid, "v1alpha1"), "v1");
	assert_null(definition_unconverted(none, "v1"));
	assert_null(definition_unconverted(webhook, "v1alpha1"));
	assert_null(definition_unconverted(NULL, "v1"));
}

/* ---- published definitions ---- */

/* A file of a module that the test clusters are built from; NULL and the test skipped where Go is not there. */
static json_t *published(const char *module, const char *file)
{
	struct error err = ERROR_INIT;
	auto_free char *command = xasprintf("go -C tests/cluster/kserve list -m -f '{{.Dir}}' %s 2>/dev/null", module);
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_free char *path = NULL;
	char dir[4096] = "";
	FILE *answer = popen(command, "re");
	json_t *definition;

	if (!answer || !fgets(dir, sizeof(dir), answer) || *dir != '/') {
		if (answer)
			(void)pclose(answer);
		return NULL;
	}
	(void)pclose(answer);
	dir[strcspn(dir, "\n")] = '\0';
	path = xasprintf("%s/%s", dir, file);
	if (file_read(path, YAML_SIZE_MAX, &text, &err) < 0)
		return NULL;
	definition = yaml_read(text.buf, text.len, &err);
	if (!definition)
		fail_msg("%s: %s", path, err.text);
	return definition;
}

#define LLM(spec) "{'apiVersion':'serving.kserve.io/v1alpha2','kind':'LLMInferenceService','metadata':{'name':'a'},'spec':" spec "}"

static const char service_text[] =
	LLM("{'model':{'uri':'hf://"
	    "a','name':'a'},'replicas':2,'router':{'route':{},'gateway':{},'scheduler':{'pool':{'spec':{'targetPorts':[{'number':8000}],"
	    "'endpointPickerRef':{'name':'p','port':{'number':9002}},'selector':{'matchLabels':{'a':'b'}}}}}},"
	    "'template':{'nodeSelector':{'a/b':'c'},'containers':[{'name':'main','image':'i','resources':{'limits':{'nvidia.com/gpu':'1'}},"
	    "'readinessProbe':{'httpGet':{'port':'http','path':'/"
	    "health'}},'env':[{'name':'A','valueFrom':{'secretKeyRef':{'name':'s','key':'k'}}}]}]}}");

/* The fields that llmisvc-gpu-caching.yaml has and no version knows, and one of a container. */
static const char unknown_text[] =
	LLM("{'model':{'uri':'hf://"
	    "a'},'router':{'scheduler':{'image':'x','args':['a'],'replicas':1}},'template':{'containers':[{'name':'main','gpu':1}]}}");

static void test_kserve_full(void **state)
{
	auto_json json_t *definition =
		published("github.com/kserve/kserve", "config/crd/full/llmisvc/serving.kserve.io_llminferenceservices.yaml");

	(void)state;
	if (!definition)
		skip();
	assert_string_equal(definition_storage_version(definition), "v1alpha2");
	assert_paths(definition, "v1alpha2", service_text, "");
	assert_paths(definition, "v1alpha2", unknown_text,
		"spec.router.scheduler.args spec.router.scheduler.image spec.template.containers[name=main].gpu");
	/* sent at the older version, without conversion, what only the newer one has is lost */
	assert_paths(definition, "v1alpha1", LLM("{'model':{'uri':'hf://a'},'kvCacheOffloading':{'cpu':{}}}"), "spec.kvCacheOffloading");
	assert_paths(definition, "v1alpha1", service_text,
		"spec.router.scheduler.pool.spec.endpointPickerRef spec.router.scheduler.pool.spec.selector.matchLabels.a "
		"spec.router.scheduler.pool.spec.targetPorts");
}

/* The minimal flavour knows nothing and keeps all of v1alpha1. */
static void test_kserve_minimal(void **state)
{
	auto_json json_t *definition =
		published("github.com/kserve/kserve", "config/crd/minimal/llmisvc/serving.kserve.io_llminferenceservices.yaml");

	(void)state;
	if (!definition)
		skip();
	assert_paths(definition, "v1alpha1", unknown_text, "");
}

static const char route_text[] =
	"{'apiVersion':'gateway.networking.k8s.io/v1','kind':'HTTPRoute','metadata':{'name':'r'},'spec':{'parentRefs':[{'name':'g',"
	"'sectionName':'s'}],'rules':[{'name':'one','retry':{'attempts':2},'backendRefs':[{'name':'p','port':8000}]}]}}";

/* The two channels of Gateway API: what the experimental one keeps, the standard one drops. */
static void test_gateway_channels(void **state)
{
	auto_json json_t *standard = published("sigs.k8s.io/gateway-api", "config/crd/standard/gateway.networking.k8s.io_httproutes.yaml");
	auto_json json_t *experimental =
		published("sigs.k8s.io/gateway-api", "config/crd/experimental/gateway.networking.k8s.io_httproutes.yaml");

	(void)state;
	if (!standard || !experimental)
		skip();
	assert_paths(experimental, "v1", route_text, "");
	assert_paths(standard, "v1", route_text, "spec.rules[name=one].retry");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drops_what_no_property_names),
		cmocka_unit_test(test_drops_a_whole_field_once),
		cmocka_unit_test(test_looks_into_items),
		cmocka_unit_test(test_keeps_keys_of_additional_properties),
		cmocka_unit_test(test_preserves_unknown_fields),
		cmocka_unit_test(test_knows_an_embedded_resource),
		cmocka_unit_test(test_a_number_or_text_is_one_field),
		cmocka_unit_test(test_the_object_itself_is_a_resource),
		cmocka_unit_test(test_without_a_schema_nothing_is_dropped),
		cmocka_unit_test(test_finds_versions),
		cmocka_unit_test(test_tells_the_stored_version_where_nothing_converts),
		cmocka_unit_test(test_kserve_full),
		cmocka_unit_test(test_kserve_minimal),
		cmocka_unit_test(test_gateway_channels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
