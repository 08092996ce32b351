/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "kube/kubeconfig.h"
#include "kubeconfig_internal.h"
#include "util/error.h"
#include "util/json.h"
#include "util/strbuf.h"

#define API_GROUP "client.authentication.k8s.io"

/* The name of the extension of a cluster whose content is for plugins alone. */
#define PLUGIN_EXTENSION "client.authentication.k8s.io/exec"

static int set_version(struct kube_exec *exec, const struct entry *plugin, struct error *err)
{
	const char *version = NULL;

	if (entry_text(plugin, "apiVersion", &version, err) < 0)
		return -1;
	if (version && (strcmp(version, API_GROUP "/v1") == 0 || strcmp(version, API_GROUP "/v1beta1") == 0)) {
		exec->api_version = xstrdup(version);
		return 0;
	}
	(void)entry_fault(plugin, "apiVersion", version ? "is not one that is known" : "is missing", err);
	return error_hint(err, "use " API_GROUP "/v1 or " API_GROUP "/v1beta1, whichever the plugin speaks");
}

/* "./plugin" is meant from where the file is; a name without '/' is looked for in the PATH. */
static int set_command(struct kube_exec *exec, const struct entry *plugin, struct error *err)
{
	const char *command = NULL;
	const char *hint = NULL;

	if (entry_text(plugin, "command", &command, err) < 0 || entry_text(plugin, "installHint", &hint, err) < 0)
		return -1;
	if (!command) {
		(void)entry_fault(plugin, "command", "is missing", err);
		return error_hint(err, "name the program that prints the credentials, such as gke-gcloud-auth-plugin");
	}
	exec->command = strchr(command, '/') ? layer_path(plugin->layer, command) : xstrdup(command);
	exec->install_hint = xstrdup(hint);
	return 0;
}

static const char *plain_text(const json_t *value)
{
	const char *text = json_string_value(value);

	return text && strlen(text) == json_string_length(value) ? text : NULL;
}

static int set_args(struct kube_exec *exec, const struct entry *plugin, struct error *err)
{
	const json_t *args = json_object_get(plugin->body, "args"), *arg;
	size_t i;

	if (args && !json_is_null(args) && !json_is_array(args))
		return entry_fault(plugin, "args", "is not a list", err);
	json_array_foreach (args, i, arg) {
		if (!plain_text(arg)) {
			(void)entry_fault(plugin, "args", "holds what is not text", err);
			return error_hint(err, "put each argument in quotes");
		}
		strlist_add(&exec->args, plain_text(arg));
	}
	return 0;
}

static int set_variables(struct kube_exec *exec, const struct entry *plugin, struct error *err)
{
	const json_t *list = json_object_get(plugin->body, "env"), *item;
	size_t i;

	if (list && !json_is_null(list) && !json_is_array(list))
		return entry_fault(plugin, "env", "is not a list", err);
	json_array_foreach (list, i, item) {
		const char *name = plain_text(json_object_get(item, "name"));
		const char *value = plain_text(json_object_get(item, "value"));
		auto_free char *variable = NULL;

		if (!name || !*name || strchr(name, '=') || !value) {
			(void)entry_fault(plugin, "env", "holds what is not a name and a value, both text", err);
			return error_hint(err, "each entry looks like {name: NAME, value: 'text'}");
		}
		variable = xasprintf("%s=%s", name, value);
		strlist_add(&exec->variables, variable);
	}
	return 0;
}

/* Nobody is asked anything here: a plugin that must ask cannot work. */
static int check_mode(const struct entry *plugin, struct error *err)
{
	const char *mode = NULL;

	if (entry_text(plugin, "interactiveMode", &mode, err) < 0)
		return -1;
	if (!mode || strcmp(mode, "Never") == 0 || strcmp(mode, "IfAvailable") == 0)
		return 0;
	if (strcmp(mode, "Always") != 0)
		return entry_fault(plugin, "interactiveMode", "is none of Never, IfAvailable, Always", err);
	(void)entry_fault(plugin, "interactiveMode", "is Always, but nobody is there to answer the plugin", err);
	return error_hint(err, "use a user whose credentials need no dialogue, such as one made with 'kubectl create token'");
}

/* ---- what it is told ---- */

static char *base64_text(const char *text)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t len = strlen(text);
	char *out = xmalloc((len + 2) / 3 * 4 + 1), *at = out;

	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i;
		unsigned bits = (unsigned)(unsigned char)text[i] << 16;

		if (left > 1)
			bits |= (unsigned)(unsigned char)text[i + 1] << 8;
		if (left > 2)
			bits |= (unsigned char)text[i + 2];
		*at++ = digits[bits >> 18];
		*at++ = digits[bits >> 12 & 63];
		*at++ = left > 1 ? digits[bits >> 6 & 63] : '=';
		*at++ = left > 2 ? digits[bits & 63] : '=';
	}
	*at = '\0';
	return out;
}

static json_t *plugin_config(const struct entry *cluster)
{
	const json_t *list = json_object_get(cluster->body, "extensions"), *item;
	size_t i;

	json_array_foreach (list, i, item) {
		const char *name = json_text_at(item, "name", NULL);

		if (name && strcmp(name, PLUGIN_EXTENSION) == 0)
			return json_deep_copy(json_object_get(item, "extension"));
	}
	return NULL;
}

static json_t *cluster_info(const struct kube_config *config, const struct entry *cluster)
{
	json_t *info = json_pack("{s:s}", "server", config->server);
	json_t *own = plugin_config(cluster);
	const char *proxy = json_text_at(cluster->body, "proxy-url", NULL);

	if (config->server_name)
		json_object_set_new(info, "tls-server-name", json_string(config->server_name));
	if (config->insecure)
		json_object_set_new(info, "insecure-skip-tls-verify", json_true());
	if (config->ca) {
		auto_free char *ca = base64_text(config->ca);

		json_object_set_new(info, "certificate-authority-data", json_string(ca));
	}
	if (proxy && *proxy)
		json_object_set_new(info, "proxy-url", json_string(proxy));
	if (own)
		json_object_set_new(info, "config", own);
	return info;
}

static int set_cluster(struct kube_config *config, const struct entry *plugin, const struct entry *cluster, struct error *err)
{
	bool wanted = false;

	if (entry_flag(plugin, "provideClusterInfo", &wanted, err) < 0)
		return -1;
	if (wanted)
		config->exec->cluster = cluster_info(config, cluster);
	return 0;
}

int user_exec(struct kube_config *config, const struct entry *user, const struct entry *cluster, struct error *err)
{
	struct entry plugin = {.what = "the exec plugin of user", .name = user->name, .layer = user->layer};

	plugin.body = json_object_get(user->body, "exec");
	if (!plugin.body || json_is_null(plugin.body))
		return 0;
	if (!json_is_object(plugin.body))
		return entry_fault(user, "exec", "is not a map", err);
	config->exec = xcalloc(1, sizeof(*config->exec));
	config->exec->user = xasprintf("user '%s' in '%s'", user->name, user->layer->path);
	if (set_version(config->exec, &plugin, err) < 0 || set_command(config->exec, &plugin, err) < 0 ||
		set_args(config->exec, &plugin, err) < 0 || set_variables(config->exec, &plugin, err) < 0 || check_mode(&plugin, err) < 0)
		return -1;
	return set_cluster(config, &plugin, cluster, err);
}
