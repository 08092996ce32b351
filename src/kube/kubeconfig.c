/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/kubeconfig.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "util/base64.h"
#include "util/env.h"
#include "util/error.h"
#include "util/file.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"
#include "util/yaml.h"

#define CONFIG_MAX (4U << 20)
#define PEM_MAX (1U << 20)
#define SECRET_ROOM ((size_t)256 << 10) /* so that a buffer with a key in it does not move, and can be wiped where it is */
#define SERVICE_ACCOUNT_DIR "/var/run/secrets/kubernetes.io/serviceaccount"

/* One kubeconfig file; what it names is relative to dir. */
struct layer {
	char *path;
	char *dir;
	json_t *doc;
};

/* The files in the order of KUBECONFIG. They are not merged into one: the first that has a name wins, and keeps its directory. */
struct layers {
	struct layer *items;
	size_t count, cap;
};

/* A named cluster, user or context and where it was found. */
struct entry {
	const char *what; /* "cluster", for messages */
	const char *name;
	const json_t *body; /* NULL: the context names none */
	const struct layer *layer;
};

static void wipe_free(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

#define auto_wipe __attribute__((cleanup(wipe_free)))

static void strbuf_wipe(struct strbuf *sb)
{
	if (sb->cap > 0 && sb->buf)
		explicit_bzero(sb->buf, sb->cap);
	strbuf_release(sb);
}

#define auto_wiped_strbuf __attribute__((cleanup(strbuf_wipe)))

void kube_config_free(struct kube_config *config)
{
	if (!config)
		return;
	free(config->server);
	free(config->ca);
	wipe_free(&config->cert);
	wipe_free(&config->key);
	wipe_free(&config->token);
	free(config->token_file);
	free(config->server_name);
	free(config->namespace_);
	free(config->source);
	free(config);
}

static void config_cleanup(struct kube_config **config)
{
	kube_config_free(*config);
}

#define auto_config __attribute__((cleanup(config_cleanup)))

static void layers_release(struct layers *layers)
{
	for (size_t i = 0; i < layers->count; i++) {
		free(layers->items[i].path);
		free(layers->items[i].dir);
		json_decref(layers->items[i].doc);
	}
	free(layers->items);
}

#define auto_layers __attribute__((cleanup(layers_release)))

/* ---- reading the files ---- */

static char *directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return xstrdup(".");
	return slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
}

/* The reader shows the value that it stumbled on; here that may be a token, so it is cut out. */
static void yaml_fault(const char *path, struct error *err)
{
	struct error fault = *err;
	char *first = strchr(fault.text, '\'');
	char *last = strrchr(fault.text, '\'');

	if (first && last != first) {
		last += 1 + (last[1] == ' ');
		memmove(first, last, strlen(last) + 1);
	}
	error_set(err, ERR_USAGE, "kubeconfig '%s': %s", path, fault.text);
	if (strstr(fault.text, "must be quoted"))
		error_hint(err, "put the value in quotes: YAML readers disagree about a plain yes, no, on, off, 010 or 1:30");
}

