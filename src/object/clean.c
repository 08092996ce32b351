/* SPDX-License-Identifier: Apache-2.0 */
#include "object/clean.h"

#include "object/blame.h"
#include "object/classify.h"
#include "object/fieldpath.h"
#include "util/json.h"
#include "util/map.h"

/* The API server drops these when they are empty, so that an empty one says nothing and would differ after a restore. */
static const char *const empty_means_absent[] = {"annotations", "labels", "finalizers", "ownerReferences"};

static bool is_empty_container(const json_t *value)
{
	return (json_is_object(value) && json_object_size(value) == 0) || (json_is_array(value) && json_array_size(value) == 0);
}

static int note_kept(json_t *value, const char *concrete, void *arg)
{
	map_put(arg, concrete, value);
	return 0;
}

/* What is kept is looked up each time: a removal before may have moved the items of a list. */
static void find_kept(json_t *object, struct fieldpath *const *keep, size_t count, struct map *kept)
{
	for (size_t i = 0; i < count; i++)
		fieldpath_each(object, keep[i], note_kept, kept);
}

static void strip_path(json_t *object, const struct fieldpath *strip, struct fieldpath *const *keep, size_t count)
{
	struct map kept = MAP_INIT;

	find_kept(object, keep, count, &kept);
	fieldpath_remove_but(object, strip, &kept);
	map_release(&kept, NULL);
}

/* ---- by evidence ---- */

struct judging {
	const json_t *object, *managed_fields;
	const struct clean_evidence *row;
	struct map *kept;
};

static int judge(json_t *value, const char *concrete, void *arg)
{
	const struct judging *judging = arg;
	auto_strlist struct strlist owners = STRLIST_INIT;

	blame_owners(judging->managed_fields, judging->object, concrete, &owners);
	if (!classify_written_by(&judging->row->managers, &owners))
		map_put(judging->kept, concrete, value);
	return 0;
}

void clean_by_evidence(json_t *object, const struct clean_evidence *rows, size_t count, struct fieldpath *const *keep, size_t keep_count)
{
	const json_t *managed_fields = json_at(object, "metadata", "managedFields", NULL);

	for (size_t i = 0; managed_fields && i < count; i++) {
		struct map kept = MAP_INIT;
		struct judging judging = {.object = object, .managed_fields = managed_fields, .row = &rows[i], .kept = &kept};

		find_kept(object, keep, keep_count, &kept);
		fieldpath_each(object, rows[i].path, judge, &judging);
		fieldpath_remove_but(object, rows[i].path, &kept);
		map_release(&kept, NULL);
	}
}

/* ---- by name ---- */

void clean_object(json_t *object, struct fieldpath *const *strip, size_t count)
{
	clean_object_but(object, strip, count, NULL, 0);
}

void clean_object_but(json_t *object, struct fieldpath *const *strip, size_t strip_count, struct fieldpath *const *keep, size_t keep_count)
{
	for (size_t i = 0; i < strip_count; i++)
		strip_path(object, strip[i], keep, keep_count);

	json_t *metadata = json_at(object, "metadata", NULL);
	for (size_t i = 0; i < sizeof(empty_means_absent) / sizeof(empty_means_absent[0]); i++)
		if (is_empty_container(json_at(metadata, empty_means_absent[i], NULL)))
			json_object_del(metadata, empty_means_absent[i]);
}
