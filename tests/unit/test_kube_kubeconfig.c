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

/* ---- proxy ---- */

static void assert_proxy(const struct place *place, const char *url, const char *expected)
{
	auto_free char *cluster = xasprintf(SERVER ", proxy-url: '%s'", url);
	auto_free char *file = put_config(place, cluster, "token: t");
	struct kube_config *config = load(file, NULL);

	assert_string_equal(config->proxy, expected);
	kube_config_free(config);
}

static void test_reads_a_proxy(void **state)
{
	assert_proxy(*state, "http://p:3128", "http://p:3128");
	assert_proxy(*state, "https://me:secret@p", "https://me:secret@p");
	assert_proxy(*state, "socks5://p:1080", "socks5://p:1080");
	assert_proxy(*state, "socks5h://p", "socks5h://p");
}

/* A password may be in it. */
static void test_a_wrong_proxy_is_not_shown(void **state)
{
	static const char *const urls[] = {"ftp://me:secret@p", "p:3128", "http://", "socks4://p", "http://p x", NULL};

	for (const char *const *url = urls; *url; url++) {
		auto_free char *cluster = xasprintf(SERVER ", proxy-url: '%s'", *url);

		assert_refuses_config(*state, cluster, "token: t", "proxy-url of cluster 'k' in '%s/config' is not a URL of a proxy");
	}
}

/* ---- impersonation ---- */

static void test_reads_impersonation_as_headers(void **state)
{
	static const char *const expected[] = {"Impersonate-User: system:serviceaccount:a:b", "Impersonate-Uid: 7", "Impersonate-Group: g1",
		"Impersonate-Group: g 2", "Impersonate-Extra-a%2Fb%25: yes!", "Impersonate-Extra-reason: x", NULL};
	auto_free char *file = put_config(*state, SERVER,
		"token: t, as: 'system:serviceaccount:a:b', as-uid: '7', as-groups: [g1, g 2], as-user-extra: {reason: [x], 'a/b%': "
		"[yes!]}");
	struct kube_config *config = load(file, NULL);

	for (size_t i = 0; expected[i]; i++)
		assert_string_equal(config->impersonate.items[i], expected[i]);
	assert_int_equal(config->impersonate.count, 6);
	kube_config_free(config);
}

static void test_refuses_wrong_impersonation(void **state)
{
	assert_refuses_config(*state, SERVER, "token: t, as-groups: [g]",
		"user 'u' in '%s/config' impersonates a uid, groups or extra attributes without a user");
	assert_refuses_config(
		*state, SERVER, "token: t, as: \"a\\r\\nX-Other: b\"", "as of user 'u' in '%s/config' holds what is not text of one line");
	assert_refuses_config(*state, SERVER, "token: t, as: 7", "as of user 'u' in '%s/config' holds what is not text of one line");
	assert_refuses_config(*state, SERVER, "token: t, as: a, as-groups: g", "as-groups of user 'u' in '%s/config' is not a list");
	assert_refuses_config(*state, SERVER, "token: t, as: a, as-groups: ['']",
		"as-groups of user 'u' in '%s/config' holds what is not text of one line");
	assert_refuses_config(
		*state, SERVER, "token: t, as: a, as-user-extra: [x]", "as-user-extra of user 'u' in '%s/config' is not a map of lists");
	assert_refuses_config(
		*state, SERVER, "token: t, as: a, as-user-extra: {k: x}", "as-user-extra of user 'u' in '%s/config' is not a list");
}

/* ---- exec plugins ---- */

#define V1 "apiVersion: client.authentication.k8s.io/v1"

static void test_reads_an_exec_plugin(void **state)
{
	const struct place *place = *state;
	auto_free char *file = put_config(place, SERVER,
		"exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: gke, args: [a b, '--x'], "
		"env: [{name: A, value: 'b=c'}], installHint: get it, interactiveMode: IfAvailable}");
	auto_free char *user = xasprintf("user 'u' in '%s'", file);
	struct kube_config *config = load(file, NULL);

	assert_string_equal(config->exec->api_version, "client.authentication.k8s.io/v1beta1");
	assert_string_equal(config->exec->command, "gke");
	assert_int_equal(config->exec->args.count, 2);
	assert_string_equal(config->exec->args.items[0], "a b");
	assert_string_equal(config->exec->variables.items[0], "A=b=c");
	assert_string_equal(config->exec->install_hint, "get it");
	assert_string_equal(config->exec->user, user);
	assert_null(config->exec->cluster);
	kube_config_free(config);
}

/* As the other paths of a kubeconfig. A name without '/' is one for the PATH. */
static void test_a_plugin_is_relative_to_the_file_that_names_it(void **state)
{
	const struct place *place = *state;
	auto_free char *file = put_config(place, SERVER, "exec: {" V1 ", command: ./bin/plugin}");
	auto_free char *expected = xasprintf("%s/bin/plugin", place->dir);
	struct kube_config *config = load(file, NULL);

	assert_string_equal(config->exec->command, expected);
	kube_config_free(config);
}

