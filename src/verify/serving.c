/* SPDX-License-Identifier: Apache-2.0 */
/* Where each model is asked, and what it may be told. */
#include "verify/serving.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "object/fieldpath.h"
#include "object/object.h"
#include "policy/policy.h"
#include "probing.h"
#include "store/snapshot.h"
#include "util/cidr.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/file.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"
#include "verify/endpoint.h"
#include "verify/judge.h"
#include "verify/look.h"

#define GATEWAY_GROUP "gateway.networking.k8s.io"
#define GATEWAYS "gateways"
#define CA_MAX ((size_t)1 << 20)
#define TOKEN_MAX ((size_t)64 << 10)

/* ---- settings ---- */

int serving_read_ca(struct serving_settings *settings, const char *path, struct error *err)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;

	if (!path)
		return 0;
	if (file_read(path, CA_MAX, &text, err) < 0) {
		err->code = ERR_USAGE;
		return error_wrap(err, "the certificate authority of the probes");
	}
	if (!strstr(text.buf, "-----BEGIN CERTIFICATE-----"))
		return error_set(err, ERR_USAGE, "'%s' holds no certificate in PEM form", path);
	settings->ca = strbuf_detach(&text, NULL);
	return 0;
}

/* As ssh does with its keys. */
static int check_private(const char *path, struct error *err)
{
	struct stat file;

	if (stat(path, &file) < 0)
		return error_set(err, ERR_USAGE, "the token file '%s' cannot be looked at", path);
	if (!S_ISREG(file.st_mode))
		return error_set(err, ERR_USAGE, "the token file '%s' is no plain file", path);
	if (file.st_mode & (S_IRWXG | S_IRWXO)) {
		error_set(err, ERR_USAGE, "the token file '%s' may be read or changed by others", path);
		return error_hint(err, "chmod 600 '%s'", path);
	}
	return 0;
}

int serving_read_token(struct serving_settings *settings, const char *path, struct error *err)
{
	struct strbuf text = STRBUF_INIT;
	size_t len;

	if (!path)
		return 0;
	if (check_private(path, err) < 0)
		return -1;
	/* Room from the start: what grows leaves copies behind. */
	strbuf_reserve(&text, TOKEN_MAX + 1);
	if (file_read(path, TOKEN_MAX, &text, err) < 0) {
		err->code = ERR_USAGE;
		strbuf_release(&text);
		return error_wrap(err, "the token file");
	}
	len = strcspn(text.buf, " \t\r\n");
	if (len && !text.buf[len + strspn(text.buf + len, " \t\r\n")] && strlen(text.buf) == text.len)
		settings->token = xstrndup(text.buf, len);
	explicit_bzero(text.buf, text.len);
	strbuf_release(&text);
	return settings->token ? 0 : error_set(err, ERR_USAGE, "the token file '%s' does not hold one line with a token", path);
}

/* "NS/NAME=URL": the length of NS/NAME; 0: a URL for all. */
static size_t service_len(const char *item)
{
	size_t len = strcspn(item, "=:");

	return item[len] == '=' ? len : 0;
}

static const char *url_of(const char *item)
{
	size_t len = service_len(item);

	return len ? item + len + 1 : item;
}

const char *serving_url_fault(const char *item)
{
	size_t len = service_len(item);

	if (len && !memchr(item, '/', len))
		return "the service is written NAMESPACE/NAME";
	return endpoint_url_fault(url_of(item));
}

void serving_release(struct serving_settings *settings)
{
	if (settings->token)
		explicit_bzero(settings->token, strlen(settings->token));
	free(settings->token);
	free(settings->ca);
	strlist_release(&settings->urls);
	strlist_release(&settings->command);
}

/* ---- Gateways ---- */

static const char *text_of(const json_t *map, const char *key)
{
	const char *text = json_text_at(map, key, NULL);

	return text ? text : "";
}

static const json_t *find_gateway(const struct verify_look *look, const json_t *reference, const char *own_namespace)
{
	const char *namespace_ = json_text_at(reference, "namespace", NULL), *name = json_text_at(reference, "name", NULL);

	return name ? look_live(look, GATEWAY_GROUP, GATEWAYS, namespace_ ? namespace_ : own_namespace, name) : NULL;
}

