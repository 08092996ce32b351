/* SPDX-License-Identifier: Apache-2.0 */
/*
 * canonical - the one text of a JSON value, as YAML (design.md section 5): the same value gives the same bytes for ever.
 *
 * Keys sorted bytewise, block style, two spaces, list items at the indent of their key, empty maps and lists as {} and [], no line is ever
 * folded. A string is written in the first of these forms that every YAML 1.1 and 1.2 reader reads as exactly this string:
 *
 *   plain           starts with a letter, '_' or '/', one line, not a word that a reader takes for a boolean or null
 *   literal block   more than one line; "|" ends in one newline, "|-" in none, "|+" in more
 *   single quotes   one line
 *   double quotes   the rest, with escapes: controls, carriage returns, line separators, marks that turn the direction of text
 *
 * Keys are written so too, without literal blocks; one too long for a YAML simple key (1,024) gets the explicit form "? key".
 */
#ifndef RHAII_OBJECT_CANONICAL_H
#define RHAII_OBJECT_CANONICAL_H

#include <jansson.h>

struct strbuf;

/* Append the text, ending in a newline. */
void canonical_yaml(const json_t *value, struct strbuf *out);

#endif
