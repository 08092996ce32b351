/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clusters full of random objects: what a snapshot of one holds, brought to an empty cluster and captured there, is the same snapshot; and the order in
 * which a server lists things never shows. RANDOM_SEEDS=N in the environment tries more of them.
 */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "any_value.h"
#include "object/object.h"
#include "snapshot_support.h"
#include "store/snapshot.h"
#include "util/json.h"
#include "util/strbuf.h"

/* The kinds of the policy, and what is inventoried. */
enum { SERVICES_, ROUTES_, CERTIFICATES_, CONFIGS_, ACCOUNTS_, SPACES_, DEPLOYMENTS_, KINDS };
static const struct {
	const char *resource, *path, *version, *kind;
} kinds[KINDS] = {
	{"services", "/services?", "s.io/v1", "Service"},
	{"routes", "/routes?", "r.io/v1", "Route"},
	{"certificates", "/certificates?", "c.io/v1", "Certificate"},
	{"configmaps", "/configmaps?", "v1", "ConfigMap"},
	{"serviceaccounts", "/serviceaccounts?", "v1", "ServiceAccount"},
	{"namespaces", "GET /api/v1/namespaces?", "v1", "Namespace"},
	{"deployments", "/deployments?", "meta.k8s.io/v1", "PartialObjectMetadata"},
};

/* More namespaces than a capture lists one by one: each list is then asked for once. */
#define SPACE_COUNT 12
#define WORLD_BYTES (8 << 20)

static struct chance chance;

/* What a cluster has, by kind; and how much of it a snapshot must hold. */
struct world {
	json_t *objects[KINDS];
	size_t authored;
};

static void world_release(struct world *world)
{
	for (size_t i = 0; i < KINDS; i++)
		json_decref(world->objects[i]);
}

static void world_init(struct world *world)
{
	*world = (struct world){0};
	for (size_t i = 0; i < KINDS; i++)
		world->objects[i] = json_array();
}

/* A map of texts, which annotations take any of; no server tells an empty one. */
static void set_texts(json_t *object, const char *key)
{
	json_t *texts = json_object();

	for (size_t i = chance_pick(&chance, 5); i > 0; i--) {
		auto_strbuf struct strbuf name = STRBUF_INIT, value = STRBUF_INIT;
		any_plain_scalar(&chance, &name);
		(chance_pick(&chance, 2) ? any_yaml : any_plain_scalar)(&chance, &value);
		json_object_set_new(texts, name.buf, json_stringn(value.buf, value.len));
	}
	if (json_object_size(texts) > 0)
		json_object_set(object, key, texts);
	json_decref(texts);
}

/* Unique by its number; with whatever a name may hold, and now and then too long for a file. */
static char *random_name(size_t number)
{
	static const char bytes[] = "abcxyz0189-.:_ABZ";
	auto_strbuf struct strbuf name = STRBUF_INIT;
	size_t length = chance_pick(&chance, 20) ? chance_pick(&chance, 30) : 200;

	strbuf_addf(&name, "n%zu", number);
	for (size_t i = 0; i < length; i++)
		strbuf_addc(&name, bytes[chance_pick(&chance, sizeof(bytes) - 1)]);
	return xstrdup(name.buf);
}

static json_t *add_object(struct world *world, size_t kind, size_t space, const char *name)
{
	auto_free char *ns = xasprintf("ns-%zu", space);
	json_t *meta = json_pack("{s:s, s:s}", "name", name, "namespace", ns);
	json_t *object = json_pack("{s:s, s:s, s:o}", "apiVersion", kinds[kind].version, "kind", kinds[kind].kind, "metadata", meta);

	set_texts(meta, "annotations");
	set_texts(meta, "labels");
	json_array_append_new(world->objects[kind], object);
	return object;
}

static json_t *add_random(struct world *world, size_t kind, size_t space)
{
	auto_free char *name = random_name(json_array_size(world->objects[kind]));
	json_t *object = add_object(world, kind, space, name), *value = any_value(&chance, 5);

	/* The fields that the policy reads as references are of a type of their own. */
	for (const char *const *key =
			(const char *const[]){"secret", "token", "config", "configs", "account", "route", "class", "host", NULL};
		*key; key++)
		if (json_is_object(value))
			json_object_del(value, *key);
	json_object_set_new(object, "spec", json_is_object(value) ? json_incref(value) : json_pack("{s:O}", "value", value));
	json_decref(value);
	return object;
}

