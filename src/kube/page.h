/* SPDX-License-Identifier: Apache-2.0 */
/*
 * page - one page of a list, cut into its items without parsing them.
 *
 * What stands around the items becomes a small JSON document and is parsed; metadata may come before or after them. Brackets and strings of the
 * whole page are walked, so that a page that was cut off is seen before its first item is. What an item holds is checked by whoever parses it.
 */
#ifndef RHAII_KUBE_PAGE_H
#define RHAII_KUBE_PAGE_H

#include <jansson.h>
#include <stddef.h>

#include "util/strbuf.h"

struct error;
struct kube_raw;

struct page {
	struct strbuf text; /* as it came; the page owns it */
	json_t *head;       /* the list without its items: "items" is [] or whatever else is there */
	struct page_span {
		size_t at, len; /* in text */
	} * spans;              /* one an item */
	size_t count, cap;
};
#define PAGE_INIT                                                                                                                          \
	{                                                                                                                                  \
		.text = STRBUF_INIT                                                                                                        \
	}

/* Takes the bytes of body. ERR_SYNTAX when they are not one whole JSON document. */
int page_read(struct page *page, struct strbuf *body, struct error *err);
void page_release(struct page *page);

void page_item(const struct page *page, size_t index, struct kube_raw *out);
/* Append the item's JSON without its managedFields, which are a third of it and seldom needed as values. */
void page_item_text(const struct kube_raw *raw, struct strbuf *out);

#endif
