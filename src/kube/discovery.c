/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/discovery.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "kube/client.h"
#include "util/error.h"
#include "util/http.h"
#include "util/json.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/strbuf.h"

#define ACCEPT_AGGREGATED "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
#define GROUP_DEADLINE_MS (10 * 1000) /* one aggregated API server that is down must not hold up the rest */

/* Entries stand in server order, the preferred version of a group first. */
struct discovery {
	struct kube_resource *items;
	size_t count, cap;
	struct strlist incomplete; /* groups */
};

/* What is found at a place in the document. */
struct spot {
	const char *group;
	const char *version;
};

void discovery_free(struct discovery *discovery)
{
	if (!discovery)
		return;
	for (size_t i = 0; i < discovery->count; i++) {
		free(discovery->items[i].group);
		free(discovery->items[i].version);
		free(discovery->items[i].resource);
		free(discovery->items[i].kind);
	}
	free(discovery->items);
	strlist_release(&discovery->incomplete);
	free(discovery);
}

static void discovery_cleanup(struct discovery **discovery)
{
	discovery_free(*discovery);
}

#define auto_discovery __attribute__((cleanup(discovery_cleanup)))

static bool same(const char *a, const char *b)
{
	return a && strcmp(a, b) == 0;
}

static void mark_incomplete(struct discovery *discovery, const char *group)
{
	if (!strlist_contains(&discovery->incomplete, group))
		strlist_add(&discovery->incomplete, group);
}

/* Subresources ("pods/status") and entries without a kind (a place that only has subresources) are no resources of their own. */
static void add(struct discovery *discovery, const struct spot *spot, const char *resource, const char *kind, bool namespaced)
{
	if (!resource || !*resource || !kind || !*kind || strchr(resource, '/'))
		return;
	discovery->items = xgrow(discovery->items, &discovery->cap, discovery->count + 1, sizeof(*discovery->items));
	discovery->items[discovery->count++] = (struct kube_resource){
		.group = xstrdup(spot->group),
		.version = xstrdup(spot->version),
		.resource = xstrdup(resource),
		.kind = xstrdup(kind),
		.namespaced = namespaced,
	};
}

static int fetch(struct kube_client *client, const char *path, const char *accept, int64_t deadline_ms, json_t **out, struct error *err)
{
	struct kube_request request = {.method = "GET", .path = path, .accept = accept, .deadline_ms = deadline_ms};

	if (kube_call(client, &request, out, err) < 0)
		return error_wrap(err, "discovery of '%s'", path);
	return 0;
}

static int malformed(const char *path, const char *what, struct error *err)
{
	return error_set(err, ERR_REJECTED, "discovery of '%s': the answer has no %s", path, what);
}

/* ---- aggregated: one document for all groups ---- */

static void take_version(struct discovery *discovery, const char *group, const json_t *version)
{
	struct spot spot = {.group = group, .version = json_text_at(version, "version", NULL)};
	json_t *resource = NULL;
	size_t i = 0;

	/* Stale: the server that has the group did not answer lately; what follows is old or empty. */
	if (!spot.version || same(json_text_at(version, "freshness", NULL), "Stale"))
		mark_incomplete(discovery, group);
	if (!spot.version)
		return;
	json_array_foreach (json_object_get(version, "resources"), i, resource) {
		add(discovery, &spot, json_text_at(resource, "resource", NULL), json_text_at(resource, "responseKind", "kind", NULL),
			same(json_text_at(resource, "scope", NULL), "Namespaced"));
	}
}

static int take_aggregated(struct discovery *discovery, const char *path, const json_t *doc, struct error *err)
{
	json_t *items = json_object_get(doc, "items");
	json_t *group = NULL;
	size_t i = 0;

	if (!json_is_array(items))
		return malformed(path, "items", err);
	json_array_foreach (items, i, group) {
		const char *name = json_text_at(group, "metadata", "name", NULL);
		json_t *version = NULL;
		size_t j = 0;

		json_array_foreach (json_object_get(group, "versions"), j, version) {
			take_version(discovery, name ? name : "", version);
		}
	}
	return 0;
}

/* ---- the older documents: one for the groups, one for each version of each ---- */

/* A version that cannot be read makes its group incomplete; one that is gone meanwhile is not served. */
static void take_group_version(struct discovery *discovery, struct kube_client *client, const struct spot *spot)
{
	auto_strbuf struct strbuf path = STRBUF_INIT;
	auto_json json_t *doc = NULL;
	struct error err = ERROR_INIT;
	json_t *resource = NULL;
	size_t i = 0;

	strbuf_adds(&path, *spot->group ? "/apis/" : "/api/");
	if (*spot->group) {
		http_escape(&path, spot->group);
		strbuf_addc(&path, '/');
	}
	http_escape(&path, spot->version);
	if (fetch(client, path.buf, NULL, GROUP_DEADLINE_MS, &doc, &err) < 0 || !json_is_array(json_object_get(doc, "resources"))) {
		if (err.code != ERR_NOT_FOUND)
			mark_incomplete(discovery, spot->group);
		log_debug("%s", err.code == ERR_NONE ? "a discovery document has no resources" : err.text);
		return;
	}
	json_array_foreach (json_object_get(doc, "resources"), i, resource) {
		add(discovery, spot, json_text_at(resource, "name", NULL), json_text_at(resource, "kind", NULL),
			json_is_true(json_object_get(resource, "namespaced")));
	}
}