/* A child of a service: generated, and no part of the snapshot's objects. */
static void add_child(struct world *world, size_t kind, size_t space, const json_t *service)
{
	auto_free char *name = xasprintf("child-%zu", json_array_size(world->objects[kind]));
	json_t *child = add_object(world, kind, space, name);
	json_t *owner = json_pack("{s:s, s:s, s:s, s:s, s:b}", "apiVersion", "s.io/v1", "kind", "Service", "name",
		json_text_at(service, "metadata", "name", NULL), "uid", json_text_at(service, "metadata", "name", NULL), "controller", 1);

	json_object_set_new(json_object_get(child, "metadata"), "ownerReferences", json_pack("[o]", owner));
}

static void refer(struct world *world, json_t *service, size_t kind, size_t space, const char *key)
{
	const json_t *target = add_random(world, kind, space);

	json_object_set_new(json_object_get(service, "spec"), key, json_string(json_text_at(target, "metadata", "name", NULL)));
	world->authored++;
}

static void fill_space(struct world *world, size_t space)
{
	auto_free char *name = xasprintf("ns-%zu", space);
	json_t *namespace_ = add_object(world, SPACES_, space, name);

	json_object_del(json_object_get(namespace_, "metadata"), "namespace");
	for (size_t i = 4 + chance_pick(&chance, 8); i > 0; i--) {
		json_t *service = add_random(world, SERVICES_, space);
		refer(world, service, CONFIGS_, space, "config");
		refer(world, service, ACCOUNTS_, space, "account");
		add_child(world, DEPLOYMENTS_, space, service);
		add_child(world, ROUTES_, space, service);
		(void)add_random(world, CONFIGS_, space); /* that nobody refers to */
		world->authored++;
	}
	for (size_t i = chance_pick(&chance, 20); i > 0; i--, world->authored++)
		(void)add_random(world, ROUTES_, space);
	(void)add_object(world, ROUTES_, space, "preset");
	(void)add_object(world, CONFIGS_, space, "root-ca");
	world->authored++; /* the namespace */
}

static void world_random(struct world *world, uint64_t seed)
{
	world_init(world);
	chance_seed(&chance, seed);
	for (size_t i = 0; i < SPACE_COUNT; i++)
		fill_space(world, i);
}

/* ---- the server ---- */

static void shuffle(json_t *list)
{
	for (size_t i = json_array_size(list); i > 1; i--) {
		size_t other = chance_pick(&chance, i);
		json_t *last = json_incref(json_array_get(list, i - 1)), *chosen = json_incref(json_array_get(list, other));
		json_array_set_new(list, i - 1, chosen);
		json_array_set_new(list, other, last);
	}
}

/* As a server tells it: with what it alone writes, and no type on the items of a list. The order of keys is another each time. */
static json_t *served(const json_t *object, size_t number)
{
	auto_json json_t *copy = json_deep_copy(object), *keys = json_array();
	auto_free char *version = xasprintf("%zu", 10 + number);
	json_t *meta = json_object_get(copy, "metadata"), *out = json_object(), *key;
	const char *name = json_text_at(meta, "name", NULL), *text;
	json_t *value;
	size_t i;

	json_object_set_new(meta, "uid", json_string(name)); /* as add_child refers to it */
	json_object_set_new(meta, "resourceVersion", json_string(version));
	json_object_set_new(meta, "generation", json_integer((json_int_t)number));
	json_object_set_new(meta, "managedFields", json_pack("[{s:s, s:{s:{}}}]", "manager", "kubectl", "fieldsV1", "f:spec"));
	json_object_set_new(copy, "status", any_value(&chance, 3));
	json_object_del(copy, "apiVersion");
	json_object_del(copy, "kind");
	json_object_foreach (copy, text, value)
		json_array_append_new(keys, json_string(text));
	shuffle(keys);
	json_array_foreach (keys, i, key)
		json_object_set(out, json_string_value(key), json_object_get(copy, json_string_value(key)));
	return out;
}

static char *list_text(const struct world *world, size_t kind)
{
	json_t *items = json_array(), *object;
	auto_json json_t *list = json_pack("{s:s, s:s+, s:{s:s}, s:o}", "apiVersion", kinds[kind].version, "kind", kinds[kind].kind, "List",
		"metadata", "resourceVersion", "7", "items", items);
	auto_strbuf struct strbuf text = STRBUF_INIT;
	size_t i;

	json_array_foreach (world->objects[kind], i, object)
		json_array_append_new(items, served(object, i + chance_pick(&chance, 1000)));
	shuffle(items);
	json_write(list, &text);
	assert_true(text.len < WORLD_BYTES);
	return strbuf_detach(&text, NULL);
}

