/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <string.h>

#include "object/classify.h"
#include "object/clean.h"
#include "object/fieldpath.h"
#include "object/references.h"
#include "policy/policy.h"
#include "util/mem.h"

static void release_policy(struct policy **policy)
{
	policy_free(*policy);
}
#define auto_policy __attribute__((cleanup(release_policy)))

#define HEAD "format: 1\nname: t\nwaves:\n- {name: w}\n"
#define KIND "- {resource: as, kind: A, wave: w"

static struct policy *read_policy(const char *text)
{
	struct error err = ERROR_INIT;
	struct policy *policy = NULL;

	policy_read(&policy, text, strlen(text), &err);
	assert_string_equal(err.text, "");
	return policy;
}

static void test_reads_waivers(void **state)
{
	auto_policy struct policy *policy =
		read_policy(HEAD "waivers:\n- {object: A n/x, path: 'spec.env[name=B].value', reason: a sample}\nkinds:\n" KIND "}\n");

	(void)state;
	assert_int_equal(policy->waiver_count, 1);
	assert_string_equal(policy->waivers[0].object, "A n/x");
	assert_string_equal(fieldpath_text(policy->waivers[0].path), "spec.env[name=B].value");
	assert_string_equal(policy->waivers[0].reason, "a sample");
}

static void test_reads_what_is_noted_of_the_installation(void **state)
{
	auto_policy struct policy *policy = read_policy(HEAD "controllers: [{of: deployments.apps, names: [a, b], container: c}]\n"
							     "webhooks: [{of: hooks.a.io}]\nkinds:\n" KIND ", presets: true}\n");

	(void)state;
	assert_int_equal(policy->controller_count, 1);
	assert_string_equal(policy->controllers[0].group, "apps");
	assert_string_equal(policy->controllers[0].resource, "deployments");
	assert_int_equal(policy->controllers[0].names.count, 2);
	assert_string_equal(policy->controllers[0].container, "c");
	assert_int_equal(policy->webhook_count, 1);
	assert_string_equal(policy->webhooks[0].resource, "hooks");
	assert_true(policy->kinds[0].presets);
}

static void test_a_waiver_needs_a_reason(void **state)
{
	static const char text[] = HEAD "waivers: [{object: A n/x, path: spec.b}]\nkinds:\n" KIND "}\n";
	struct error err = ERROR_INIT;
	struct policy *policy = NULL;

	(void)state;
	assert_int_equal(policy_read(&policy, text, strlen(text), &err), -1);
	assert_int_equal(err.code, ERR_USAGE);
	assert_non_null(strstr(err.text, "waivers[0] (A n/x)"));
	assert_non_null(strstr(err.text, "reason"));
}

static void test_reads_a_row(void **state)
{
	auto_policy struct policy *policy = read_policy(
		"format: 1\nname: t\nstrip: [metadata.uid]\nscope: {excludeNamespaces: ['kube-*']}\n"
		"waves: [{name: v}, {name: w, gate: dry-run-create}]\nkinds:\n"
		"- resource: as\n  group: g.io\n  kind: A\n  presence: required\n  onError: carry\n  namespaced: false\n  wave: w\n"
		"  early: {to: bs.h.io, wave: v}\n  strip: [spec.x]\n  mergeFields: [metadata.labels]\n  environment: [spec.ip]\n"
		"  references:\n  - {path: spec.n, to: secrets, key: k, when: {kind: S, group: ''}, whenAbsent: true, optional: true}\n"
		"  produces:\n  - {path: spec.s, to: secrets}\n"
		"  ready: {conditions: [Ready], parents: status.parents}\n  endpoint: status.url\n");
	const struct policy_kind *kind = policy_find(policy, "g.io", "as");

	(void)state;
	assert_non_null(kind);
	assert_null(policy_find(policy, "", "as"));
	assert_string_equal(kind->kind, "A");
	assert_true(kind->required && kind->on_error == ON_ERROR_CARRY && !kind->namespaced);
	assert_int_equal(kind->wave, 1);
	assert_int_equal(policy->waves[1].gate, GATE_DRY_RUN_CREATE);
	assert_string_equal(kind->early_resource, "bs");
	assert_string_equal(kind->early_group, "h.io");
	assert_int_equal(kind->early_wave, 0);
	assert_int_equal(kind->strip_count, 2);
	assert_string_equal(fieldpath_text(kind->strip[0]), "metadata.uid");
	assert_string_equal(fieldpath_text(kind->strip[1]), "spec.x");
	assert_int_equal(kind->merge_count, 1);
	assert_int_equal(kind->environment_count, 1);
	assert_int_equal(kind->reference_count, 1);
	assert_string_equal(kind->references[0].when_field, "group");
	assert_string_equal(kind->references[0].when_value2, "S");
	assert_true(kind->references[0].when_absent && kind->references[0].optional);
	assert_int_equal(kind->produce_count, 1);
	assert_string_equal(kind->ready_conditions.items[0], "Ready");
	assert_string_equal(fieldpath_text(kind->ready_parents), "status.parents");
	assert_string_equal(fieldpath_text(kind->endpoint), "status.url");
	assert_true(policy_excludes(policy, "kube-system"));
	assert_false(policy_excludes(policy, "kubernetes"));
}

