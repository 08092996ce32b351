/* SPDX-License-Identifier: Apache-2.0 */
/* The list `environment` of requirements.yaml. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "facts.h"
#include "internal.h"
#include "object/object.h"

struct adding {
	struct environment *environment;
	const struct object *object;
	size_t at; /* its name in words; SIZE_MAX: not there yet */
};

static size_t text_add(struct environment *environment, const char *text)
{
	size_t at = environment->text.len;

	strbuf_add(&environment->text, text, strlen(text) + 1);
	return at;
}

static void add_item(const char *path, const char *yaml, void *arg)
{
	struct adding *adding = arg;
	struct environment *environment = adding->environment;
	struct environment_item *item;

	if (adding->at == SIZE_MAX) {
		adding->at = environment->text.len;
		object_describe(adding->object, &environment->text);
		strbuf_add(&environment->text, "", 1);
	}
	environment->items = xgrow(environment->items, &environment->cap, environment->count + 1, sizeof(*environment->items));
	item = &environment->items[environment->count++];
	*item = (struct environment_item){.object = adding->at, .path = text_add(environment, path)};
	(void)text_add(environment, yaml);
}

void environment_add(struct environment *environment, const struct object *object, const struct facts *facts)
{
	struct adding adding = {.environment = environment, .object = object, .at = SIZE_MAX};

	facts_environment(facts, add_item, &adding);
}

static int compare_items(const void *a, const void *b, void *text)
{
	const struct environment_item *x = a, *y = b;
	const char *base = text;
	int order = x->object == y->object ? 0 : strcmp(base + x->object, base + y->object);

	return order ? order : strcmp(base + x->path, base + y->path);
}

void environment_write(struct environment *environment, struct strbuf *out)
{
	const char *text = environment->text.buf;

	if (environment->count == 0) {
		strbuf_adds(out, "environment: []\n");
		return;
	}
	qsort_r(environment->items, environment->count, sizeof(*environment->items), compare_items, environment->text.buf);
	strbuf_adds(out, "environment:\n");
	for (size_t i = 0; i < environment->count; i++) {
		const char *path = text + environment->items[i].path;

		strbuf_adds(out, path + strlen(path) + 1);
	}
}

void environment_release(struct environment *environment)
{
	strbuf_release(&environment->text);
	free(environment->items);
	*environment = (struct environment){.text = STRBUF_INIT};
}