/* Capture the world as this cluster; the tree is at clusters/NAME. */
static void capture(struct snapshot_fixture *f, const struct world *world, const char *name)
{
	char *texts[KINDS];

	snapshot_hello(f);
	for (size_t i = 0; i < KINDS; i++) {
		texts[i] = list_text(world, i);
		fake_cluster_say(&f->cluster, kinds[i].path, 200, "")->body = texts[i];
	}
	fake_cluster_list(&f->cluster, kinds[DEPLOYMENTS_].path, "meta.k8s.io/v1", "PartialObjectMetadata", "");
	f->options.cluster = name;
	snapshot_take(f);
	for (size_t i = 0; i < KINDS; i++)
		free(texts[i]);
}

/* ---- the restore ---- */

/* The objects that a restore would send, as it sends them. */
static void world_restored(struct world *world, const char *cluster)
{
	const struct snapshot_source source = {.repo = "repo", .cluster = cluster};
	struct snapshot *snapshot;
	struct error err = ERROR_INIT;

	world_init(world);
	if (snapshot_open(&snapshot, &source, NULL, &err) < 0)
		fail_msg("%s", err.text);
	for (size_t i = 0; i < snapshot->object_count; i++) {
		const struct object *object = snapshot->objects[i];
		size_t kind = 0;
		while (kind < KINDS && strcmp(kinds[kind].resource, object->resource) != 0)
			kind++;
		assert_true(kind < KINDS);
		json_array_append(world->objects[kind], object->json);
	}
	world->authored = snapshot->object_count;
	snapshot_free(snapshot);
}

static const json_t *find(const struct world *world, size_t kind, const json_t *like)
{
	const char *ns = json_text_at(like, "metadata", "namespace", NULL), *name = json_text_at(like, "metadata", "name", NULL);
	json_t *object;
	size_t i;

	json_array_foreach (world->objects[kind], i, object) {
		const char *its_ns = json_text_at(object, "metadata", "namespace", NULL);
		if (strcmp(its_ns ? its_ns : "", ns ? ns : "") == 0 && strcmp(json_text_at(object, "metadata", "name", NULL), name) == 0)
			return object;
	}
	return NULL;
}

/* Every object of the second is in the first, value by value. */
static void assert_unchanged(const struct world *authored, const struct world *restored)
{
	json_t *object;
	size_t i;

	assert_int_equal(restored->authored, authored->authored);
	for (size_t kind = 0; kind < KINDS; kind++)
		json_array_foreach (restored->objects[kind], i, object) {
			const json_t *original = find(authored, kind, object);
			assert_non_null(original);
			if (!json_equal(original, object))
				fail_msg("%s\n%s", json_dumps(original, JSON_SORT_KEYS), json_dumps(object, JSON_SORT_KEYS));
		}
}

static void assert_same_at(const char *a, const char *b, const char *path)
{
	auto_free char *first = shell_output("git -C repo rev-parse clusters/%s:%s", a, path);
	auto_free char *second = shell_output("git -C repo rev-parse clusters/%s:%s", b, path);

	assert_string_equal(first, second);
}

static size_t seeds(void)
{
	const char *text = getenv("RANDOM_SEEDS");
	size_t count = text ? strtoul(text, NULL, 10) : 0;

	return count ? count : 6;
}

/* ---- the claims ---- */

static void test_a_snapshot_of_the_restored_is_the_snapshot(void **fixture)
{
	for (size_t seed = 1; seed <= seeds(); seed++) {
		auto_free char *one = xasprintf("one-%zu", seed), *two = xasprintf("two-%zu", seed);
		struct world world, restored;

		world_random(&world, seed);
		capture(*fixture, &world, one);
		world_restored(&restored, one);
		assert_unchanged(&world, &restored);
		capture(*fixture, &restored, two);
		assert_same_at(one, two, "objects");
		world_release(&world);
		world_release(&restored);
	}
}

/* A first capture by another name knows nothing; a second one by the same name takes what it can from the cache. */
static void test_the_order_of_lists_does_not_show(void **fixture)
{
	for (size_t seed = 101; seed <= 100 + seeds(); seed++) {
		auto_free char *one = xasprintf("one-%zu", seed), *two = xasprintf("two-%zu", seed);
		struct world world;

		world_random(&world, seed);
		capture(*fixture, &world, one);
		capture(*fixture, &world, two);
		for (const char *const *path = (const char *const[]){"objects", "generated.yaml", "requirements.yaml", NULL}; *path; path++)
			assert_same_at(one, two, *path);
		capture(*fixture, &world, one);
		assert_true(json_is_false(json_object_get(((struct snapshot_fixture *)*fixture)->result, "changed")));
		world_release(&world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_snapshot_of_the_restored_is_the_snapshot, snapshot_set_up, snapshot_tear_down),
		cmocka_unit_test_setup_teardown(test_the_order_of_lists_does_not_show, snapshot_set_up, snapshot_tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