static void test_what_pods_have_of_the_surroundings_stands_below_each_template(void **state)
{
	auto_policy struct policy *policy = read_policy(HEAD "podEnvironment: [nodeName, \"['*ontainers'][].image\"]\nkinds:\n" KIND
							     ", environment: [spec.ip], pods: [{at: spec.a}, {at: spec.b}]}\n");
	static const char *const expected[] = {
		"spec.ip", "spec.a.nodeName", "spec.a['*ontainers'][].image", "spec.b.nodeName", "spec.b['*ontainers'][].image"};

	(void)state;
	assert_int_equal(policy->kinds[0].environment_count, 5);
	for (size_t i = 0; i < 5; i++)
		assert_string_equal(fieldpath_text(policy->kinds[0].environment[i]), expected[i]);
}

static void test_sets_are_expanded_below_their_field(void **state)
{
	auto_policy struct policy *policy =
		read_policy("format: 1\nname: t\nwaves: [{name: w}]\n"
			    "sets:\n  pod:\n  - {path: 'secrets[]', to: secrets}\n  - {at: 'containers[]', use: env}\n  env:\n  - {path: "
			    "\"['x.y']\", to: secrets}\n"
			    "kinds:\n- resource: as\n  kind: A\n  wave: w\n  references:\n  - {at: spec.template, use: pod}\n");

	(void)state;
	assert_int_equal(policy->kinds[0].reference_count, 2);
	assert_string_equal(fieldpath_text(policy->kinds[0].references[0].path), "spec.template.secrets[]");
	assert_string_equal(fieldpath_text(policy->kinds[0].references[1].path), "spec.template.containers[]['x.y']");
}

/* Whatever the order of the file: what refers is captured before what is referred to, namespaces last. */
static void test_kinds_are_in_the_order_of_capture(void **state)
{
	auto_policy struct policy *policy = read_policy(
		HEAD "kinds:\n- {resource: ns, kind: Ns, wave: w, select: holding}\n- {resource: lim, kind: L, wave: w, select: inHeld}\n"
		     "- {resource: rb, kind: R, wave: w, select: refers}\n- {resource: role, kind: R, wave: w, select: referenced}\n- "
		     "{resource: svc, kind: S, wave: w}\n");
	static const char *const expected[] = {"svc", "rb", "role", "lim", "ns"};

	(void)state;
	assert_int_equal(policy->kind_count, 5);
	for (size_t i = 0; i < 5; i++)
		assert_string_equal(policy->kinds[i].resource, expected[i]);
}

static void test_include_adds_and_replaces(void **state)
{
	auto_policy struct policy *policy =
		read_policy("format: 1\nname: mine\ninclude: core\nscope: {excludeNamespaces: [lab]}\nstrip: [metadata.labels.x]\nkinds:\n"
			    "- {resource: networkpolicies, group: networking.k8s.io, kind: NetworkPolicy, wave: routes}\n- {resource: as, "
			    "kind: A, wave: routes}\n");
	const struct policy_kind *replaced = policy_find(policy, "networking.k8s.io", "networkpolicies");
	const struct policy_kind *kept = policy_find(policy, "gateway.networking.k8s.io", "httproutes");

	(void)state;
	assert_string_equal(policy->name, "mine");
	assert_int_equal(policy->kind_count, 4);
	assert_false(replaced->required);
	assert_true(kept->required);
	assert_int_equal(kept->on_error, ON_ERROR_FAIL);
	assert_ptr_equal(replaced, &policy->kinds[2]);
	assert_string_equal(fieldpath_text(kept->strip[kept->strip_count - 1]), "metadata.labels.x");
	assert_true(policy_excludes(policy, "lab"));
	assert_true(policy_excludes(policy, "kube-system"));
}