/* The only Gateway of the snapshot; NULL: none, or several. */
static const json_t *only_gateway(const struct verify_look *look)
{
	const struct snapshot *snapshot = look->settings.snapshot;
	const json_t *only = NULL;

	for (size_t i = 0; i < snapshot->object_count; i++) {
		if (!judge_is_gateway(snapshot->objects[i]->group, snapshot->objects[i]->kind))
			continue;
		if (only)
			return NULL;
		only = look_object(look, snapshot->objects[i]);
	}
	return only;
}

/* The one that a service says it is behind, in its status or its spec, else the only one that there is. */
static const json_t *gateway_of(const struct verify_look *look, const json_t *live)
{
	const char *own = json_text_at(live, "metadata", "namespace", NULL);
	const json_t *references[] = {
		json_at(live, "status", "router", "gateways", NULL), json_at(live, "spec", "router", "gateway", "refs", NULL)};

	for (size_t i = 0; i < sizeof(references) / sizeof(*references); i++) {
		const json_t *gateway = find_gateway(look, json_array_get(references[i], 0), own ? own : "");

		if (gateway)
			return gateway;
	}
	return only_gateway(look);
}

static const char *address_of(const json_t *gateway)
{
	const char *value = json_text_at(json_array_get(json_at(gateway, "status", "addresses", NULL), 0), "value", NULL);

	return value && *value ? value : NULL;
}

static bool has_address(const json_t *gateway, const char *host)
{
	json_t *address;
	size_t i;

	json_array_foreach (json_at(gateway, "status", "addresses", NULL), i, address)
		if (!strcasecmp(text_of(address, "value"), host))
			return true;
	return false;
}

static bool is_gateway_address(const struct verify_look *look, const char *host)
{
	const struct snapshot *snapshot = look->settings.snapshot;

	for (size_t i = 0; i < snapshot->object_count; i++)
		if (judge_is_gateway(snapshot->objects[i]->group, snapshot->objects[i]->kind) &&
			has_address(look_object(look, snapshot->objects[i]), host))
			return true;
	return false;
}

bool serving_trusts(const struct verify_look *look, const char *url)
{
	const struct serving_settings *serving = look->settings.serving;
	auto_free char *host = endpoint_url_host(url);

	for (size_t i = 0; host && serving && i < serving->urls.count; i++) {
		auto_free char *named = endpoint_url_host(url_of(serving->urls.items[i]));

		if (named && !strcasecmp(named, host))
			return true;
	}
	return host && is_gateway_address(look, host);
}

/* ---- where one is asked ---- */

static int first_text(json_t *value, const char *concrete, void *arg)
{
	const char **text = arg;

	(void)concrete;
	*text = json_string_value(value);
	return *text != NULL;
}

/* What the operator says; NULL: nothing about this one. *whole: the URL is that of the service, not of the gateway. */
static const char *configured_url(const struct serving_settings *serving, const struct object *object, bool *whole)
{
	auto_free char *name = xasprintf("%s/%s", object->namespace_, object->name);
	const char *base = NULL;

	*whole = false;
	for (size_t i = 0; serving && i < serving->urls.count; i++) {
		const char *item = serving->urls.items[i];
		size_t len = service_len(item);

		if (!len)
			base = item;
		if (len != strlen(name) || strncmp(item, name, len) != 0)
			continue;
		*whole = true;
		return url_of(item);
	}
	return base;
}

/* The path of the cluster's URL behind the operator's scheme, host and port. */
static char *moved_url(const char *base, const char *url)
{
	const char *host = url ? strstr(url, "://") : NULL;
	size_t len = strlen(base);

	while (len && base[len - 1] == '/')
		len--;
	return xasprintf("%.*s%s", (int)len, base, host ? host + 3 + strcspn(host + 3, "/?#") : "");
}

/* A name may still lead to the cluster that was lost: what is asked is this cluster's Gateway, by that name. */
static void ask_through_gateway(const struct verify_look *look, const json_t *live, struct endpoint *endpoint)
{
	auto_free char *host = endpoint_url_host(endpoint->url);
	const json_t *gateway = gateway_of(look, live);
	const char *address = address_of(gateway);
	struct cidr net;

	endpoint->trusted = host && is_gateway_address(look, host);
	if (!host || !*host || endpoint->trusted || cidr_parse(&net, host) == 0)
		return;
	if (!address) {
		judge_note(&endpoint->judgement, "no Gateway of it is known: its name was looked up, which may lead to another cluster");
		return;
	}
	auto_free char *safe = judge_safe(address);
	auto_free char *name = judge_name(
		"Gateway", json_text_at(gateway, "metadata", "namespace", NULL), json_text_at(gateway, "metadata", "name", NULL));

	endpoint->connect = xstrdup(address);
	endpoint->trusted = true;
	judge_note(&endpoint->judgement, "asked at %s, the address of %s", safe, name);
}

