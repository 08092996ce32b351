/* SPDX-License-Identifier: Apache-2.0 */
/* Which strings of an object look like a credential, and how they are named. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "fake_cluster.h"
#include "object/credential.h"
#include "util/json.h"
#include "util/strbuf.h"

/* Put together here, so that this file holds nothing that looks like one to others. */
#define BODY "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"
#define BASE64_SERVICE_ACCOUNT "eyJzdWIiOiJzeXN0ZW06c2VydmljZWFjY291bnQ6cHJvZDpkZWZhdWx0In0"
#define BASE64_PERSON "eyJzdWIiOiJzb21lYm9keSBlbHNlIn0"

static const struct {
	const char *kind, *text;
} certain[] = {
	{"Hugging Face token", "hf_" BODY},
	{"AWS access key",
		"AKIA"
		"IOSFODNN7EXAMPLE"},
	{"AWS temporary access key",
		"ASIA"
		"IOSFODNN7EXAMPLE"},
	{"GitHub token", "ghp_" BODY},
	{"GitHub token", "github_pat_" BODY},
	{"GitLab token", "glpat-" BODY},
	{"API key (sk-)", "sk-" BODY},
	{"API key (sk-)", "sk-proj-" BODY},
	{"Slack token",
		"xoxb-"
		"123456789012-abcdef"},
	{"Slack token",
		"xoxp-"
		"123456789012-abcdef"},
	{"Slack token",
		"xoxa-"
		"123456789012-abcdef"},
	{"Google API key", "AIza" BODY},
	{"NVIDIA API key", "nvapi-" BODY},
	{"JSON web token", "eyJhbGciOiJSUzI1NiJ9." BASE64_PERSON ".c2lnbmF0dXJlIG9mIGl0"},
	{"Kubernetes service account token", "eyJhbGciOiJSUzI1NiJ9." BASE64_SERVICE_ACCOUNT ".c2lnbmF0dXJlIG9mIGl0"},
	{"private key",
		"-----BEGIN "
		"PRIVATE KEY-----\nMIIE"},
	{"private key",
		"-----BEGIN RSA "
		"PRIVATE KEY-----\nMIIE"},
	{"private key",
		"-----BEGIN "
		"OPENSSH PRIVATE KEY-----\n"},
	{"private key in base64", "LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQpNSUlFb3dJQkFBS0NBUUVB"},
};

static void test_each_shape_is_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(certain) / sizeof(*certain); i++) {
		const char *kind = credential_in(certain[i].text, strlen(certain[i].text));

		if (!kind || strcmp(kind, certain[i].kind) != 0)
			fail_msg("%s: %s", certain[i].kind, kind ? kind : "not found");
	}
}

/* In arguments, files, URLs, and texts in texts. */
static void test_a_shape_is_found_within_a_text(void **state)
{
	static const char *const around[][2] = {{"--token=", ""}, {"Bearer ", ""}, {"{\"token\":\"", "\"}"}, {"export T=", "\nnext"},
		{"a=%3D", ""}, {"{\\\"a\\\":\\n", "\\n"}, {"x\n", ";"}};

	(void)state;
	for (size_t i = 0; i < sizeof(certain) / sizeof(*certain); i++)
		for (size_t j = 0; j < sizeof(around) / sizeof(*around); j++) {
			auto_free char *text = xasprintf("%s%s%s", around[j][0], certain[i].text, around[j][1]);

			if (!credential_in(text, strlen(text)))
				fail_msg("%s is not found behind '%s'", certain[i].kind, around[j][0]);
		}
}

