/* SPDX-License-Identifier: Apache-2.0 */
#include "restore/template.h"

#include <string.h>

#include "object/canonical.h"
#include "object/object.h"
#include "util/error.h"
#include "util/file.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"
#include "util/text.h"

static const struct form {
	const char *resource, *kind;
	const char *values; /* the field with its keys; NULL: it has none */
} forms[] = {
	{"secrets", "Secret", "stringData"},
	{"configmaps", "ConfigMap", "data"},
	{"serviceaccounts", "ServiceAccount", NULL},
};

static const char *text_of(const json_t *map, const char *key)
{
	const char *text = json_text_at(map, key, NULL);

	return text ? text : "";
}

static const struct form *form_of(const json_t *need)
{
	if (*text_of(need, "group") || strcmp(text_of(need, "state"), "required") != 0)
		return NULL;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (strcmp(forms[i].resource, text_of(need, "resource")) == 0)
			return &forms[i];
	return NULL;
}

static json_t *manifest(const json_t *need, const struct form *form)
{
	json_t *json = json_pack("{s:s, s:s, s:{s:s, s:s}}", "apiVersion", "v1", "kind", form->kind, "metadata", "namespace",
		text_of(need, "namespace"), "name", text_of(need, "name"));
	json_t *values = json_object();
	const json_t *key;
	size_t i;

	json_array_foreach (json_object_get(need, "keys"), i, key)
		if (json_is_string(key))
			json_object_set_new(values, json_string_value(key), json_string(""));
	if (form->values)
		json_object_set(json, form->values, values);
	json_decref(values);
	return json;
}

/* Who needs it, in front of the manifest. */
static void head(const json_t *need, const struct form *form, struct strbuf *out)
{
	const json_t *object;
	size_t i;

	json_array_foreach (json_object_get(need, "neededBy"), i, object) {
		const char *text = json_is_string(object) ? json_string_value(object) : "";

		strbuf_adds(out, "# needed by ");
		text_escape(out, text, strlen(text), 0);
		strbuf_addc(out, '\n');
	}
	if (strcmp(form->kind, "Secret") == 0 && json_array_size(json_object_get(need, "keys")) == 0)
		strbuf_adds(out,
			"# Which keys it has is not known. To pull images: type kubernetes.io/dockerconfigjson, key .dockerconfigjson\n");
}

static int write_new(const char *path, const struct strbuf *text, bool *written, struct error *err)
{
	auto_free char *folder = xstrndup(path, (size_t)(strrchr(path, '/') - path));
	struct file_writer *writer;

	*written = false;
	if (file_exists(path))
		return 0;
	if (file_mkdirs(folder, err) < 0 || file_writer_open(&writer, path, 0600, err) < 0)
		return -1;
	if (file_writer_write(writer, text->buf, text->len, err) < 0) {
		file_writer_abort(writer);
		return -1;
	}
	if (file_writer_commit(writer, true, err) == 0)
		*written = true;
	else if (err->code != ERR_EXISTS)
		return -1;
	return 0;
}

/* The object gives its place: names come from the snapshot, and must not lead out of the folder. */
static int write_need(const json_t *need, const struct form *form, const char *dir, json_t *files, struct error *err)
{
	auto_json json_t *json = manifest(need, form);
	auto_strbuf struct strbuf text = STRBUF_INIT, place = STRBUF_INIT;
	auto_free char *path = NULL;
	struct object *object;
	bool written;

	if (object_new(&object, form->resource, json, err) < 0)
		return -1;
	object_path(object, &place);
	object_free(object);
	path = xasprintf("%s/%s", dir, place.buf + strlen("objects/"));
	head(need, form, &text);
	canonical_yaml(json, &text);
	if (write_new(path, &text, &written, err) < 0)
		return error_wrap(err, "template '%s'", path);
	json_array_append_new(files, json_pack("{s:s, s:b}", "path", path, "written", written));
	return 0;
}

int template_write(const json_t *requirements, const char *dir, json_t **files, struct error *err)
{
	const json_t *need;
	size_t i;

	*files = json_array();
	json_array_foreach (requirements, i, need) {
		const struct form *form = form_of(need);

		if (form && write_need(need, form, dir, *files, err) < 0) {
			json_decref(*files);
			*files = NULL;
			return -1;
		}
	}
	return 0;
}