static json_t *document_read(const char *path, struct error *err)
{
	auto_wiped_strbuf struct strbuf text = STRBUF_INIT;
	json_t *doc = NULL;

	(void)strbuf_reserve(&text, SECRET_ROOM);
	if (file_read(path, CONFIG_MAX, &text, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			err->code = ERR_USAGE;
		return NULL;
	}
	doc = yaml_read(text.buf, text.len, err);
	if (!doc) {
		yaml_fault(path, err);
		return NULL;
	}
	if (!json_is_object(doc) && !json_is_null(doc)) {
		json_decref(doc);
		error_set(err, ERR_USAGE, "kubeconfig '%s' is not a map", path);
		return NULL;
	}
	return doc;
}

static int layers_add(struct layers *layers, const char *path, struct error *err)
{
	json_t *doc = document_read(path, err);

	if (!doc)
		return -1;
	layers->items = xgrow(layers->items, &layers->cap, layers->count + 1, sizeof(*layers->items));
	layers->items[layers->count++] = (struct layer){.path = xstrdup(path), .dir = directory_of(path), .doc = doc};
	return 0;
}

/* As layers_add; a file that is not there is no error. */
static int layers_add_existing(struct layers *layers, const char *path, struct error *err)
{
	if (layers_add(layers, path, err) == 0)
		return 0;
	if (err->code != ERR_NOT_FOUND)
		return -1;
	error_clear(err);
	return 0;
}

static int layers_load_listed(struct layers *layers, const char *list, struct error *err)
{
	for (const char *at = list; *at;) {
		size_t len = strcspn(at, ":");
		auto_free char *path = xstrndup(at, len);

		if (len > 0 && layers_add_existing(layers, path, err) < 0)
			return -1;
		at += len + (at[len] == ':');
	}
	return 0;
}

/* Leaves layers empty when there is no file at all. */
static int layers_load(struct layers *layers, const char *file, struct error *err)
{
	const char *list = env_get("KUBECONFIG");
	const char *home = env_get("HOME");
	auto_free char *fallback = NULL;

	if (file) {
		if (layers_add(layers, file, err) == 0)
			return 0;
		if (err->code == ERR_NOT_FOUND)
			return error_set(err, ERR_USAGE, "kubeconfig '%s' does not exist", file);
		return -1;
	}
	if (list)
		return layers_load_listed(layers, list, err);
	if (!home)
		return 0;
	fallback = xasprintf("%s/.kube/config", home);
	return layers_add_existing(layers, fallback, err);
}

/* ---- looking things up ---- */

/* *out is the string at key, NULL when it is missing, null or empty (which kubectl takes for missing). */
static int entry_text(const struct entry *entry, const char *key, const char **out, struct error *err)
{
	json_t *value = json_object_get(entry->body, key);

	*out = NULL;
	if (!value || json_is_null(value))
		return 0;
	if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value)) {
		error_set(err, ERR_USAGE, "%s of %s '%s' in '%s' is not text", key, entry->what, entry->name, entry->layer->path);
		return error_hint(err, "put the value in quotes");
	}
	if (json_string_length(value) > 0)
		*out = json_string_value(value);
	return 0;
}

static int entry_flag(const struct entry *entry, const char *key, bool *out, struct error *err)
{
	json_t *value = json_object_get(entry->body, key);

	*out = json_is_true(value);
	if (!value || json_is_null(value) || json_is_boolean(value))
		return 0;
	return error_set(
		err, ERR_USAGE, "%s of %s '%s' in '%s' is neither true nor false", key, entry->what, entry->name, entry->layer->path);
}

/* A list entry is {name: NAME, cluster|user|context: {...}}. */
static const json_t *layer_find(const struct layer *layer, const char *section, const char *what, const char *name)
{
	size_t i = 0;
	json_t *item = NULL;
	static const char *const empty = "";

	json_array_foreach (json_object_get(layer->doc, section), i, item) {
		const char *has = json_text_at(item, "name", NULL);

		if (strcmp(has ? has : empty, name) == 0)
			return json_object_get(item, what);
	}
	return NULL;
}

static void list_names(const struct layers *layers, const char *section, struct strbuf *out)
{
	for (size_t n = 0; n < layers->count; n++) {
		size_t i = 0;
		json_t *item = NULL;

		json_array_foreach (json_object_get(layers->items[n].doc, section), i, item) {
			const char *name = json_text_at(item, "name", NULL);

			if (name)
				strbuf_addf(out, "%s'%s'", out->len > 0 ? ", " : "", name);
		}
	}
}

static int entry_missing(const struct layers *layers, const char *section, const struct entry *entry, struct error *err)
{
	auto_strbuf struct strbuf names = STRBUF_INIT;

	list_names(layers, section, &names);
	error_set(err, ERR_USAGE, "the kubeconfig has no %s '%s'", entry->what, entry->name);
	if (names.len == 0)
		return error_hint(err, "'%s' has no %s", layers->items[0].path, section);
	return error_hint(err, "it has %s", names.buf);
}

/* entry->what and entry->name are set. */
static int entry_find(const struct layers *layers, const char *section, struct entry *entry, struct error *err)
{
	for (size_t n = 0; n < layers->count; n++) {
		entry->layer = &layers->items[n];
		entry->body = layer_find(entry->layer, section, entry->what, entry->name);
		if (json_is_object(entry->body))
			return 0;
		if (entry->body)
			return error_set(err, ERR_USAGE, "%s '%s' in '%s' is not a map", entry->what, entry->name, entry->layer->path);
	}
	return entry_missing(layers, section, entry, err);
}

