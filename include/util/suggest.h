/* SPDX-License-Identifier: Apache-2.0 */
/* suggest - did you mean? */
#ifndef RHAII_UTIL_SUGGEST_H
#define RHAII_UTIL_SUGGEST_H

struct strlist;

/* The nearest of names (NULL-terminated) to a mistyped word, when it is near enough; else NULL. */
const char *suggest(const char *word, const char *const *names);
/* The same, of a list. */
const char *suggest_of(const char *word, const struct strlist *list);

#endif
