/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mem - allocation that cannot fail (out of memory ends the program) and cleanup by attribute.
 */
#ifndef RHAII_UTIL_MEM_H
#define RHAII_UTIL_MEM_H

#include <stddef.h>

/* End the program for lack of memory: where a library says so. */
_Noreturn void mem_die(void);

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *old, size_t size);
/* Grow an array of items of size bytes so that it holds at least need of them; *cap counts items. */
void *xgrow(void *old, size_t *cap, size_t need, size_t size);
char *xstrdup(const char *text); /* NULL gives NULL */
char *xstrndup(const char *text, size_t len);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Once, at the start: what is large goes back to the system when it is freed, and grows without a second copy. Left alone, glibc takes the size of the largest buffer
 * that was freed (a page of a list) for small from then on.
 */
void mem_set_up(void);
/* Give free memory back to the system, also such as lies between what is in use: after much has been freed, before much else is asked for. */
void mem_trim(void);

void mem_free_pointer(void *pointer_to_pointer);
#define auto_free __attribute__((cleanup(mem_free_pointer)))

/* A list of strings that it owns. */
struct strlist {
	char **items;
	size_t count, cap;
};
#define STRLIST_INIT                                                                                                                       \
	{                                                                                                                                  \
		0                                                                                                                          \
	}
void strlist_add(struct strlist *list, const char *text);
void strlist_sort_unique(struct strlist *list);
int strlist_contains(const struct strlist *list, const char *text);
void strlist_release(struct strlist *list);
#define auto_strlist __attribute__((cleanup(strlist_release)))

#endif
