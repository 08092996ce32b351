/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/kubeconfig.h"

#include <stdlib.h>
#include <string.h>

#include "kubeconfig_internal.h"
#include "secret.h"
#include "util/env.h"
#include "util/error.h"
#include "util/file.h"
#include "util/strbuf.h"

#define ACCOUNT_FILE_MAX (1U << 20)
#define SERVICE_ACCOUNT_DIR "/var/run/secrets/kubernetes.io/serviceaccount"

void kube_exec_free(struct kube_exec *exec)
{
	if (!exec)
		return;
	free(exec->user);
	free(exec->api_version);
	free(exec->command);
	secret_list_release(&exec->args);
	secret_list_release(&exec->variables);
	free(exec->install_hint);
	secret_json_release(&exec->cluster);
	free(exec);
}

void kube_config_free(struct kube_config *config)
{
	if (!config)
		return;
	free(config->server);
	secret_free(&config->proxy);
	free(config->ca);
	secret_free(&config->cert);
	secret_free(&config->key);
	secret_free(&config->token);
	free(config->token_file);
	kube_exec_free(config->exec);
	strlist_release(&config->impersonate);
	free(config->server_name);
	free(config->namespace_);
	free(config->source);
	free(config->file);
	free(config->context);
	free(config);
}

static void config_cleanup(struct kube_config **config)
{
	kube_config_free(*config);
}

#define auto_config __attribute__((cleanup(config_cleanup)))

/* ---- cluster ---- */

bool is_loopback(const char *host)
{
	static const char *const names[] = {"127.", "localhost", "[::1]"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		size_t len = strlen(names[i]);
		char end = '\0';

		if (strncmp(host, names[i], len) != 0)
			continue;
		end = host[len];
		/* "127." is followed by digits and dots, never by a name: 127.evil.example is not loopback. */
		if (i == 0)
			end = host[len + strspn(host + len, "0123456789.")];
		if (end == '\0' || end == ':' || end == '/')
			return true;
	}
	return false;
}

static int server_check(const char *server, const struct entry *entry, struct error *err)
{
	const char *host = NULL;

	if (strncmp(server, "https://", 8) == 0)
		host = server + 8;
	else if (strncmp(server, "http://", 7) == 0)
		host = server + 7;
	if (!host || !*host || strpbrk(host, "?#@ \t\r\n")) {
		error_set(err, ERR_USAGE, "server of cluster '%s' in '%s' is not a URL of an API server", entry->name, entry->layer->path);
		return error_hint(err, "it looks like https://HOST:PORT, without user, query or fragment");
	}
	return 0;
}

static int cluster_server(struct kube_config *config, const struct entry *entry, struct error *err)
{
	const char *server = NULL;
	size_t len = 0;

	if (entry_text(entry, "server", &server, err) < 0)
		return -1;
	if (!server)
		return error_set(err, ERR_USAGE, "cluster '%s' in '%s' has no server", entry->name, entry->layer->path);
	if (server_check(server, entry, err) < 0)
		return -1;
	len = strlen(server);
	while (len > 0 && server[len - 1] == '/')
		len--;
	config->server = xstrndup(server, len);
	return 0;
}

static const char *const proxy_schemes[] = {"http://", "https://", "socks5://", "socks5h://"};

/* No message shows the URL: a password may be in it. */
static int cluster_proxy(struct kube_config *config, const struct entry *entry, struct error *err)
{
	const char *url = NULL;

	if (entry_text(entry, "proxy-url", &url, err) < 0)
		return -1;
	for (size_t i = 0; url && i < sizeof(proxy_schemes) / sizeof(*proxy_schemes); i++) {
		size_t len = strlen(proxy_schemes[i]);

		if (strncmp(url, proxy_schemes[i], len) == 0 && url[len] && !strpbrk(url + len, "?# \t\r\n"))
			config->proxy = xstrdup(url);
	}
	if (!url || config->proxy)
		return 0;
	(void)entry_fault(entry, "proxy-url", "is not a URL of a proxy", err);
	return error_hint(err, "it looks like http://HOST:PORT, https://HOST:PORT or socks5://HOST:PORT");
}

static int cluster_load(struct kube_config *config, const struct entry *entry, struct error *err)
{
	const char *name = NULL;

	if (cluster_server(config, entry, err) < 0 ||
		entry_pem(entry, "certificate-authority", "certificate-authority-data", &config->ca, err) < 0 ||
		entry_flag(entry, "insecure-skip-tls-verify", &config->insecure, err) < 0 ||
		entry_text(entry, "tls-server-name", &name, err) < 0 || cluster_proxy(config, entry, err) < 0)
		return -1;
	if (config->insecure && config->ca) {
		error_set(err, ERR_USAGE, "cluster '%s' in '%s' has both a certificate-authority and insecure-skip-tls-verify", entry->name,
			entry->layer->path);
		return error_hint(err, "remove insecure-skip-tls-verify");
	}
	config->server_name = xstrdup(name);
	return 0;
}