static int context_name(const struct layers *layers, const char *wanted, const char **out, struct error *err)
{
	auto_strbuf struct strbuf names = STRBUF_INIT;

	*out = wanted;
	for (size_t n = 0; !*out && n < layers->count; n++) {
		const char *current = json_text_at(layers->items[n].doc, "current-context", NULL);

		*out = current && *current ? current : NULL;
	}
	if (*out)
		return 0;
	error_set(err, ERR_USAGE, "the kubeconfig '%s' has no current-context", layers->items[0].path);
	list_names(layers, "contexts", &names);
	return names.len > 0 ? error_hint(err, "choose one with --context: %s", names.buf) : -1;
}

/* ---- PEM and tokens ---- */

static int pem_check(const char *text, size_t len, const struct entry *entry, const char *key, struct error *err)
{
	if (strlen(text) == len && strstr(text, "-----BEGIN "))
		return 0;
	return error_set(err, ERR_USAGE, "%s of %s '%s' in '%s' is not PEM", key, entry->what, entry->name, entry->layer->path);
}

static char *path_in(const struct layer *layer, const char *path)
{
	return *path == '/' ? xstrdup(path) : xasprintf("%s/%s", layer->dir, path);
}

static int file_wrap(const struct entry *entry, const char *key, struct error *err)
{
	err->code = ERR_USAGE;
	return error_wrap(err, "%s of %s '%s' in '%s'", key, entry->what, entry->name, entry->layer->path);
}

static int pem_from_file(const struct entry *entry, const char *key, const char *path, char **out, struct error *err)
{
	auto_wiped_strbuf struct strbuf text = STRBUF_INIT;
	auto_free char *full = path_in(entry->layer, path);

	(void)strbuf_reserve(&text, SECRET_ROOM);
	if (file_read(full, PEM_MAX, &text, err) < 0)
		return file_wrap(entry, key, err);
	if (pem_check(text.buf, text.len, entry, key, err) < 0)
		return -1;
	*out = xstrndup(text.buf, text.len);
	return 0;
}

static int pem_from_data(const struct entry *entry, const char *key, const char *data, char **out, struct error *err)
{
	auto_wipe char *text = NULL;
	size_t len = 0;

	if (base64_decode(data, strlen(data), &text, &len, err) < 0)
		return file_wrap(entry, key, err);
	if (pem_check(text, len, entry, key, err) < 0)
		return -1;
	*out = text;
	text = NULL;
	return 0;
}

/* KEY-data wins over KEY, as in kubectl. */
static int entry_pem(const struct entry *entry, const char *key, const char *data_key, char **out, struct error *err)
{
	const char *path = NULL;
	const char *data = NULL;

	if (entry_text(entry, key, &path, err) < 0 || entry_text(entry, data_key, &data, err) < 0)
		return -1;
	if (data)
		return pem_from_data(entry, data_key, data, out, err);
	return path ? pem_from_file(entry, key, path, out, err) : 0;
}

/* ---- cluster ---- */

static bool is_loopback(const char *host)
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

static int cluster_load(struct kube_config *config, const struct entry *entry, struct error *err)
{
	const char *name = NULL;
	const char *proxy = NULL;

	if (cluster_server(config, entry, err) < 0 ||
		entry_pem(entry, "certificate-authority", "certificate-authority-data", &config->ca, err) < 0 ||
		entry_flag(entry, "insecure-skip-tls-verify", &config->insecure, err) < 0 ||
		entry_text(entry, "tls-server-name", &name, err) < 0 || entry_text(entry, "proxy-url", &proxy, err) < 0)
		return -1;
	if (proxy)
		return error_set(
			err, ERR_USAGE, "cluster '%s' in '%s' uses proxy-url, which is not supported yet", entry->name, entry->layer->path);
	if (config->insecure && config->ca) {
		error_set(err, ERR_USAGE, "cluster '%s' in '%s' has both a certificate-authority and insecure-skip-tls-verify", entry->name,
			entry->layer->path);
		return error_hint(err, "remove insecure-skip-tls-verify");
	}
	config->server_name = xstrdup(name);
	return 0;
}

/* ---- user ---- */

struct unsupported {
	const char *key;
	const char *hint;
};

#define HINT_TOKEN "use a user with a token or a client certificate, such as one made with 'kubectl create token'"
#define HINT_IMPERSONATE "grant the permissions to the user itself"

