/* SPDX-License-Identifier: Apache-2.0 */
/*
 * name - which object is meant by "KIND NS/NAME", "KIND NAME", "KIND/NAME" or "KIND/NS/NAME". KIND is a kind, its plural, alone or with its group, its singular or a short name,
 * in letters of any case.
 */
#ifndef RHAII_OBJECT_NAME_H
#define RHAII_OBJECT_NAME_H

#include <jansson.h>

#include "util/mem.h"

struct error;
struct object;

/* What is known of kinds. */
struct name_source {
	const json_t *kinds; /* [{group, resource, kind}] */
	/* The document at this path of the snapshot, or NULL: the definitions of custom kinds. The caller owns it. */
	json_t *(*read)(void *arg, const char *path);
	void *arg;
	const struct strlist *namespaces; /* of -n */
};

/*
 * Cut the words (second may be NULL): the word for the kind, which the caller frees, and namespace and name of out. ERR_USAGE. In any case what is in out, which starts as zeroes, is
 * released by object_name_release.
 */
int object_name_split(
	struct object *out, char **word, const struct name_source *source, const char *first, const char *second, struct error *err);
/* Fill in group, resource and kind: 1, or 0 when no kind is called so, or ERR_USAGE when several are. */
int object_name_kind(struct object *out, const struct name_source *source, const char *word, struct error *err);
void object_name_release(struct object *name);

/* The word that a kind could have been called and that is nearest, or NULL. The caller frees. */
char *object_name_nearest(const struct name_source *source, const char *word);

#endif
