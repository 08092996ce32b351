/* SPDX-License-Identifier: Apache-2.0 */
/* A page of a list, cut into its items, is what a JSON parser makes of the whole: no item is lost, added or another one. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/kube/page.h"
#include "kube/list.h"
#include "util/error.h"
#include "util/json.h"
#include "util/strbuf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The item as it is parsed after the cut; NULL when it is no JSON. */
static json_t *parse_item(const struct kube_raw *raw)
{
	struct error err = ERROR_INIT;
	auto_strbuf struct strbuf text = STRBUF_INIT;

	page_item_text(raw, &text);
	return json_read(text.buf, text.len, &err);
}

static void check_item(const struct page *page, size_t index, const json_t *items)
{
	struct kube_raw raw = {0};
	auto_json json_t *read = NULL, *want = json_deep_copy(json_array_get(items, index));

	page_item(page, index, &raw);
	read = parse_item(&raw);
	if (raw.managed_fields)
		json_object_del(json_object_get(want, "metadata"), "managedFields");
	if (!read || !json_equal(read, want))
		abort();
}

static void check_page(const struct page *page, const json_t *whole)
{
	const json_t *items = json_object_get(whole, "items");
	auto_json json_t *rest = json_copy((json_t *)(uintptr_t)whole);

	if (page->count > 0) {
		if (json_array_size(items) != page->count)
			abort();
		json_object_set_new(rest, "items", json_array());
	}
	if (!json_equal(page->head, rest))
		abort();
	for (size_t i = 0; i < page->count; i++)
		check_item(page, i, items);
}

/* Not one JSON document: then it is no page, or one of its items is none, unless what is wrong is in a managedFields, which nobody parses. */
static void check_damage(const struct page *page)
{
	for (size_t i = 0; i < page->count; i++) {
		struct kube_raw raw = {0};
		auto_json json_t *item = NULL;

		page_item(page, i, &raw);
		item = parse_item(&raw);
		if (!item || raw.managed_fields)
			return;
	}
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = ERROR_INIT, page_err = ERROR_INIT;
	struct strbuf body = STRBUF_INIT;
	struct page page = PAGE_INIT;
	auto_json json_t *whole = json_read((const char *)data, size, &err);

	strbuf_add(&body, data, size);
	if (page_read(&page, &body, &page_err) == 0) {
		if (whole)
			check_page(&page, whole);
		else if (!strstr(err.text, "nested too deep")) /* an item stands two levels higher alone */
			check_damage(&page);
	} else if (whole) {
		abort();
	}
	page_release(&page);
	strbuf_release(&body);
	return 0;
}