/* The versions of one group: the preferred one (when it is among them), then the others as they come. */
static void take_group(struct discovery *discovery, struct kube_client *client, const json_t *group)
{
	struct spot spot = {
		.group = json_text_at(group, "name", NULL), .version = json_text_at(group, "preferredVersion", "version", NULL)};
	const char *preferred = spot.version;
	json_t *version = NULL;
	size_t i = 0;

	if (!spot.group)
		return;
	if (preferred)
		take_group_version(discovery, client, &spot);
	json_array_foreach (json_object_get(group, "versions"), i, version) {
		spot.version = json_text_at(version, "version", NULL);
		if (spot.version && !same(preferred, spot.version))
			take_group_version(discovery, client, &spot);
	}
}

static int take_legacy_core(struct discovery *discovery, struct kube_client *client, const json_t *doc, struct error *err)
{
	json_t *versions = json_object_get(doc, "versions");
	json_t *version = NULL;
	size_t i = 0;

	if (!json_is_array(versions))
		return malformed("/api", "versions", err);
	json_array_foreach (versions, i, version) {
		struct spot spot = {.group = "", .version = json_string_value(version)};

		if (spot.version)
			take_group_version(discovery, client, &spot);
	}
	return 0;
}

static int take_legacy_groups(struct discovery *discovery, struct kube_client *client, const json_t *doc, struct error *err)
{
	json_t *groups = json_object_get(doc, "groups");
	json_t *group = NULL;
	size_t i = 0;

	if (!json_is_array(groups))
		return malformed("/apis", "groups", err);
	json_array_foreach (groups, i, group) {
		take_group(discovery, client, group);
	}
	return 0;
}

/* ---- both ---- */

static int load_root(struct discovery *discovery, struct kube_client *client, const char *path, struct error *err)
{
	auto_json json_t *doc = NULL;

	if (fetch(client, path, ACCEPT_AGGREGATED, 0, &doc, err) < 0)
		return -1;
	if (same(json_text_at(doc, "kind", NULL), "APIGroupDiscoveryList"))
		return take_aggregated(discovery, path, doc, err);
	if (same(path, "/api"))
		return take_legacy_core(discovery, client, doc, err);
	return take_legacy_groups(discovery, client, doc, err);
}

void discovery_expect(struct kube_client *client)
{
	static const struct kube_request roots[] = {
		{.method = "GET", .path = "/api", .accept = ACCEPT_AGGREGATED},
		{.method = "GET", .path = "/apis", .accept = ACCEPT_AGGREGATED},
	};

	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++)
		kube_expect(client, &roots[i]);
}

int discovery_load(struct discovery **out, struct kube_client *client, struct error *err)
{
	auto_discovery struct discovery *discovery = xcalloc(1, sizeof(*discovery));

	if (load_root(discovery, client, "/api", err) < 0 || load_root(discovery, client, "/apis", err) < 0)
		return -1;
	*out = discovery;
	discovery = NULL;
	return 0;
}

static bool matches(const struct kube_resource *item, const char *group, const char *version)
{
	return same(item->group, group) && (!version || same(item->version, version));
}

const struct kube_resource *discovery_find(const struct discovery *discovery, const char *group, const char *resource, const char *version)
{
	for (size_t i = 0; i < discovery->count; i++)
		if (matches(&discovery->items[i], group, version) && same(discovery->items[i].resource, resource))
			return &discovery->items[i];
	return NULL;
}

const struct kube_resource *discovery_find_kind(const struct discovery *discovery, const char *group, const char *kind, const char *version)
{
	for (size_t i = 0; i < discovery->count; i++)
		if (matches(&discovery->items[i], group, version) && same(discovery->items[i].kind, kind))
			return &discovery->items[i];
	return NULL;
}

const char **discovery_versions(const struct discovery *discovery, const char *group, const char *resource)
{
	const char **versions = NULL;
	size_t count = 0;

	for (size_t i = 0; i < discovery->count; i++) {
		const struct kube_resource *item = &discovery->items[i];

		if (!matches(item, group, NULL) || !same(item->resource, resource))
			continue;
		if (!versions)
			versions = xcalloc(discovery->count + 1, sizeof(*versions));
		versions[count++] = item->version;
	}
	return versions;
}

bool discovery_incomplete(const struct discovery *discovery, const char *group)
{
	return strlist_contains(&discovery->incomplete, group);
}

/* ---- paths ---- */

/* "." and ".." name no object, but on the way they could lead to another path (RFC 3986, 5.2.4). */
static void add_segment(struct strbuf *out, const char *text)
{
	strbuf_addc(out, '/');
	if (same(text, "."))
		strbuf_adds(out, "%2E");
	else if (same(text, ".."))
		strbuf_adds(out, "%2E%2E");
	else
		http_escape(out, text);
}

void kube_path(struct strbuf *out, const struct kube_resource *resource, const char *namespace_, const char *name)
{
	strbuf_adds(out, *resource->group ? "/apis" : "/api");
	if (*resource->group)
		add_segment(out, resource->group);
	add_segment(out, resource->version);
	if (resource->namespaced && namespace_ && *namespace_) {
		strbuf_adds(out, "/namespaces");
		add_segment(out, namespace_);
	}
	add_segment(out, resource->resource);
	if (name)
		add_segment(out, name);
}

char *kube_api_version(const struct kube_resource *resource)
{
	return *resource->group ? xasprintf("%s/%s", resource->group, resource->version) : xstrdup(resource->version);
}
