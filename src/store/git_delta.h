/* SPDX-License-Identifier: Apache-2.0 */
/*
 * git_delta - a text as its difference from another one, in git's form (gitformat-pack(5), "deltified representation").
 *
 * For texts of many short lines, of which most are in the other text too, as two objects of a kind are. What is found depends on nothing but the two texts.
 */
#ifndef RHAII_STORE_GIT_DELTA_H
#define RHAII_STORE_GIT_DELTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/strbuf.h"

#define DELTA_TEXT_MAX ((size_t)0xFFFF) /* bytes of either text */
#define DELTA_SLOTS 4096

struct delta_base {
	struct strbuf text;
	uint16_t lines[DELTA_SLOTS]; /* where a line with this hash starts, and 1; 0: nowhere */
};

/* Keeps a copy of the text, of at most DELTA_TEXT_MAX bytes, which replaces the one before. */
void delta_base_set(struct delta_base *base, const char *data, size_t len);
void delta_base_release(struct delta_base *base);
/* Replace what is in out. False when the difference would be more than half of the text, when there is no base, or for a text that is too long. */
bool delta_make(const struct delta_base *base, const char *data, size_t len, struct strbuf *out);

#endif
