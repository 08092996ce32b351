/* SPDX-License-Identifier: Apache-2.0 */
#include "util/mem.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/error.h"

#define LARGE (512 << 10) /* bytes */

/* No clean-up, no core (it would hold credentials): every state on disk is safe at any instant. */
void mem_die(void)
{
	static const char text[] = "rhaii-dr: out of memory\n";
	ssize_t written = write(STDERR_FILENO, text, sizeof(text) - 1);

	(void)written;
	_exit(ERR_FAILED);
}

static void *check(void *memory)
{
	if (!memory)
		mem_die();
	return memory;
}

void *xmalloc(size_t size)
{
	return check(malloc(size ? size : 1));
}

void *xcalloc(size_t count, size_t size)
{
	return check(calloc(count ? count : 1, size ? size : 1));
}

void *xrealloc(void *old, size_t size)
{
	return check(realloc(old, size ? size : 1));
}

void *xgrow(void *old, size_t *cap, size_t need, size_t size)
{
	size_t wanted = *cap <= SIZE_MAX / 2 && *cap * 2 > need ? *cap * 2 : need;
	size_t bytes;

	if (old && need <= *cap)
		return old;
	if (wanted < 8)
		wanted = 8;
	if (__builtin_mul_overflow(wanted, size, &bytes))
		mem_die();
	*cap = wanted;
	return xrealloc(old, bytes);
}

char *xstrdup(const char *text)
{
	return text ? check(strdup(text)) : NULL;
}

char *xstrndup(const char *text, size_t len)
{
	return check(strndup(text, len));
}

char *xasprintf(const char *fmt, ...)
{
	va_list args;
	char *text;
	int len;

	va_start(args, fmt);
	len = vasprintf(&text, fmt, args);
	va_end(args);
	if (len < 0)
		mem_die();
	return text;
}

void mem_set_up(void)
{
	(void)mallopt(M_MMAP_THRESHOLD, LARGE);
}

void mem_trim(void)
{
	(void)malloc_trim(0);
}

/* Called with the address of a pointer of any type, which must not be read as a void * in place. */
void mem_free_pointer(void *pointer_to_pointer)
{
	void *memory;

	memcpy(&memory, pointer_to_pointer, sizeof(memory));
	free(memory);
}

void strlist_add(struct strlist *list, const char *text)
{
	list->items = xgrow(list->items, &list->cap, list->count + 1, sizeof(*list->items));
	list->items[list->count++] = xstrdup(text);
}

static int compare_items(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void strlist_sort_unique(struct strlist *list)
{
	size_t kept = 0;

	if (list->count == 0)
		return;
	qsort(list->items, list->count, sizeof(*list->items), compare_items);
	for (size_t i = 1; i < list->count; i++) {
		if (strcmp(list->items[kept], list->items[i]) == 0)
			free(list->items[i]);
		else
			list->items[++kept] = list->items[i];
	}
	list->count = kept + 1;
}

int strlist_contains(const struct strlist *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i], text) == 0)
			return 1;
	return 0;
}

void strlist_release(struct strlist *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct strlist)STRLIST_INIT;
}
