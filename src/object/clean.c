/* SPDX-License-Identifier: Apache-2.0 */
#include "object/clean.h"

#include "object/fieldpath.h"
#include "util/json.h"

/* The API server drops these when they are empty, so that an empty one says nothing and would differ after a restore. */
static const char *const empty_means_absent[] = {"annotations", "labels", "finalizers", "ownerReferences"};

static bool is_empty_container(const json_t *value)
{
	return (json_is_object(value) && json_object_size(value) == 0) || (json_is_array(value) && json_array_size(value) == 0);
}

void clean_object(json_t *object, struct fieldpath *const *strip, size_t count)
{
	for (size_t i = 0; i < count; i++)
		fieldpath_remove(object, strip[i]);

	json_t *metadata = json_at(object, "metadata", NULL);
	for (size_t i = 0; i < sizeof(empty_means_absent) / sizeof(empty_means_absent[0]); i++)
		if (is_empty_container(json_at(metadata, empty_means_absent[i], NULL)))
			json_object_del(metadata, empty_means_absent[i]);
}
