/* SPDX-License-Identifier: Apache-2.0 */
#include "exec_plugin.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "kube/kubeconfig.h"
#include "kubeconfig_internal.h"
#include "secret.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/json.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/process.h"
#include "util/strbuf.h"

#define TIMEOUT_MS (60 * 1000)
#define OUTPUT_MAX ((size_t)1 << 20)

void exec_credential_release(struct exec_credential *credential)
{
	secret_free(&credential->token);
	secret_free(&credential->cert);
	secret_free(&credential->key);
	credential->expires = 0;
}

/* ---- running it ---- */

/* KUBERNETES_EXEC_INFO=... The caller frees. */
static char *exec_info(const struct kube_exec *exec)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_json json_t *info =
		json_pack("{s:s, s:s, s:{s:b}}", "apiVersion", exec->api_version, "kind", "ExecCredential", "spec", "interactive", 0);

	if (exec->cluster)
		json_object_set(json_object_get(info, "spec"), "cluster", exec->cluster);
	json_write(info, &text);
	return xasprintf("KUBERNETES_EXEC_INFO=%s", text.buf);
}

/* The texts of list between first and last (NULL: none), NULL-terminated. The caller frees the array only. */
static const char **pointers(const char *first, const struct strlist *list, const char *last)
{
	const char **all = xcalloc(list->count + 3, sizeof(*all));
	size_t count = 0;

	if (first)
		all[count++] = first;
	for (size_t i = 0; i < list->count; i++)
		all[count++] = list->items[i];
	if (last)
		all[count++] = last;
	return all;
}

static int run(const struct kube_exec *exec, struct strbuf *out, struct error *err)
{
	auto_free char *info = exec_info(exec);
	auto_free const char **argv = pointers(exec->command, &exec->args, NULL);
	auto_free const char **variables = pointers(NULL, &exec->variables, info);
	struct process process = {.argv = argv, .variables = variables, .timeout_ms = TIMEOUT_MS, .max_output = OUTPUT_MAX};

	log_debug("running the exec plugin '%s'", exec->command);
	if (process_run(&process, out, err) == 0)
		return 0;
	if (err->code == ERR_NOT_FOUND)
		return error_hint(err, "%s", exec->install_hint ? exec->install_hint : "install it, or put its directory into the PATH");
	return error_hint(err, "see what it printed on standard error above, and run '%s' by hand", exec->command);
}

/* ---- reading what it printed ---- */

static int take_pem(const json_t *status, const char *key, char **out, struct error *err)
{
	const char *text = json_text_at(status, key, NULL);

	if (!text || !*text)
		return 0;
	if (!strstr(text, "-----BEGIN "))
		return error_set(err, ERR_FAILED, "its status.%s is not PEM", key);
	*out = xstrdup(text);
	return 0;
}

static int take_token(const json_t *status, char **out, struct error *err)
{
	const char *token = json_text_at(status, "token", NULL);

	if (!token || !*token)
		return 0;
	if (strchr(token, ' ') || !is_header_text(token))
		return error_set(err, ERR_FAILED, "its status.token has blanks or other characters that no token has");
	*out = xstrdup(token);
	return 0;
}

static int take_expiry(const json_t *status, time_t *out, struct error *err)
{
	const json_t *value = json_object_get(status, "expirationTimestamp");
	struct error fault = ERROR_INIT;

	if (!value || json_is_null(value))
		return 0;
	if (json_is_string(value) && clock_parse(json_string_value(value), out, &fault) == 0)
		return 0;
	return error_set(err, ERR_FAILED, "its status.expirationTimestamp is not a time such as 2026-11-20T14:00:00Z");
}

static int take_status(const json_t *status, struct exec_credential *out, struct error *err)
{
	if (!json_is_object(status))
		return error_set(err, ERR_FAILED, "it printed no status");
	if (take_token(status, &out->token, err) < 0 || take_pem(status, "clientCertificateData", &out->cert, err) < 0 ||
		take_pem(status, "clientKeyData", &out->key, err) < 0 || take_expiry(status, &out->expires, err) < 0)
		return -1;
	if (!out->cert != !out->key)
		return error_set(
			err, ERR_FAILED, "it printed a %s", out->cert ? "certificate without its key" : "key without its certificate");
	if (!out->token && !out->cert)
		return error_set(err, ERR_FAILED, "it printed neither a token nor a certificate");
	return 0;
}

static int check_head(const struct kube_exec *exec, const json_t *doc, struct error *err)
{
	const char *kind = json_text_at(doc, "kind", NULL);
	const char *version = json_text_at(doc, "apiVersion", NULL);

	if (!kind || strcmp(kind, "ExecCredential") != 0)
		return error_set(err, ERR_FAILED, "it printed no ExecCredential");
	if (version && strcmp(version, exec->api_version) == 0)
		return 0;
	error_set(err, ERR_FAILED, "it printed an ExecCredential of another version than %s", exec->api_version);
	return error_hint(err, "put the apiVersion that the plugin speaks into the kubeconfig, or update the plugin");
}

static int take(const struct kube_exec *exec, const struct strbuf *text, struct exec_credential *out, struct error *err)
{
	struct error fault = ERROR_INIT; /* not shown: it may quote the token */
	auto_secret_json json_t *doc = json_read(text->buf, text->len, &fault);

	if (!doc)
		return error_set(err, ERR_FAILED, "it printed %s", text->len == 0 ? "nothing" : "what is not JSON");
	if (check_head(exec, doc, err) < 0)
		return -1;
	return take_status(json_object_get(doc, "status"), out, err);
}

int exec_plugin_run(const struct kube_exec *exec, struct exec_credential *out, struct error *err)
{
	auto_secret_strbuf struct strbuf text = STRBUF_INIT;

	if (run(exec, &text, err) == 0) {
		if (take(exec, &text, out, err) == 0)
			return 0;
		(void)error_hint(err, "run '%s' by hand: it must print one ExecCredential and nothing else", exec->command);
	}
	err->code = ERR_FAILED;
	return error_wrap(err, "exec plugin '%s' of %s", exec->command, exec->user);
}
