/* SPDX-License-Identifier: Apache-2.0 */
#include "object/object.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "util/error.h"
#include "util/hash.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"
#include "util/text.h"
#include "util/yaml.h"

#define NAME_MAX_BYTES 253
#define LABEL_MAX_BYTES 63
#define ENCODED_MAX_BYTES 200
#define ENCODED_KEPT_BYTES 180
#define ENCODED_HASH_BYTES 16

#define CLUSTER_PREFIX "objects/cluster/"
#define NAMESPACE_PREFIX "objects/namespaces/"
#define SUFFIX ".yaml"

/* ---- identity ---- */

void object_split_api_version(const char *api_version, char **group, char **version)
{
	const char *slash = strchr(api_version, '/');

	*group = slash ? xstrndup(api_version, (size_t)(slash - api_version)) : xstrdup("");
	*version = xstrdup(slash ? slash + 1 : api_version);
}

static bool is_dns_label(const char *text)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return len > 0 && !text[len] && len <= LABEL_MAX_BYTES && text[0] != '-' && text[len - 1] != '-';
}

/* Append what a message shows of foreign text. */
static char *shown(const char *text)
{
	auto_strbuf struct strbuf out = STRBUF_INIT;

	text_escape(&out, text, strlen(text), 300);
	return strbuf_detach(&out, NULL);
}

static int refuse(struct error *err, const char *what, const char *value)
{
	auto_free char *safe = shown(value);

	return error_set(err, ERR_REJECTED, "%s '%s'", what, safe);
}

static int check_name(const char *name, struct error *err)
{
	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strchr(name, '/') || strchr(name, '%'))
		return refuse(err, "not a name of an object:", name);
	if (strlen(name) > NAME_MAX_BYTES)
		return refuse(err, "name is longer than 253 bytes:", name);
	return 0;
}

/* metadata.namespace as "" when there is none. */
static int take_namespace(struct object *object, const json_t *metadata, struct error *err)
{
	const json_t *value = json_at(metadata, "namespace", NULL);
	const char *text = json_text_at(metadata, "namespace", NULL);

	if (value && !json_is_null(value) && !text)
		return error_set(err, ERR_REJECTED, "metadata.namespace is not text");
	if (text && *text && !is_dns_label(text))
		return refuse(err, "not a name of a namespace:", text);
	object->namespace_ = xstrdup(text ? text : "");
	return 0;
}

static int take_api_version(struct object *object, struct error *err)
{
	const char *api_version = json_text_at(object->json, "apiVersion", NULL);

	if (!api_version)
		return error_set(err, ERR_REJECTED, "no apiVersion");
	object_split_api_version(api_version, &object->group, &object->version);
	if (!*object->version || strchr(object->version, '/') || *api_version == '/')
		return refuse(err, "not an apiVersion:", api_version);
	return 0;
}

static int check_resource(const struct object *object, struct error *err)
{
	if (!*object->resource || strchr(object->resource, '/') || strchr(object->resource, '.'))
		return refuse(err, "not a resource:", object->resource);
	if (strlen(object->resource) + 1 + strlen(object->group) > NAME_MAX_BYTES)
		return refuse(err, "group is too long:", object->group);
	return 0;
}

static int take_identity(struct object *object, struct error *err)
{
	const json_t *metadata = json_at(object->json, "metadata", NULL);
	const char *kind = json_text_at(object->json, "kind", NULL);
	const char *name = json_text_at(metadata, "name", NULL);

	if (!json_is_object(object->json))
		return error_set(err, ERR_REJECTED, "not a map");
	if (take_api_version(object, err) < 0 || check_resource(object, err) < 0)
		return -1;
	if (!kind || !*kind)
		return error_set(err, ERR_REJECTED, "no kind");
	if (!name)
		return error_set(err, ERR_REJECTED, "no metadata.name");
	object->kind = xstrdup(kind);
	object->name = xstrdup(name);
	return check_name(name, err) < 0 ? -1 : take_namespace(object, metadata, err);
}

int object_new(struct object **out, const char *resource, json_t *json, struct error *err)
{
	struct object *object = xcalloc(1, sizeof(*object));

	object->resource = xstrdup(resource);
	object->json = json_incref(json);
	if (take_identity(object, err) < 0) {
		object_free(object);
		return -1;
	}
	*out = object;
	return 0;
}

void object_free(struct object *object)
{
	if (!object)
		return;
	free(object->group);
	free(object->version);
	free(object->resource);
	free(object->kind);
	free(object->namespace_);
	free(object->name);
	json_decref(object->json);
	free(object);
}

