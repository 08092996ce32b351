/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "kube/kubeconfig.h"
#include "util/error.h"
#include "util/mem.h"
#include "util/strbuf.h"

/* "-----BEGIN X-----\n" */
#define PEM_BASE64 "LS0tLS1CRUdJTiBYLS0tLS0K"
#define PEM_TEXT "-----BEGIN X-----\n"

struct place {
	char dir[64];
};

static void variables_clear(void)
{
	static const char *const names[] = {
		"KUBECONFIG", "HOME", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT", "RHAII_DR_TEST_SERVICEACCOUNT"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		assert_int_equal(unsetenv(names[i]), 0);
}

static int setup(void **state)
{
	struct place *place = xcalloc(1, sizeof(*place));

	variables_clear();
	(void)snprintf(place->dir, sizeof(place->dir), "/tmp/rhaii-kubeconfig-XXXXXX");
	*state = place;
	return mkdtemp(place->dir) ? 0 : -1;
}

static int teardown(void **state)
{
	struct place *place = *state;
	auto_free char *command = xasprintf("rm -rf '%s'", place->dir);
	int result = system(command);

	variables_clear();
	free(place);
	return result;
}

/* The path of a new file; the caller frees. */
static char *put(const struct place *place, const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", place->dir, name);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	return path;
}

static void add(const struct place *place, const char *name, const char *text)
{
	free(put(place, name, text));
}

/* A kubeconfig with context 'c', cluster 'k' and user 'u'. */
static char *put_config(const struct place *place, const char *cluster, const char *user)
{
	auto_free char *text = xasprintf("apiVersion: v1\nkind: Config\ncurrent-context: c\n"
					 "contexts:\n- name: c\n  context: {cluster: k, user: u}\n"
					 "clusters:\n- name: k\n  cluster: {%s}\n"
					 "users:\n- name: u\n  user: {%s}\n",
		cluster, user);

	return put(place, "config", text);
}

static struct kube_config *load(const char *file, const char *context)
{
	struct error err = ERROR_INIT;
	struct kube_config *config = NULL;

	if (kube_config_load(&config, file, context, &err) < 0)
		fail_msg("%s", err.text);
	return config;
}

/* %s in message stands for the directory of the test. */
static void assert_refuses(const struct place *place, const char *file, const char *context, const char *message, const char *hint)
{
	struct error err = ERROR_INIT;
	struct kube_config *config = NULL;
	auto_strbuf struct strbuf expected = STRBUF_INIT;
	const char *mark = strstr(message, "%s");

	strbuf_add(&expected, message, mark ? (size_t)(mark - message) : strlen(message));
	if (mark) {
		strbuf_adds(&expected, place->dir);
		strbuf_adds(&expected, mark + 2);
	}
	assert_int_equal(kube_config_load(&config, file, context, &err), -1);
	assert_string_equal(err.text, expected.buf);
	assert_int_equal(err.code, ERR_USAGE);
	assert_null(config);
	if (hint)
		assert_non_null(strstr(err.hint, hint));
}

static void assert_refuses_config(const struct place *place, const char *cluster, const char *user, const char *message)
{
	auto_free char *file = put_config(place, cluster, user);

	assert_refuses(place, file, NULL, message, NULL);
}

#define SERVER "server: 'https://h:6443'"

/* ---- what is accepted ---- */

static void test_reads_data_and_token(void **state)
{
	auto_free char *file = put_config(
		*state, "server: 'https://h:6443/', certificate-authority-data: " PEM_BASE64 ", tls-server-name: other", "token: t0k");
	struct kube_config *config = load(file, NULL);
	auto_free char *source = xasprintf("context 'c' of %s", file);

	assert_string_equal(config->server, "https://h:6443");
	assert_string_equal(config->ca, PEM_TEXT);
	assert_string_equal(config->server_name, "other");
	assert_string_equal(config->token, "t0k");
	assert_null(config->cert);
	assert_null(config->token_file);
	assert_false(config->insecure);
	assert_string_equal(config->namespace_, "default");
	assert_string_equal(config->source, source);
	kube_config_free(config);
}

/* Paths are relative to the file that names them, not to where the process runs. */
static void test_reads_files_beside_the_config(void **state)
{
	auto_free char *key = put(*state, "key.pem", PEM_TEXT "key");
	auto_free char *user = xasprintf("client-certificate: cert.pem, client-key: %s", key);
	auto_free char *file = put_config(*state, SERVER ", certificate-authority: ca.pem", user);
	struct kube_config *config = NULL;

	add(*state, "ca.pem", PEM_TEXT "ca");
	add(*state, "cert.pem", PEM_TEXT "cert");
	config = load(file, NULL);
	assert_string_equal(config->ca, PEM_TEXT "ca");
	assert_string_equal(config->cert, PEM_TEXT "cert");
	assert_string_equal(config->key, PEM_TEXT "key");
	kube_config_free(config);
}

static void test_data_wins_over_file(void **state)
{
	auto_free char *file =
		put_config(*state, SERVER ", certificate-authority: gone.pem, certificate-authority-data: " PEM_BASE64, "token: t");
	struct kube_config *config = load(file, NULL);

	assert_string_equal(config->ca, PEM_TEXT);
	kube_config_free(config);
}

static void test_token_file_wins_over_token(void **state)
{
	auto_free char *token = put(*state, "token", "fresh\n");
	auto_free char *file = put_config(*state, SERVER, "token: old, tokenFile: token");
	struct kube_config *config = load(file, NULL);

	assert_null(config->token);
	assert_string_equal(config->token_file, token);
	kube_config_free(config);
}

static void test_reads_json(void **state)
{
	auto_free char *file = put(*state, "config.json",
		"{\"current-context\":\"c\",\"contexts\":[{\"name\":\"c\",\"context\":{\"cluster\":\"k\",\"namespace\":\"ns\"}}],"
		"\"clusters\":[{\"name\":\"k\",\"cluster\":{\"server\":\"https://h\",\"insecure-skip-tls-verify\":true}}],\"users\":null}");
	struct kube_config *config = load(file, NULL);

	assert_true(config->insecure);
	assert_string_equal(config->namespace_, "ns");
	assert_null(config->token);
	kube_config_free(config);
}

/* kubectl's rule: names are merged over the files of KUBECONFIG, and the first file that has a name wins; files that are not there do not count. */
static void test_merges_files_first_wins(void **state)
{
	const struct place *place = *state;
	auto_free char *first = put(place, "a",
		"contexts:\n- {name: c, context: {cluster: k, user: u}}\n"
		"clusters:\n- {name: k, cluster: {server: 'https://first'}}\n");
	auto_free char *second = put(place, "b",
		"current-context: c\ncontexts:\n- {name: c, context: {cluster: none}}\n- {name: d, context: {cluster: k2}}\n"
		"clusters:\n- {name: k, cluster: {server: 'https://second'}}\n- {name: k2, cluster: {server: 'https://third'}}\n"
		"users:\n- {name: u, user: {token: t}}\n");
	auto_free char *list = xasprintf("%s/gone::%s:%s", place->dir, first, second);
	struct kube_config *config = NULL;

	assert_int_equal(setenv("KUBECONFIG", list, 1), 0);
	config = load(NULL, NULL);
	assert_string_equal(config->server, "https://first");
	assert_string_equal(config->token, "t");
	kube_config_free(config);
	config = load(NULL, "d");
	assert_string_equal(config->server, "https://third");
	kube_config_free(config);
}

static void test_reads_home(void **state)
{
	const struct place *place = *state;
	auto_free char *kube = xasprintf("%s/.kube", place->dir);
	auto_free char *file = put_config(place, SERVER, "token: t");
	auto_free char *home = xasprintf("%s/config", kube);
	struct kube_config *config = NULL;

	assert_int_equal(mkdir(kube, 0700), 0);
	assert_int_equal(rename(file, home), 0);
	assert_int_equal(setenv("HOME", place->dir, 1), 0);
	config = load(NULL, NULL);
	assert_string_equal(config->server, "https://h:6443");
	kube_config_free(config);
}

static void test_plain_http_on_loopback_may_carry_a_token(void **state)
{
	auto_free char *file = put_config(*state, "server: 'http://127.0.0.1:8080'", "token: t");

	kube_config_free(load(file, NULL));
}

/* ---- in the pod ---- */

static void test_uses_the_service_account_in_a_pod(void **state)
{
	const struct place *place = *state;
	auto_free char *token = put(place, "token", "t\n");
	struct kube_config *config = NULL;

	add(place, "ca.crt", PEM_TEXT);
	add(place, "namespace", "backup");
	assert_int_equal(setenv("RHAII_DR_TEST_SERVICEACCOUNT", place->dir, 1), 0);
	assert_int_equal(setenv("KUBERNETES_SERVICE_HOST", "fd00::1", 1), 0);
	assert_int_equal(setenv("KUBERNETES_SERVICE_PORT", "443", 1), 0);
	config = load(NULL, NULL);
	assert_string_equal(config->server, "https://[fd00::1]:443");
	assert_string_equal(config->token_file, token);
	assert_string_equal(config->namespace_, "backup");
	assert_string_equal(config->source, "in-cluster service account");
	kube_config_free(config);
}

static void test_a_pod_without_account_is_told_so(void **state)
{
	const struct place *place = *state;

	assert_int_equal(setenv("RHAII_DR_TEST_SERVICEACCOUNT", place->dir, 1), 0);
	assert_int_equal(setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1", 1), 0);
	assert_refuses(place, NULL, NULL, "KUBERNETES_SERVICE_HOST is set but KUBERNETES_SERVICE_PORT is not", NULL);
	assert_int_equal(setenv("KUBERNETES_SERVICE_PORT", "443", 1), 0);
	assert_refuses(place, NULL, NULL, "in-cluster service account: '%s/token' does not exist", "automountServiceAccountToken");
}

/* ---- what is refused ---- */

static void test_refuses_missing_files(void **state)
{
	const struct place *place = *state;
	auto_free char *gone = xasprintf("%s/gone", place->dir);

	assert_refuses(place, gone, NULL, "kubeconfig '%s/gone' does not exist", NULL);
	assert_refuses(place, NULL, NULL, "there is no kubeconfig", "--kubeconfig");
	assert_refuses(place, NULL, "prod", "there is no kubeconfig to find context 'prod' in", "--kubeconfig");
	assert_refuses_config(place, SERVER ", certificate-authority: /no.pem", "token: t",
		"certificate-authority of cluster 'k' in '%s/config': no such file: '/no.pem'");
}

static void test_refuses_missing_names(void **state)
{
	const struct place *place = *state;
	auto_free char *file = put_config(place, SERVER, "token: t");
	auto_free char *none = put(place, "none", "contexts:\n- {name: a, context: {}}\n- {name: b, context: {cluster: x}}\n");

	assert_refuses(place, file, "prod", "the kubeconfig has no context 'prod'", "it has 'c'");
	assert_refuses(place, none, NULL, "the kubeconfig '%s/none' has no current-context", "--context: 'a', 'b'");
	assert_refuses(place, none, "a", "context 'a' in '%s/none' names no cluster", NULL);
	assert_refuses(place, none, "b", "the kubeconfig has no cluster 'x'", "has no clusters");
}

static void test_refuses_what_is_not_supported(void **state)
{
	assert_refuses_config(
		*state, SERVER, "exec: {command: gke-gcloud-auth-plugin}", "user 'u' in '%s/config' uses exec, which is not supported yet");
	assert_refuses_config(
		*state, SERVER, "auth-provider: {name: oidc}", "user 'u' in '%s/config' uses auth-provider, which is not supported yet");
	assert_refuses_config(*state, SERVER, "username: me", "user 'u' in '%s/config' uses username, which is not supported yet");
	assert_refuses_config(*state, SERVER, "password: x", "user 'u' in '%s/config' uses password, which is not supported yet");
	assert_refuses_config(*state, SERVER, "token: t, as: root", "user 'u' in '%s/config' uses as, which is not supported yet");
	assert_refuses_config(
		*state, SERVER, "token: t, as-groups: [g]", "user 'u' in '%s/config' uses as-groups, which is not supported yet");
	assert_refuses_config(*state, SERVER ", proxy-url: 'http://p'", "token: t",
		"cluster 'k' in '%s/config' uses proxy-url, which is not supported yet");
}

static void test_refuses_contradictions(void **state)
{
	assert_refuses_config(*state, SERVER ", insecure-skip-tls-verify: true, certificate-authority-data: " PEM_BASE64, "token: t",
		"cluster 'k' in '%s/config' has both a certificate-authority and insecure-skip-tls-verify");
	assert_refuses_config(*state, SERVER, "client-certificate-data: " PEM_BASE64,
		"user 'u' in '%s/config' has a client-certificate without its client-key");
	assert_refuses_config(
		*state, SERVER, "client-key-data: " PEM_BASE64, "user 'u' in '%s/config' has a client-key without its client-certificate");
}

static void test_refuses_bad_servers(void **state)
{
	static const char *const servers[] = {
		"h:6443", "ftp://h", "https://", "https://user@h", "https://h?x", "https://h#x", "https://h h", NULL};

	assert_refuses_config(*state, "certificate-authority-data: " PEM_BASE64, "token: t", "cluster 'k' in '%s/config' has no server");
	for (const char *const *server = servers; *server; server++) {
		auto_free char *cluster = xasprintf("server: '%s'", *server);

		assert_refuses_config(*state, cluster, "token: t", "server of cluster 'k' in '%s/config' is not a URL of an API server");
	}
	assert_refuses_config(*state, "server: 'http://h:80'", "token: t", "server 'http://h:80' would get the token over plain HTTP");
	assert_refuses_config(*state, "server: 'http://127.evil.example'", "token: t",
		"server 'http://127.evil.example' would get the token over plain HTTP");
}

static void test_refuses_bad_values(void **state)
{
	assert_refuses_config(*state, SERVER ", insecure-skip-tls-verify: 1", "token: t",
		"insecure-skip-tls-verify of cluster 'k' in '%s/config' is neither true nor false");
	assert_refuses_config(*state, SERVER, "token: 123", "token of user 'u' in '%s/config' is not text");
	assert_refuses_config(
		*state, SERVER, "token: 'a b'", "token of user 'u' in '%s/config' has blanks or other characters that no token has");
	assert_refuses_config(*state, SERVER, "tokenFile: /gone", "tokenFile '/gone' of user 'u' in '%s/config' does not exist");
	assert_refuses_config(*state, SERVER ", certificate-authority-data: '@@'", "token: t",
		"certificate-authority-data of cluster 'k' in '%s/config': not base64: unexpected character at offset 0");
	assert_refuses_config(*state, SERVER ", certificate-authority-data: Zm9v", "token: t",
		"certificate-authority-data of cluster 'k' in '%s/config' is not PEM");
}

/* The key itself is in the text that cannot be parsed: the message must not repeat it. */
static void test_never_shows_a_key(void **state)
{
	auto_free char *file = put_config(*state, SERVER, "client-key-data: c2VjcmV0, client-certificate-data: " PEM_BASE64);
	struct error err = ERROR_INIT;
	struct kube_config *config = NULL;

	assert_int_equal(kube_config_load(&config, file, NULL, &err), -1);
	assert_null(strstr(err.text, "c2VjcmV0"));
	assert_null(strstr(err.text, "secret"));
}

/* A plain 0123456 is a string for one YAML reader and a number for the other. It may be a token, too. */
static void test_ambiguous_yaml_says_to_quote(void **state)
{
	auto_free char *file = put_config(*state, SERVER, "token: 0123456");

	assert_refuses(*state, file, NULL, "kubeconfig '%s/config': line 12, column 17: must be quoted", "in quotes");
}

static void test_refuses_what_is_no_map(void **state)
{
	const struct place *place = *state;
	auto_free char *list = put(place, "list", "- a\n");
	auto_free char *flat = put(
		place, "flat", "current-context: c\ncontexts:\n- {name: c, context: {cluster: k}}\nclusters:\n- {name: k, cluster: x}\n");

	assert_refuses(place, list, NULL, "kubeconfig '%s/list' is not a map", NULL);
	assert_refuses(place, flat, NULL, "cluster 'k' in '%s/flat' is not a map", NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_reads_data_and_token),
		TEST(test_reads_files_beside_the_config),
		TEST(test_data_wins_over_file),
		TEST(test_token_file_wins_over_token),
		TEST(test_reads_json),
		TEST(test_merges_files_first_wins),
		TEST(test_reads_home),
		TEST(test_plain_http_on_loopback_may_carry_a_token),
		TEST(test_uses_the_service_account_in_a_pod),
		TEST(test_a_pod_without_account_is_told_so),
		TEST(test_refuses_missing_files),
		TEST(test_refuses_missing_names),
		TEST(test_refuses_what_is_not_supported),
		TEST(test_refuses_contradictions),
		TEST(test_refuses_bad_servers),
		TEST(test_refuses_bad_values),
		TEST(test_never_shows_a_key),
		TEST(test_ambiguous_yaml_says_to_quote),
		TEST(test_refuses_what_is_no_map),
	};

	return cmocka_run_group_tests_name("kube_kubeconfig", tests, NULL, NULL);
}