static void test_what_only_resembles_one_is_none(void **state)
{
	static const char *const harmless[] = {"", "hf_", "hf://meta-llama/Llama-3.1-8B-Instruct", "shf_" BODY, "hf_TOKEN", "AKIA",
		"AKIAIOSFODNN7EXAMPLE2", "sk-", "sk-learn-serving-runtime-1-with-a-long-name", "task-" BODY, "disk-" BODY, "ghp_short",
		"eyJhbGciOiJSUzI1NiJ9", "eyJhbGciOiJSUzI1NiJ9.x.y", "-----BEGIN CERTIFICATE-----\nMIIE", "-----BEGIN PUBLIC KEY-----",
		"LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSURRVENDQWluZ0F3SUI=", "kubernetes.io/service-account-token",
		"xoxo-hugs-and-kisses", "https://example.com/a:b@c", "--model=/mnt/models"};

	(void)state;
	for (size_t i = 0; i < sizeof(harmless) / sizeof(*harmless); i++)
		if (credential_in(harmless[i], strlen(harmless[i])))
			fail_msg("'%s': %s", harmless[i], credential_in(harmless[i], strlen(harmless[i])));
}

static void tell(const struct credential *found, void *arg)
{
	strbuf_addf(arg, "%s %s|%s|%s\n", found->confidence == CREDENTIAL_CERTAIN ? "certain" : "possible", found->path, found->shown,
		found->kind);
}

static void assert_found(const char *object, const char *expected)
{
	auto_json json_t *json = fake_value(object);
	auto_strbuf struct strbuf told = STRBUF_INIT;

	credential_look(json, tell, &told);
	assert_string_equal(told.buf, expected);
}

static void test_a_path_is_told_by_position_and_by_name(void **state)
{
	(void)state;
	assert_found("{'spec':{'containers':[{'name':'main','env':[{'name':'A'},{'name':'T','value':'hf_" BODY "'}],'args':['hf_" BODY
		     "']}]}}",
		"certain spec.containers[0].env[1].value|spec.containers[name=main].env[name=T].value|Hugging Face token\n"
		"certain spec.containers[0].args[0]|spec.containers[name=main].args[0]|Hugging Face token\n");
	assert_found("{'data':{'app.conf':'hf_" BODY "'}}", "certain data['app.conf']|data['app.conf']|Hugging Face token\n");
}

/* A name that a path cannot hold is not put into one. */
static void test_a_strange_name_is_told_by_position(void **state)
{
	(void)state;
	assert_found("{'env':[{'name':'a]b','value':'hf_" BODY "'}]}", "certain env[0].value|env[0].value|Hugging Face token\n");
}

#define NAMED "value of a field that is named like a credential\n"

static void test_a_literal_at_a_credential_name_is_possible(void **state)
{
	(void)state;
	assert_found("{'env':[{'name':'HF_TOKEN','value':'hunter2'}]}", "possible env[0].value|env[name=HF_TOKEN].value|" NAMED);
	assert_found("{'data':{'password':'hunter2'}}", "possible data.password|data.password|" NAMED);
	assert_found("{'url':'redis://me:hunter2@host'}", "possible url|url|password in a URL\n");
}

static void test_what_is_no_literal_credential_is_not_told(void **state)
{
	(void)state;
	assert_found("{'env':[{'name':'HF_TOKEN','valueFrom':{'secretKeyRef':{'name':'hf','key':'token'}}}]}", "");
	assert_found(
		"{'env':[{'name':'TOKEN','value':'$(OTHER)'},{'name':'MAX_TOKEN','value':'4096'},{'name':'TOKENIZER','value':'fast'}]}",
		"");
	assert_found("{'spec':{'tokenFile':'/run/secrets/token','secretName':'hf','useToken':'true','token':''}}", "");
	assert_found("{'url':'redis://me:$(PASSWORD)@host'}", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_shape_is_found),
		cmocka_unit_test(test_a_shape_is_found_within_a_text),
		cmocka_unit_test(test_what_only_resembles_one_is_none),
		cmocka_unit_test(test_a_path_is_told_by_position_and_by_name),
		cmocka_unit_test(test_a_strange_name_is_told_by_position),
		cmocka_unit_test(test_a_literal_at_a_credential_name_is_possible),
		cmocka_unit_test(test_what_is_no_literal_credential_is_not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
