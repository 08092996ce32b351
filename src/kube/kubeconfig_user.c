/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "kube/kubeconfig.h"
#include "kubeconfig_internal.h"
#include "util/error.h"
#include "util/file.h"
#include "util/json.h"
#include "util/strbuf.h"

bool is_header_text(const char *text)
{
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || (unsigned char)*c == 0x7f)
			return false;
	return true;
}

/* ---- what is refused ---- */

struct refused {
	const char *key;
	const char *why;
	const char *hint;
};

#define HINT_TOKEN "use a user with a token, a client certificate or an exec plugin; 'kubectl create token' makes a token"
#define WHY_BASIC "which no API server has accepted since Kubernetes 1.19"

/* What would change who we are: to leave one of these out silently would be to act as somebody else. */
static const struct refused refused[] = {
	{"auth-provider", "which kubectl has dropped in 1.26 in favour of exec plugins",
		"use the exec plugin of the provider (gke-gcloud-auth-plugin, kubelogin), or 'kubectl create token'"},
	{"username", WHY_BASIC, HINT_TOKEN},
	{"password", WHY_BASIC, HINT_TOKEN},
};

static bool is_set(const json_t *value)
{
	if (!value || json_is_null(value))
		return false;
	if (json_is_string(value))
		return json_string_length(value) > 0;
	return json_is_number(value) || json_is_boolean(value) || json_object_size(value) + json_array_size(value) > 0;
}

static int user_accepted(const struct entry *entry, struct error *err)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		if (!is_set(json_object_get(entry->body, refused[i].key)))
			continue;
		error_set(err, ERR_USAGE, "user '%s' in '%s' uses %s, %s", entry->name, entry->layer->path, refused[i].key, refused[i].why);
		return error_hint(err, "%s", refused[i].hint);
	}
	return 0;
}

/* ---- token and certificate ---- */

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
		return entry_fault(entry, "token", "has blanks or other characters that no token has", err);
	if (path) {
		config->token_file = layer_path(entry->layer, path);
		if (!file_exists(config->token_file))
			return error_set(err, ERR_USAGE, "tokenFile '%s' of user '%s' in '%s' does not exist", config->token_file,
				entry->name, entry->layer->path);
		return 0; /* the file wins, as in kubectl */
	}
	config->token = xstrdup(token);
	return 0;
}

static int user_certificate(struct kube_config *config, const struct entry *entry, struct error *err)
{
	if (entry_pem(entry, "client-certificate", "client-certificate-data", &config->cert, err) < 0 ||
		entry_pem(entry, "client-key", "client-key-data", &config->key, err) < 0)
		return -1;
	if (!config->cert == !config->key)
		return 0;
	return error_set(err, ERR_USAGE, "user '%s' in '%s' has a %s without its %s", entry->name, entry->layer->path,
		config->cert ? "client-certificate" : "client-key", config->cert ? "client-key" : "client-certificate");
}

/* ---- impersonation ---- */

static int add_header(
	struct kube_config *config, const struct entry *entry, const char *key, const char *name, const json_t *value, struct error *err)
{
	const char *text = json_string_value(value);
	auto_free char *line = NULL;

	if (!text || !*text || strlen(text) != json_string_length(value) || !is_header_text(text))
		return entry_fault(entry, key, "holds what is not text of one line", err);
	line = xasprintf("Impersonate-%s: %s", name, text);
	strlist_add(&config->impersonate, line);
	return 0;
}

/* As client-go does it: what cannot stand in the name of a header, and '%' itself, as %XX; the server turns it back, and lower-cases it. */
static char *extra_name(const char *key)
{
	struct strbuf name = STRBUF_INIT;

	strbuf_adds(&name, "Extra-");
	for (; *key; key++) {
		bool plain = (*key >= '0' && *key <= '9') || (*key >= 'A' && *key <= 'Z') || (*key >= 'a' && *key <= 'z') ||
			strchr("!#$&'*+-.^_`|~", *key);

		if (plain)
			strbuf_addc(&name, *key);
		else
			strbuf_addf(&name, "%%%02X", (unsigned char)*key);
	}
	return strbuf_detach(&name, NULL);
}

/* A list of texts at key, each a header line; NULL adds none. */
static int add_list(
	struct kube_config *config, const struct entry *entry, const char *key, const char *name, const json_t *list, struct error *err)
{
	const json_t *item;
	size_t i;

	if (is_set(list) && !json_is_array(list))
		return entry_fault(entry, key, "is not a list", err);
	json_array_foreach (list, i, item)
		if (add_header(config, entry, key, name, item, err) < 0)
			return -1;
	return 0;
}

static int add_extra(struct kube_config *config, const struct entry *entry, struct error *err)
{
	json_t *extra = json_object_get(entry->body, "as-user-extra");
	size_t count = 0;
	auto_free const char **keys = NULL;

	if (!is_set(extra))
		return 0;
	if (!json_is_object(extra))
		return entry_fault(entry, "as-user-extra", "is not a map of lists", err);
	keys = json_sorted_keys(extra, &count);
	for (size_t i = 0; i < count; i++) {
		auto_free char *name = extra_name(keys[i]);

		if (add_list(config, entry, "as-user-extra", name, json_object_get(extra, keys[i]), err) < 0)
			return -1;
	}
	return 0;
}

static int user_impersonation(struct kube_config *config, const struct entry *entry, struct error *err)
{
	const json_t *as = json_object_get(entry->body, "as");
	const json_t *uid = json_object_get(entry->body, "as-uid");
	const json_t *groups = json_object_get(entry->body, "as-groups");

	if ((is_set(as) && add_header(config, entry, "as", "User", as, err) < 0) ||
		(is_set(uid) && add_header(config, entry, "as-uid", "Uid", uid, err) < 0) ||
		add_list(config, entry, "as-groups", "Group", groups, err) < 0 || add_extra(config, entry, err) < 0)
		return -1;
	if (is_set(as) || config->impersonate.count == 0)
		return 0;
	error_set(err, ERR_USAGE, "user '%s' in '%s' impersonates a uid, groups or extra attributes without a user", entry->name,
		entry->layer->path);
	return error_hint(err, "say whom with as, or remove as-uid, as-groups and as-user-extra");
}

int user_load(struct kube_config *config, const struct entry *user, const struct entry *cluster, struct error *err)
{
	if (user_accepted(user, err) < 0 || user_token(config, user, err) < 0 || user_certificate(config, user, err) < 0 ||
		user_impersonation(config, user, err) < 0)
		return -1;
	/* A token keeps the plugin from being asked, as in kubectl. */
	return config->token || config->token_file ? 0 : user_exec(config, user, cluster, err);
}
