/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/object_api.h"

#include <string.h>

#include "kube/client.h"
#include "kube/discovery.h"
#include "secret.h"
#include "util/error.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"
#include "util/text.h"

#define FIRST_CONTACT_MS 10000

/* Strict: a field that the server does not know is an error, not a field less. */
#define WRITE_QUERY "?fieldManager=" KUBE_FIELD_MANAGER "&fieldValidation=Strict"
#define DRY_RUN "&dryRun=All"

static int object_wrap(const struct kube_resource *resource, const char *namespace_, const char *name, struct error *err)
{
	auto_strbuf struct strbuf shown = STRBUF_INIT;
	auto_free char *full = namespace_ && *namespace_ ? xasprintf("%s/%s", namespace_, name) : xstrdup(name);

	text_escape(&shown, full, strlen(full), 0);
	return error_wrap(err, "%s '%s'", resource->resource, shown.buf);
}

int kube_get(struct kube_client *client, const struct kube_resource *resource, const char *namespace_, const char *name, json_t **out,
	struct error *err)
{
	auto_strbuf struct strbuf path = STRBUF_INIT;
	struct kube_request request = {.method = "GET"};

	kube_path(&path, resource, namespace_, name);
	request.path = path.buf;
	if (kube_call(client, &request, out, err) < 0)
		return object_wrap(resource, namespace_, name, err);
	return 0;
}

static int secret_take(struct strbuf *body, void *arg, struct error *err)
{
	auto_secret_json json_t *secret = json_read(body->buf, body->len, err);
	const char *key;
	json_t *value;

	explicit_bzero(body->buf, body->len);
	if (!secret)
		return error_set(err, ERR_SYNTAX, "the answer is not complete JSON"); /* the parser's words would show a part of it */
	json_object_foreach (json_object_get(secret, "data"), key, value)
		strlist_add(arg, key);
	return 0;
}

int kube_secret_keys(struct kube_client *client, const struct kube_resource *resource, const char *namespace_, const char *name,
	bool values, struct strlist *keys, struct error *err)
{
	auto_strbuf struct strbuf path = STRBUF_INIT;
	struct kube_request request = {
		.method = "GET", .accept = values ? NULL : "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"};

	kube_path(&path, resource, namespace_, name);
	request.path = path.buf;
	if (kube_call_raw(client, &request, secret_take, keys, err) < 0)
		return object_wrap(resource, namespace_, name, err);
	return 0;
}

/* Send the request, whose path is still open, to the object. */
static int object_send(struct kube_client *client, const struct kube_resource *resource, const char *namespace_, const char *name,
	struct kube_request *request, bool dry_run, json_t **out, struct error *err)
{
	auto_strbuf struct strbuf path = STRBUF_INIT;

	kube_path(&path, resource, namespace_, name);
	strbuf_adds(&path, WRITE_QUERY);
	strbuf_adds(&path, dry_run ? DRY_RUN : "");
	request->path = path.buf;
	if (kube_call(client, request, out, err) < 0)
		return object_wrap(resource, namespace_, name, err);
	return 0;
}

int kube_merge_patch(struct kube_client *client, const struct kube_resource *resource, const char *namespace_, const char *name,
	const json_t *patch, bool dry_run, json_t **out, struct error *err)
{
	struct kube_request request = {.method = "PATCH", .body = patch, .content_type = "application/merge-patch+json"};

	return object_send(client, resource, namespace_, name, &request, dry_run, out, err);
}

int kube_replace(struct kube_client *client, const struct kube_resource *resource, const char *namespace_, const char *name,
	const json_t *body, int64_t deadline_ms, bool dry_run, json_t **out, struct error *err)
{
	struct kube_request request = {.method = "PUT", .body = body, .deadline_ms = deadline_ms, .changes_nothing = dry_run};

	return object_send(client, resource, namespace_, name, &request, dry_run, out, err);
}

int kube_delete(struct kube_client *client, const struct kube_resource *resource, const char *namespace_, const char *name, const char *uid,
	const char *resource_version, struct error *err)
{
	auto_strbuf struct strbuf path = STRBUF_INIT;
	auto_json json_t *options = json_pack("{s:s, s:s, s:s, s:{s:s, s:s*}}", "apiVersion", "v1", "kind", "DeleteOptions",
		"propagationPolicy", "Background", "preconditions", "uid", uid, "resourceVersion", resource_version);
	struct kube_request request = {.method = "DELETE", .body = options};

	kube_path(&path, resource, namespace_, name);
	request.path = path.buf;
	if (kube_call(client, &request, NULL, err) < 0)
		return object_wrap(resource, namespace_, name, err);
	return 0;
}

char *kube_create_path(const struct kube_resource *resource, const char *namespace_, bool dry_run)
{
	struct strbuf path = STRBUF_INIT;

	kube_path(&path, resource, namespace_, NULL);
	strbuf_adds(&path, WRITE_QUERY);
	strbuf_adds(&path, dry_run ? DRY_RUN : "");
	return strbuf_detach(&path, NULL);
}

/* A copy of the text of one key of a document, which the server must have sent. */
static int text_copy(const char *text, const char *what, char **out, struct error *err)
{
	if (!text || !*text)
		return error_set(err, ERR_REJECTED, "the answer has no %s", what);
	*out = xstrdup(text);
	return 0;
}

/* The first thing asked of a server is the place to say which server it was, and how we came to ask it. */
static int cluster_unknown(const struct kube_client *client, struct error *err)
{
	(void)error_wrap(err, "cluster at %s (%s)", kube_server(client), kube_source(client));
	if (err->code == ERR_UNAVAILABLE)
		return error_hint(err, "see whether it answers `kubectl get namespace kube-system` with the same kubeconfig and context");
	if (err->code == ERR_FORBIDDEN || err->code == ERR_UNAUTHORIZED)
		return error_hint(err, "reading the namespace kube-system, whose uid is the identity of the cluster, must be allowed");
	return -1;
}

int kube_cluster_id(struct kube_client *client, char **id, struct error *err)
{
	auto_json json_t *space = NULL;
	/* The first request of every run: a server that is not there shall not take a minute to say so. */
	struct kube_request request = {.method = "GET", .path = "/api/v1/namespaces/kube-system", .deadline_ms = FIRST_CONTACT_MS};

	if (kube_call(client, &request, &space, err) < 0 || text_copy(json_text_at(space, "metadata", "uid", NULL), "uid", id, err) < 0)
		return cluster_unknown(client, err);
	return 0;
}

static const struct kube_request version_request = {.method = "GET", .path = "/version"};

void kube_expect_target(struct kube_client *client)
{
	kube_expect(client, &version_request);
	discovery_expect(client);
}

int kube_server_version(struct kube_client *client, char **version, struct error *err)
{
	auto_json json_t *doc = NULL;

	if (kube_call(client, &version_request, &doc, err) < 0 ||
		text_copy(json_text_at(doc, "gitVersion", NULL), "gitVersion", version, err) < 0)
		return error_wrap(err, "server version");
	return 0;
}