/* What would change who we are: to leave one of these out silently would be to act as somebody else. */
static const struct unsupported unsupported[] = {
	{"exec", HINT_TOKEN},
	{"auth-provider", HINT_TOKEN},
	{"username", HINT_TOKEN},
	{"password", HINT_TOKEN},
	{"as", HINT_IMPERSONATE},
	{"as-uid", HINT_IMPERSONATE},
	{"as-groups", HINT_IMPERSONATE},
	{"as-user-extra", HINT_IMPERSONATE},
};

static bool is_set(const json_t *value)
{
	if (!value || json_is_null(value))
		return false;
	if (json_is_string(value))
		return json_string_length(value) > 0;
	return json_object_size(value) + json_array_size(value) > 0;
}

static int user_supported(const struct entry *entry, struct error *err)
{
	for (size_t i = 0; i < sizeof(unsupported) / sizeof(*unsupported); i++) {
		if (!is_set(json_object_get(entry->body, unsupported[i].key)))
			continue;
		error_set(err, ERR_USAGE, "user '%s' in '%s' uses %s, which is not supported yet", entry->name, entry->layer->path,
			unsupported[i].key);
		return error_hint(err, "%s", unsupported[i].hint);
	}
	return 0;
}

/* A token ends up in a header line. */
static bool token_is_clean(const char *token)
{
	for (const char *c = token; *c; c++)
		if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f)
			return false;
	return true;
}

static int user_token(struct kube_config *config, const struct entry *entry, struct error *err)
{
	const char *token = NULL;
	const char *path = NULL;

	if (entry_text(entry, "token", &token, err) < 0 || entry_text(entry, "tokenFile", &path, err) < 0)
		return -1;
	if (token && !token_is_clean(token))
		return error_set(err, ERR_USAGE, "token of user '%s' in '%s' has blanks or other characters that no token has", entry->name,
			entry->layer->path);
	if (path) {
		config->token_file = path_in(entry->layer, path);
		if (!file_exists(config->token_file))
			return error_set(err, ERR_USAGE, "tokenFile '%s' of user '%s' in '%s' does not exist", config->token_file,
				entry->name, entry->layer->path);
		return 0; /* the file wins, as in kubectl */
	}
	config->token = xstrdup(token);
	return 0;
}

static int user_load(struct kube_config *config, const struct entry *entry, struct error *err)
{
	if (user_supported(entry, err) < 0 || user_token(config, entry, err) < 0 ||
		entry_pem(entry, "client-certificate", "client-certificate-data", &config->cert, err) < 0 ||
		entry_pem(entry, "client-key", "client-key-data", &config->key, err) < 0)
		return -1;
	if (!config->cert == !config->key)
		return 0;
	return error_set(err, ERR_USAGE, "user '%s' in '%s' has a %s without its %s", entry->name, entry->layer->path,
		config->cert ? "client-certificate" : "client-key", config->cert ? "client-key" : "client-certificate");
}

/* Over plain HTTP anybody on the way can take the token. */
static int credentials_check(const struct kube_config *config, struct error *err)
{
	if (strncmp(config->server, "http://", 7) != 0 || is_loopback(config->server + 7) || (!config->token && !config->token_file))
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

	if (context_name(layers, wanted, &context.name, err) < 0 || entry_find(layers, "contexts", &context, err) < 0 ||
		entry_text(&context, "cluster", &cluster.name, err) < 0 || entry_text(&context, "user", &user.name, err) < 0 ||
		entry_text(&context, "namespace", &space, err) < 0)
		return -1;
	config->source = xasprintf("context '%s' of %s", context.name, context.layer->path);
	config->namespace_ = xstrdup(space ? space : "default");
	if (!cluster.name)
		return error_set(err, ERR_USAGE, "context '%s' in '%s' names no cluster", context.name, context.layer->path);
	if (entry_find(layers, "clusters", &cluster, err) < 0 || cluster_load(config, &cluster, err) < 0)
		return -1;
	/* No user: anonymous, as for kubectl. */
	if (user.name && (entry_find(layers, "users", &user, err) < 0 || user_load(config, &user, err) < 0))
		return -1;
	return credentials_check(config, err);
}

static int account_file(const char *name, char **out, struct error *err)
{
	const char *dir = env_get("RHAII_DR_TEST_SERVICEACCOUNT");
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_free char *path = xasprintf("%s/%s", dir ? dir : SERVICE_ACCOUNT_DIR, name);

	if (file_read(path, PEM_MAX, &text, err) < 0)
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
