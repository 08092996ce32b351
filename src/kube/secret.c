/* SPDX-License-Identifier: Apache-2.0 */
#include "secret.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "util/mem.h"
#include "util/strbuf.h"

void secret_free(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

void secret_strbuf_release(struct strbuf *sb)
{
	if (sb->cap > 0)
		explicit_bzero(sb->buf, sb->cap);
	strbuf_release(sb);
}

void secret_list_release(struct strlist *list)
{
	for (size_t i = 0; i < list->count; i++)
		explicit_bzero(list->items[i], strlen(list->items[i]));
	strlist_release(list);
}

static void wipe(json_t *value)
{
	const char *key;
	json_t *item;
	size_t i;

	if (json_is_string(value)) {
		/* jansson gives no other way in; the text is its own copy. */
		uintptr_t text = (uintptr_t)json_string_value(value);

		explicit_bzero((void *)text, json_string_length(value));
	}
	json_array_foreach (value, i, item)
		wipe(item);
	json_object_foreach (value, key, item)
		wipe(item);
}

void secret_json_release(json_t **value)
{
	wipe(*value);
	json_decref(*value);
	*value = NULL;
}
