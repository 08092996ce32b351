/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include "part_support.h"

#include <stdlib.h>
#include <string.h>

#include "fake_cluster.h"
#include "object/fieldpath.h"
#include "object/object.h"
#include "policy/policy.h"
#include "util/error.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"

int part_set_up(void **state)
{
	struct part_fixture *f = xcalloc(1, sizeof(*f));

	f->err = xcalloc(1, sizeof(*f->err));
	f->snapshot = xcalloc(1, sizeof(*f->snapshot));
	f->snapshot->objects = xcalloc(64, sizeof(struct object *));
	f->snapshot->requirements = json_pack("{s:[]}", "requirements");
	f->snapshot->generated = json_pack("{s:[]}", "objects");
	*state = f;
	return policy_load(&f->policy, "rhaii", f->err);
}

int part_tear_down(void **state)
{
	struct part_fixture *f = *state;

	snapshot_free(f->snapshot);
	policy_free(f->policy);
	json_decref(f->told);
	free(f->err);
	free(f);
	return 0;
}

static const char *resource_of(const struct part_fixture *f, const json_t *json)
{
	const char *kind = json_text_at(json, "kind", NULL);

	for (size_t i = 0; i < f->policy->kind_count; i++)
		if (strcmp(f->policy->kinds[i].kind, kind) == 0)
			return f->policy->kinds[i].resource;
	fail_msg("no row for %s", kind);
	return NULL;
}

void part_object(struct part_fixture *f, const char *text)
{
	auto_json json_t *json = fake_value(text);
	struct snapshot *s = f->snapshot;

	assert_true(s->object_count < 64);
	if (object_new(&s->objects[s->object_count], resource_of(f, json), json, f->err) < 0)
		fail_msg("%s", f->err->text);
	s->object_count++;
	qsort(s->objects, s->object_count, sizeof(struct object *), object_compare);
}

void part_requirements(struct part_fixture *f, const char *text)
{
	json_object_set_new(f->snapshot->requirements, "requirements", fake_value(text));
}

void part_generated(struct part_fixture *f, const char *text)
{
	json_object_set_new(f->snapshot->generated, "objects", fake_value(text));
}

void assert_part(const struct part_fixture *f, const char *words)
{
	auto_strbuf struct strbuf all = STRBUF_INIT;

	for (size_t i = 0; i < f->snapshot->object_count; i++) {
		strbuf_adds(&all, i ? ", " : "");
		object_describe(f->snapshot->objects[i], &all);
	}
	assert_string_equal(all.buf, words);
}

void assert_part_json(const json_t *value, const char *json)
{
	auto_json json_t *expected = fake_value(json);
	auto_strbuf struct strbuf is = STRBUF_INIT, should = STRBUF_INIT;

	assert_non_null(value);
	json_write(value, &is);
	json_write(expected, &should);
	assert_string_equal(is.buf, should.buf);
}

static int take_value(json_t *value, const char *concrete, void *arg)
{
	(void)concrete;
	*(json_t **)arg = value;
	return 1;
}

void assert_part_value(const struct part_fixture *f, const char *words, const char *path, const char *json)
{
	struct fieldpath *at;
	json_t *found = NULL;

	if (fieldpath_parse(&at, path, f->err) < 0)
		fail_msg("%s", f->err->text);
	for (size_t i = 0; i < f->snapshot->object_count; i++) {
		auto_strbuf struct strbuf is = STRBUF_INIT;

		object_describe(f->snapshot->objects[i], &is);
		if (strcmp(is.buf, words) == 0)
			(void)fieldpath_each(f->snapshot->objects[i]->json, at, take_value, &found);
	}
	fieldpath_free(at);
	assert_part_json(found, json);
}