void object_describe_name(const char *kind, const char *namespace_, const char *name, struct strbuf *out)
{
	text_escape(out, kind, strlen(kind), 0);
	strbuf_addc(out, ' ');
	if (*namespace_) {
		text_escape(out, namespace_, strlen(namespace_), 0);
		strbuf_addc(out, '/');
	}
	text_escape(out, name, strlen(name), 0);
}

void object_describe(const struct object *object, struct strbuf *out)
{
	object_describe_name(object->kind, object->namespace_, object->name, out);
}

/* ---- paths ---- */

static void encode(struct strbuf *out, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-')
			strbuf_addc(out, *text);
		else
			strbuf_addf(out, "%%%02X", c);
	}
}

static void encode_name(struct strbuf *out, const char *name)
{
	size_t start = out->len;
	char hex[HASH_HEX_SIZE];

	encode(out, name);
	if (out->len - start <= ENCODED_MAX_BYTES)
		return;
	hash_sha256(name, strlen(name), hex);
	strbuf_truncate(out, start + ENCODED_KEPT_BYTES);
	strbuf_addc(out, '~');
	strbuf_add(out, hex, ENCODED_HASH_BYTES);
}

void object_path(const struct object *object, struct strbuf *out)
{
	strbuf_adds(out, *object->namespace_ ? NAMESPACE_PREFIX : CLUSTER_PREFIX);
	if (*object->namespace_) {
		encode(out, object->namespace_);
		strbuf_addc(out, '/');
	}
	encode(out, object->resource);
	if (*object->group) {
		strbuf_addc(out, '.');
		encode(out, object->group);
	}
	strbuf_addc(out, '/');
	encode_name(out, object->name);
	strbuf_adds(out, SUFFIX);
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789ABCDEF";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Undo encode; NULL when it is no encoding of a text. */
static char *decode(const char *text, size_t len)
{
	auto_strbuf struct strbuf out = STRBUF_INIT;

	for (size_t i = 0; i < len; i++) {
		int code = (unsigned char)text[i];
		if (text[i] == '%') {
			if (len - i < 3 || hex_digit(text[i + 1]) < 0 || hex_digit(text[i + 2]) < 0)
				return NULL;
			code = hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]);
			i += 2;
		}
		if (code == 0)
			return NULL;
		strbuf_addc(&out, (char)code);
	}
	return strbuf_detach(&out, NULL);
}

static bool starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* The plural in a path: what the second segment from the end holds before its first dot. The caller frees; NULL when it has none. */
static char *resource_in_path(const char *path)
{
	const char *segment;

	if (starts_with(path, CLUSTER_PREFIX)) {
		segment = path + strlen(CLUSTER_PREFIX);
	} else if (starts_with(path, NAMESPACE_PREFIX)) {
		const char *slash = strchr(path + strlen(NAMESPACE_PREFIX), '/');
		if (!slash)
			return NULL;
		segment = slash + 1;
	} else {
		return NULL;
	}
	size_t len = strcspn(segment, "./");
	return len ? decode(segment, len) : NULL;
}

static int check_path(const struct object *object, const char *path, struct error *err)
{
	auto_strbuf struct strbuf expected = STRBUF_INIT;

	object_path(object, &expected);
	if (strcmp(expected.buf, path) != 0)
		return error_set(err, ERR_INTEGRITY, "holds the object of '%s'", expected.buf);
	return 0;
}

static int read_identity(struct object **out, const char *path, const char *text, size_t len, struct error *err)
{
	auto_free char *resource = resource_in_path(path);
	auto_json json_t *json = NULL;

	if (!resource)
		return error_set(err, ERR_INTEGRITY, "not a path of an object");
	if (!(json = yaml_read(text, len, err)) || object_new(out, resource, json, err) < 0) {
		/* Whatever is wrong in it, a snapshot with such a file is damaged. */
		err->code = ERR_INTEGRITY;
		return -1;
	}
	if (check_path(*out, path, err) < 0) {
		object_free(*out);
		*out = NULL;
		return -1;
	}
	return 0;
}

int object_read(struct object **out, const char *path, const char *text, size_t len, struct error *err)
{
	if (read_identity(out, path, text, len, err) < 0) {
		auto_free char *safe = shown(path);
		return error_wrap(err, "'%s'", safe);
	}
	return 0;
}

/* ---- order ---- */

static int compare(const struct object *x, const struct object *y)
{
	int order = strcmp(x->namespace_, y->namespace_); /* "" first: cluster-scoped */

	if (!order)
		order = strcmp(x->group, y->group);
	if (!order)
		order = strcmp(x->resource, y->resource);
	return order ? order : strcmp(x->name, y->name);
}

int object_compare(const void *a, const void *b)
{
	return compare(*(const struct object *const *)a, *(const struct object *const *)b);
}

bool object_same(const struct object *a, const struct object *b)
{
	return compare(a, b) == 0;
}