static void test_a_plugin_is_told_the_cluster_when_it_wants_to_know(void **state)
{
	auto_free char *file = put_config(*state,
		SERVER ", certificate-authority-data: " PEM_BASE64 ", tls-server-name: nn, proxy-url: 'socks5://p:1', "
		       "extensions: [{name: other, extension: 1}, {name: client.authentication.k8s.io/exec, extension: {a: [b]}}]",
		"exec: {" V1 ", command: x, provideClusterInfo: true}");
	struct kube_config *config = load(file, NULL);
	json_t *expected = json_pack("{s:s, s:s, s:s, s:s, s:{s:[s]}}", "server", "https://h:6443", "certificate-authority-data",
		PEM_BASE64, "tls-server-name", "nn", "proxy-url", "socks5://p:1", "config", "a", "b");

	assert_true(json_equal(config->exec->cluster, expected));
	json_decref(expected);
	kube_config_free(config);
}

/* As in kubectl: who gave a token does not want to be asked. */
static void test_a_token_wins_over_a_plugin(void **state)
{
	auto_free char *file = put_config(*state, SERVER, "token: t, exec: {" V1 ", command: x}");
	struct kube_config *config = load(file, NULL);

	assert_null(config->exec);
	assert_string_equal(config->token, "t");
	kube_config_free(config);
}

static void assert_refuses_exec(const struct place *place, const char *exec, const char *message)
{
	auto_free char *user = xasprintf("exec: {%s}", exec);

	assert_refuses_config(place, SERVER, user, message);
}

static void test_refuses_wrong_plugins(void **state)
{
	assert_refuses_config(*state, SERVER, "exec: x", "exec of user 'u' in '%s/config' is not a map");
	assert_refuses_exec(*state, "command: x", "apiVersion of the exec plugin of user 'u' in '%s/config' is missing");
	assert_refuses_exec(*state, "apiVersion: client.authentication.k8s.io/v1alpha1, command: x",
		"apiVersion of the exec plugin of user 'u' in '%s/config' is not one that is known");
	assert_refuses_exec(*state, V1, "command of the exec plugin of user 'u' in '%s/config' is missing");
	assert_refuses_exec(*state, V1 ", command: x, args: word", "args of the exec plugin of user 'u' in '%s/config' is not a list");
	assert_refuses_exec(
		*state, V1 ", command: x, args: [1]", "args of the exec plugin of user 'u' in '%s/config' holds what is not text");
	assert_refuses_exec(*state, V1 ", command: x, env: {A: b}", "env of the exec plugin of user 'u' in '%s/config' is not a list");
	assert_refuses_exec(*state, V1 ", command: x, env: [{name: A=, value: b}]",
		"env of the exec plugin of user 'u' in '%s/config' holds what is not a name and a value, both text");
	assert_refuses_exec(*state, V1 ", command: x, interactiveMode: Always",
		"interactiveMode of the exec plugin of user 'u' in '%s/config' is Always, but nobody is there to answer the plugin");
	assert_refuses_exec(*state, V1 ", command: x, interactiveMode: Maybe",
		"interactiveMode of the exec plugin of user 'u' in '%s/config' is none of Never, IfAvailable, Always");
	assert_refuses_exec(*state, V1 ", command: x, provideClusterInfo: 1",
		"provideClusterInfo of the exec plugin of user 'u' in '%s/config' is neither true nor false");
	assert_refuses_config(
		*state, "server: 'http://h:80'", "exec: {" V1 ", command: x}", "server 'http://h:80' would get the token over plain HTTP");
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

static void test_refuses_what_nobody_accepts_any_more(void **state)
{
	assert_refuses_config(*state, SERVER, "auth-provider: {name: oidc}",
		"user 'u' in '%s/config' uses auth-provider, which kubectl has dropped in 1.26 in favour of exec plugins");
	assert_refuses_config(*state, SERVER, "username: me",
		"user 'u' in '%s/config' uses username, which no API server has accepted since Kubernetes 1.19");
	assert_refuses_config(*state, SERVER, "password: x",
		"user 'u' in '%s/config' uses password, which no API server has accepted since Kubernetes 1.19");
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
		TEST(test_reads_a_proxy),
		TEST(test_a_wrong_proxy_is_not_shown),
		TEST(test_reads_impersonation_as_headers),
		TEST(test_refuses_wrong_impersonation),
		TEST(test_reads_an_exec_plugin),
		TEST(test_a_plugin_is_relative_to_the_file_that_names_it),
		TEST(test_a_plugin_is_told_the_cluster_when_it_wants_to_know),
		TEST(test_a_token_wins_over_a_plugin),
		TEST(test_refuses_wrong_plugins),
		TEST(test_refuses_what_nobody_accepts_any_more),
		TEST(test_refuses_contradictions),
		TEST(test_refuses_bad_servers),
		TEST(test_refuses_bad_values),
		TEST(test_never_shows_a_key),
		TEST(test_ambiguous_yaml_says_to_quote),
		TEST(test_refuses_what_is_no_map),
	};

	return cmocka_run_group_tests_name("kube_kubeconfig", tests, NULL, NULL);
}