/* ---- credentials ---- */

/* Over plain HTTP anybody on the way can take the token. */
static int credentials_check(const struct kube_config *config, struct error *err)
{
	bool any = config->token || config->token_file || config->exec;

	if (strncmp(config->server, "http://", 7) != 0 || is_loopback(config->server + 7) || !any)
		return 0;
	error_set(err, ERR_USAGE, "server '%s' would get the token over plain HTTP", config->server);
	return error_hint(err, "use https");
}

/* ---- the two ways ---- */

static int load_context(struct kube_config *config, const struct layers *layers, const char *wanted, struct error *err)
{
	struct entry context = {.what = "context"};
	struct entry cluster = {.what = "cluster"};
	struct entry user = {.what = "user"};
	const char *space = NULL;

	if (layers_context(layers, wanted, &context.name, err) < 0 || entry_find(layers, "contexts", &context, err) < 0 ||
		entry_text(&context, "cluster", &cluster.name, err) < 0 || entry_text(&context, "user", &user.name, err) < 0 ||
		entry_text(&context, "namespace", &space, err) < 0)
		return -1;
	config->source = xasprintf("context '%s' of %s", context.name, context.layer->path);
	config->file = xstrdup(context.layer->path);
	config->context = xstrdup(context.name);
	config->namespace_ = xstrdup(space ? space : "default");
	if (!cluster.name)
		return error_set(err, ERR_USAGE, "context '%s' in '%s' names no cluster", context.name, context.layer->path);
	if (entry_find(layers, "clusters", &cluster, err) < 0 || cluster_load(config, &cluster, err) < 0)
		return -1;
	/* No user: anonymous, as for kubectl. */
	if (user.name && (entry_find(layers, "users", &user, err) < 0 || user_load(config, &user, &cluster, err) < 0))
		return -1;
	return credentials_check(config, err);
}

static int account_file(const char *name, char **out, struct error *err)
{
	const char *dir = env_get("RHAII_DR_TEST_SERVICEACCOUNT");
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_free char *path = xasprintf("%s/%s", dir ? dir : SERVICE_ACCOUNT_DIR, name);

	if (file_read(path, ACCOUNT_FILE_MAX, &text, err) < 0)
		return -1;
	while (text.len > 0 && strchr(" \t\r\n", text.buf[text.len - 1]))
		strbuf_truncate(&text, text.len - 1);
	*out = xstrndup(text.buf, text.len);
	return 0;
}

static int account_wrap(struct error *err)
{
	err->code = ERR_USAGE;
	error_wrap(err, "in-cluster service account");
	return error_hint(err, "the pod needs a service account and automountServiceAccountToken: true");
}

static int account_server(struct kube_config *config, const char *host, struct error *err)
{
	const char *port = env_get("KUBERNETES_SERVICE_PORT");

	if (!port)
		return error_set(err, ERR_USAGE, "KUBERNETES_SERVICE_HOST is set but KUBERNETES_SERVICE_PORT is not");
	config->server = strchr(host, ':') ? xasprintf("https://[%s]:%s", host, port) : xasprintf("https://%s:%s", host, port);
	return 0;
}

static int load_account(struct kube_config *config, const char *host, struct error *err)
{
	const char *dir = env_get("RHAII_DR_TEST_SERVICEACCOUNT");

	if (account_server(config, host, err) < 0)
		return -1;
	config->source = xstrdup("in-cluster service account");
	config->token_file = xasprintf("%s/token", dir ? dir : SERVICE_ACCOUNT_DIR);
	if (!file_exists(config->token_file)) {
		error_set(err, ERR_USAGE, "'%s' does not exist", config->token_file);
		return account_wrap(err);
	}
	if (account_file("ca.crt", &config->ca, err) < 0)
		return account_wrap(err);
	if (account_file("namespace", &config->namespace_, err) == 0)
		return 0;
	if (err->code != ERR_NOT_FOUND)
		return account_wrap(err);
	error_clear(err);
	config->namespace_ = xstrdup("default");
	return 0;
}

static int load_without_file(struct kube_config *config, const char *context, struct error *err)
{
	const char *host = env_get("KUBERNETES_SERVICE_HOST");

	if (host && !context)
		return load_account(config, host, err);
	if (context)
		error_set(err, ERR_USAGE, "there is no kubeconfig to find context '%s' in", context);
	else
		error_set(err, ERR_USAGE, "there is no kubeconfig");
	return error_hint(err, "pass --kubeconfig FILE or set KUBECONFIG");
}

int kube_config_load(struct kube_config **out, const char *file, const char *context, struct error *err)
{
	auto_layers struct layers layers = {0};
	auto_config struct kube_config *config = xcalloc(1, sizeof(*config));
	int result = 0;

	if (layers_load(&layers, file, err) < 0)
		return -1;
	if (layers.count == 0)
		result = load_without_file(config, context, err);
	else
		result = load_context(config, &layers, context, err);
	if (result < 0)
		return -1;
	*out = config;
	config = NULL;
	return 0;
}