static void choose_url(
	const struct probing *probing, const struct object *object, const json_t *live, const char *told, struct endpoint *endpoint)
{
	const struct serving_settings *serving = probing->look->settings.serving;
	bool whole;
	const char *configured = configured_url(serving, object, &whole);

	if (!configured && (!told || !*told)) {
		judge_say(&endpoint->judgement, VERDICT_FAIL, "no URL in %s",
			fieldpath_text(look_find(probing->look, object->group, object->resource)->row->endpoint));
		judge_reason(&endpoint->judgement, "no URL");
		return;
	}
	if (configured) {
		endpoint->url = whole ? xstrdup(configured) : moved_url(configured, told);
		endpoint->trusted = true;
		return;
	}
	endpoint->url = xstrdup(told);
	ask_through_gateway(probing->look, live, endpoint);
	if (serving && serving->token && !endpoint->trusted)
		judge_note(&endpoint->judgement, "the token was not sent: the host is neither configured nor an address of a Gateway");
}

/* One that is not is failed by another probe, and waiting has had its time before. */
static bool is_ready(const struct policy_kind *row, json_t *live)
{
	auto_judgement struct judgement judgement = JUDGEMENT_INIT;

	judge_ready(row, live, &judgement);
	return judgement.verdict == VERDICT_PASS;
}

/* The URL to ask, or in the judgement why nothing is asked. */
static void prepare_endpoint(
	const struct probing *probing, const struct object *object, const struct look_kind *kind, struct endpoint *endpoint)
{
	const char *idle = idle_reason(object->json), *url = NULL;
	json_t *live = look_object(probing->look, object);

	if (idle) {
		judge_say(&endpoint->judgement, VERDICT_NOT_TESTED, "not meant to answer");
		judge_reason(&endpoint->judgement, "%s", idle);
	} else if (!live) {
		probing_absent(kind, &endpoint->judgement);
	} else {
		endpoint->hasty = !is_ready(kind->row, live);
		fieldpath_each(live, kind->row->endpoint, first_text, &url);
		choose_url(probing, object, live, url, endpoint);
	}
}

static void tell_endpoint(struct probing *probing, const struct object *object, const struct endpoint *endpoint)
{
	json_t *result =
		probing_add_object(probing, object, "/health, a model and a completion", &endpoint->judgement, endpoint->milliseconds);

	json_object_set_new(result, "firstTokenMilliseconds",
		endpoint->first_token_ms >= 0 ? json_integer((json_int_t)endpoint->first_token_ms) : json_null());
}

void probe_endpoints(struct probing *probing)
{
	const struct serving_settings *serving = probing->look->settings.serving;
	const struct snapshot *snapshot = probing->look->settings.snapshot;
	auto_free struct endpoint *endpoints = xcalloc(snapshot->object_count + 1, sizeof(*endpoints));
	auto_free const struct object **objects = xcalloc(snapshot->object_count + 1, sizeof(*objects));
	struct endpoint_manner manner = {0};
	size_t count = 0;

	if (serving)
		manner = (struct endpoint_manner){.patience_ms = serving->patience_ms, .ca = serving->ca, .token = serving->token};
	for (size_t i = 0; i < snapshot->object_count; i++) {
		const struct look_kind *kind = look_find(probing->look, snapshot->objects[i]->group, snapshot->objects[i]->resource);

		if (!kind || !kind->row || !kind->row->endpoint)
			continue;
		objects[count] = snapshot->objects[i];
		endpoints[count] = (struct endpoint)ENDPOINT_INIT;
		prepare_endpoint(probing, objects[count], kind, &endpoints[count]);
		count++;
	}
	if (count)
		endpoint_ask_all(endpoints, count, &manner);
	for (size_t i = 0; i < count; i++) {
		tell_endpoint(probing, objects[i], &endpoints[i]);
		endpoint_release(&endpoints[i]);
	}
}