static void test_faults_name_row_and_key(void **state)
{
	static const struct {
		const char *text, *fault;
	} rows[] = {
		{"", "not a map"},
		{"[]", "not a map"},
		{"name: t\n", "top level: no key 'format'"},
		{"format: 2\nfuture: 1\n", "format 2 is newer than this program, which reads up to 1"},
		{"format: x\n", "top level: a version number is needed for 'format'"},
		{"format: 1\nname: t\nwaves: []\nkinds: []\nextra: 1\n", "top level: unknown key 'extra'"},
		{"format: 1\nname: t\nkinds: []\n", "top level: no key 'waves'"},
		{"format: 1\nname: t\nwaves: {}\nkinds: []\n", "top level: a list is needed for 'waves'"},
		{"format: 1\nname: t\nwaves: [{name: w}, {name: w}]\nkinds: []\n", "waves[1] (w): a second wave 'w'"},
		{"format: 1\nname: t\nwaves: [{name: w, gate: open}]\nkinds: []\n", "waves[0] (w): not a known word: 'open'"},
		{"format: 1\nname: t\ninclude: nope\n", "include: no built-in policy of this name"},
		{HEAD "kinds: [1]\n", "kinds[0] (?): not a map"},
		{HEAD "kinds:\n- {resource: as, wave: w}\n", "kinds[0] (as): no key 'kind'"},
		{HEAD "kinds:\n- {resource: as, kind: A, wave: x}\n", "kinds[0] (as): no such wave: 'x'"},
		{HEAD "controllers: [{of: a.b, names: ['m-*']}]\nkinds:\n" KIND "}\n",
			"controllers[0] (a.b): a whole name is needed, not 'm-*'"},
		{HEAD "kinds:\n" KIND ", foo: 1}\n", "kinds[0] (as): unknown key 'foo'"},
		{HEAD "podEnvironment: ['a[']\nkinds:\n" KIND "}\n",
			"top level: podEnvironment: no field and '=' in [] at column 3 of field path 'a['"},
		{HEAD "kinds:\n" KIND ", presence: maybe}\n", "kinds[0] (as): not a known word: 'maybe'"},
		{HEAD "kinds:\n" KIND ", onError: skip}\n", "kinds[0] (as): not a known word: 'skip'"},
		{HEAD "kinds:\n" KIND ", namespaced: 1}\n", "kinds[0] (as): true or false is needed for 'namespaced'"},
		{HEAD "kinds:\n" KIND ", strip: [a..b]}\n", "kinds[0] (as): strip: no key at column 3 of field path 'a..b'"},
		{HEAD "kinds:\n" KIND ", strip: a}\n", "kinds[0] (as): a list is needed for 'strip'"},
		{HEAD "kinds:\n" KIND ", references: [{path: a}]}\n", "kinds[0] (as): no key 'to'"},
		{HEAD "kinds:\n" KIND ", references: [{to: bs}]}\n", "kinds[0] (as): no key 'path'"},
		{HEAD "kinds:\n" KIND ", references: [{path: a, to: '.g'}]}\n", "kinds[0] (as): a resource.group is needed for 'to'"},
		{HEAD "kinds:\n" KIND ", references: [{use: pod}]}\n", "kinds[0] (as): no such set: 'pod'"},
		{HEAD "kinds:\n" KIND ", references: [{path: a, to: bs, when: {}}]}\n",
			"kinds[0] (as): one or two fields are needed in 'when'"},
		{HEAD "kinds:\n" KIND ", mapping: {names: [a]}}\n", "kinds[0] (as): unknown key 'names'"},
		{HEAD "kinds:\n" KIND ", mapping: {hosts: a}}\n", "kinds[0] (as): a list is needed for 'mapping'"},
		{HEAD "kinds:\n" KIND ", mapping: {hosts: [{after: x}]}}\n", "kinds[0] (as): no key 'path'"},
		{HEAD "kinds:\n" KIND ", early: {to: bs}}\n", "kinds[0] (as): no key 'wave'"},
		{HEAD "kinds:\n" KIND "}\n" KIND "}\n", "kinds[1] (as): a second row for 'as'"},
		{HEAD "sets: {s: [{at: a, use: s}]}\nkinds: []\n", "sets[0] (s): sets use each other too deep: 's'"},
		{HEAD "installed: [{of: as}]\nkinds: []\n", "installed[0] (as): no key 'why'"},
		{HEAD "installed: [{of: as, orphan: true, why: x}]\nkinds: []\n", "installed[0] (as): what is installed is no 'orphan'"},
		/* teams deploy their models with Helm too */
		{HEAD "installed: [{of: as, releases: [kserve], why: x}]\nkinds: []\n",
			"installed[0] (as): 'namespaces' is needed beside 'releases'"},
		{HEAD "inventory: [as]\nkinds: []\n", "inventory[0] (?): not a map"},
		{HEAD "kinds:\n- {resource: \"a\\e[2J\", kind: A}\n", "kinds[0] (a\\x1B[2J): no key 'wave'"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct error err = ERROR_INIT;
		struct policy *policy = NULL;
		assert_int_equal(policy_read(&policy, rows[i].text, strlen(rows[i].text), &err), -1);
		support_assert_error(&err, ERR_USAGE, rows[i].fault);
	}
}

static void test_loads_a_file(void **state)
{
	struct error err = ERROR_INIT;
	auto_policy struct policy *policy = NULL;

	(void)state;
	support_write_file("mine.yaml", "format: 1\nname: mine\ninclude: rhaii\n");
	assert_int_equal(policy_load(&policy, "mine.yaml", &err), 0);
	assert_string_equal(policy->name, "mine");
}

static void test_a_missing_policy_is_a_usage_error(void **state)
{
	struct error err = ERROR_INIT;
	struct policy *policy = NULL;

	(void)state;
	assert_int_equal(policy_load(&policy, "./none", &err), -1);
	assert_int_equal(err.code, ERR_USAGE);
	assert_int_equal(policy_load(&policy, "none", &err), -1);
	support_assert_error(&err, ERR_USAGE, "no built-in policy 'none'");
	support_write_file("bad.yaml", "format: 1\nname: x\nextra: 1\n");
	assert_int_equal(policy_load(&policy, "bad.yaml", &err), -1);
	support_assert_error(&err, ERR_USAGE, "policy 'bad.yaml': top level: unknown key 'extra'");
}

/* At the top level for some kinds, in a row for its own. */
static void test_reads_what_goes_by_evidence(void **state)
{
	auto_policy struct policy *policy =
		read_policy(HEAD "strip:\n- uid\n- {of: 'a*', path: x, managers: [m, 'n*'], why: made}\n- {of: bs, path: v, managers: [m], "
				 "why: nothing}\nkinds:\n" KIND ", strip: [z, {path: q, managers: [k], why: own}], keep: [{path: w}]}\n");
	const struct policy_kind *kind = &policy->kinds[0];

	(void)state;
	assert_int_equal(kind->strip_count, 2);
	assert_string_equal(fieldpath_text(kind->strip[1]), "z");
	assert_int_equal(kind->keep_count, 1);
	assert_int_equal(kind->evidence_count, 2);
	assert_string_equal(fieldpath_text(kind->evidence[0].path), "x");
	assert_int_equal(kind->evidence[0].managers.count, 2);
	assert_string_equal(kind->evidence[0].why, "made");
	assert_string_equal(fieldpath_text(kind->evidence[1].path), "q");
}

static void assert_refused(const char *text, const char *part)
{
	struct error err = ERROR_INIT;
	struct policy *policy = NULL;

	assert_int_equal(policy_read(&policy, text, strlen(text), &err), -1);
	support_assert_error(&err, ERR_USAGE, part);
}

static void test_evidence_needs_a_reason_and_is_of_strip_alone(void **state)
{
	(void)state;
	assert_refused(HEAD "kinds:\n" KIND ", strip: [{path: q, managers: [k]}]}\n",
		"kinds[0] (as): the other one of 'managers' and 'why' needs 'why'");
	assert_refused(HEAD "kinds:\n" KIND ", strip: [{path: q, why: k}]}\n",
		"kinds[0] (as): the other one of 'managers' and 'why' needs 'managers'");
	assert_refused(HEAD "kinds:\n" KIND ", keep: [{path: q, managers: [k], why: w}]}\n",
		"kinds[0] (as): only rows of 'strip' have 'managers'");
	assert_refused(HEAD "kinds:\n" KIND ", strip: [{of: as, path: q}]}\n", "kinds[0] (as): unknown key 'of'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_waivers),
		cmocka_unit_test(test_a_waiver_needs_a_reason),
		cmocka_unit_test(test_reads_what_is_noted_of_the_installation),
		cmocka_unit_test(test_reads_a_row),
		cmocka_unit_test(test_reads_what_goes_by_evidence),
		cmocka_unit_test(test_evidence_needs_a_reason_and_is_of_strip_alone),
		cmocka_unit_test(test_what_pods_have_of_the_surroundings_stands_below_each_template),
		cmocka_unit_test(test_sets_are_expanded_below_their_field),
		cmocka_unit_test(test_kinds_are_in_the_order_of_capture),
		cmocka_unit_test(test_include_adds_and_replaces),
		cmocka_unit_test(test_faults_name_row_and_key),
		cmocka_unit_test_setup_teardown(test_loads_a_file, support_enter_dir, support_leave_dir),
		cmocka_unit_test_setup_teardown(test_a_missing_policy_is_a_usage_error, support_enter_dir, support_leave_dir),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
