/* SPDX-License-Identifier: Apache-2.0 */
#include "credentials.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "exec_plugin.h"
#include "kube/kubeconfig.h"
#include "secret.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/file.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/strbuf.h"

#define TOKEN_MAX ((size_t)64 << 10)

struct credentials {
	const struct kube_config *config;
	struct exec_credential own; /* from the token file or the plugin */
	struct stat file;           /* which state of the token file it is */
	bool loaded;
	bool refused; /* renew even when all looks unchanged */
	unsigned generation, certificate;
};

struct credentials *credentials_new(const struct kube_config *config)
{
	struct credentials *credentials = xcalloc(1, sizeof(*credentials));

	credentials->config = config;
	return credentials;
}

void credentials_free(struct credentials *credentials)
{
	if (!credentials)
		return;
	exec_credential_release(&credentials->own);
	free(credentials);
}

bool credentials_renewable(const struct credentials *credentials)
{
	return credentials->config->token_file || credentials->config->exec;
}

void credentials_refused(struct credentials *credentials, unsigned generation)
{
	if (generation == credentials->generation)
		credentials->refused = true;
}

void credentials_view(const struct credentials *credentials, struct credential_view *out)
{
	const struct kube_config *config = credentials->config;
	const struct exec_credential *own = &credentials->own;

	*out = (struct credential_view){
		.token = credentials_renewable(credentials) ? own->token : config->token,
		.cert = own->cert ? own->cert : config->cert,
		.key = own->cert ? own->key : config->key,
		.generation = credentials->generation,
		.certificate = credentials->certificate,
	};
}

static bool equal(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* fresh is taken over. */
static void replace(struct credentials *c, struct exec_credential *fresh)
{
	if (!equal(c->own.cert, fresh->cert) || !equal(c->own.key, fresh->key))
		c->certificate++;
	exec_credential_release(&c->own);
	c->own = *fresh;
	*fresh = (struct exec_credential){0};
	c->generation++;
	c->loaded = true;
	c->refused = false;
}

/* ---- token file ---- */

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
		a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* The text without blanks at its ends; the caller frees. NULL when it could not be a header value. */
static char *token_trim(const char *text, size_t len)
{
	while (len > 0 && strchr(" \t\r\n", text[len - 1]))
		len--;
	while (len > 0 && strchr(" \t\r\n", *text)) {
		text++;
		len--;
	}
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] <= ' ' || (unsigned char)text[i] >= 0x7f)
			return NULL;
	return len > 0 ? xstrndup(text, len) : NULL;
}

static int token_read(struct credentials *c, const char *path, struct error *err)
{
	auto_secret_strbuf struct strbuf text = STRBUF_INIT;
	struct exec_credential fresh = {0};

	(void)strbuf_reserve(&text, 4 * TOKEN_MAX);
	if (file_read(path, TOKEN_MAX, &text, err) < 0)
		return -1;
	fresh.token = token_trim(text.buf, text.len);
	if (!fresh.token)
		return error_set(err, ERR_USAGE, "token file '%s' is empty or holds more than a token", path);
	replace(c, &fresh);
	return 0;
}

/* Read the token file when it changed since the last time (kubelet replaces it about once an hour) or the server refused what was in it. */
static int token_refresh(struct credentials *c, const char *path, struct error *err)
{
	struct stat now = {0};

	if (stat(path, &now) < 0) {
		error_errno(err, errno, "token file '%s'", path);
	} else {
		if (c->loaded && !c->refused && same_file(&now, &c->file))
			return 0;
		if (token_read(c, path, err) == 0) {
			c->file = now;
			return 0;
		}
	}
	/* A token file that is being replaced may be away for a moment: the old token is still good, or the server will say so. */
	if (!c->loaded)
		return -1;
	log_debug("%s; going on with the token read before", err->text);
	error_clear(err);
	return 0;
}

/* ---- exec plugin ---- */

static int plugin_refresh(struct credentials *c, struct error *err)
{
	struct exec_credential fresh = {0};
	bool expired = c->own.expires && clock_now() >= c->own.expires;

	if (c->loaded && !c->refused && !expired)
		return 0;
	if (exec_plugin_run(c->config->exec, &fresh, err) < 0) {
		exec_credential_release(&fresh);
		return -1;
	}
	replace(c, &fresh);
	return 0;
}

int credentials_refresh(struct credentials *credentials, struct error *err)
{
	if (credentials->config->exec)
		return plugin_refresh(credentials, err);
	if (credentials->config->token_file)
		return token_refresh(credentials, credentials->config->token_file, err);
	return 0;
}
