/* SPDX-License-Identifier: Apache-2.0 */
#include "lease.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kube/client.h"
#include "policy/rbac.h"
#include "util/clock.h"
#include "util/env.h"
#include "util/error.h"
#include "util/json.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/strbuf.h"
#include "util/text.h"

#define LEASES "/apis/coordination.k8s.io/v1/namespaces/" RBAC_LEASE_NAMESPACE "/leases"
#define LEASE LEASES "/" RBAC_LEASE_NAME
#define DURATION_S 60
#define RENEW_MS 15000
/* A server that does not answer now is asked again soon; meanwhile the creates wait. */
#define RENEW_DEADLINE_MS 3000
#define RENEW_AGAIN_MS 5000
#define TRIES 5

struct lease {
	struct kube_client *client;
	char *name, *holder;
	json_t *object; /* as the server has it */
	int64_t next;   /* monotonic ms */
};

static void lease_free(struct lease *lease)
{
	free(lease->name);
	free(lease->holder);
	json_decref(lease->object);
	free(lease);
}

/* ---- what is in it ---- */

/* "2026-11-20T14:00:00.000000Z": a MicroTime has all six digits. */
static json_t *micro_time(time_t when)
{
	char text[CLOCK_TEXT_SIZE];

	clock_format(when, text);
	return json_sprintf("%.*s.000000Z", (int)strcspn(text, "Z"), text);
}

static const char *spec_text(const json_t *object, const char *key)
{
	const char *text = json_text_at(object, "spec", key, NULL);

	return text ? text : "";
}

static time_t spec_time(const json_t *object, const char *key)
{
	struct error ignored = ERROR_INIT;
	time_t when = 0;

	return clock_parse(spec_text(object, key), &when, &ignored) < 0 ? 0 : when;
}

static time_t expiry(const json_t *object)
{
	return spec_time(object, "renewTime") + (time_t)json_integer_value(json_at(object, "spec", "leaseDurationSeconds", NULL));
}

static bool is_ours(const struct lease *lease, const json_t *object)
{
	return strcmp(spec_text(object, "holderIdentity"), lease->holder) == 0;
}

/* An earlier run with this journal: whoever has the journal open knows that it is dead. */
static bool is_of_journal(const struct lease *lease, const json_t *object)
{
	const char *holder = spec_text(object, "holderIdentity");
	size_t len = strlen(lease->name);

	return strncmp(holder, lease->name, len) == 0 && holder[len] == '/';
}

static bool is_free(const json_t *object)
{
	return !*spec_text(object, "holderIdentity") || expiry(object) < clock_now();
}

/* What the object is to become. */
static json_t *held_by_us(const struct lease *lease, const json_t *object)
{
	json_t *next = object ? json_deep_copy(object)
			      : json_pack("{s:s, s:s, s:{s:s}}", "apiVersion", "coordination.k8s.io/v1", "kind", "Lease", "metadata",
					"name", RBAC_LEASE_NAME);
	json_t *spec = json_object_get(next, "spec");

	if (!json_is_object(spec))
		json_object_set_new(next, "spec", spec = json_object());
	if (!object || !is_ours(lease, object))
		json_object_set_new(spec, "acquireTime", micro_time(clock_now()));
	json_object_set_new(spec, "holderIdentity", json_string(lease->holder));
	json_object_set_new(spec, "leaseDurationSeconds", json_integer(DURATION_S));
	json_object_set_new(spec, "renewTime", micro_time(clock_now()));
	return next;
}

/* ---- requests ---- */

static int lease_get(struct lease *lease, json_t **object, struct error *err)
{
	const struct kube_request request = {.method = "GET", .path = LEASE};

	*object = NULL;
	return kube_call(lease->client, &request, object, err);
}

/* Create it (object NULL) or replace just this one; the answer is kept. */
static int lease_write(struct lease *lease, const json_t *object, const json_t *next, int64_t deadline_ms, struct error *err)
{
	const struct kube_request request = {
		.method = object ? "PUT" : "POST", .path = object ? LEASE : LEASES, .body = next, .deadline_ms = deadline_ms};
	json_t *answer = NULL;

	if (kube_call(lease->client, &request, &answer, err) < 0)
		return -1;
	json_decref(lease->object);
	lease->object = answer;
	lease->next = clock_monotonic_ms() + RENEW_MS;
	return 0;
}

static int held_by_another(const json_t *object, struct error *err)
{
	auto_strbuf struct strbuf holder = STRBUF_INIT;
	char since[CLOCK_TEXT_SIZE], until[CLOCK_TEXT_SIZE];
	const char *name = spec_text(object, "holderIdentity");

	text_escape(&holder, name, strlen(name), 200);
	(void)error_set(err, ERR_LOCKED,
		"another restore is running on the target: %s, since %s, which holds it until %s if it does not renew that", holder.buf,
		clock_format(spec_time(object, "acquireTime"), since), clock_format(expiry(object), until));
	return error_hint(err, "wait for its end; if it was killed, go on with it by 'rhaii-dr restore --resume' where it ran");
}

/* ---- taking ---- */

/* 1: taken, 0: look again, since somebody was faster. */
static int take_once(struct lease *lease, bool resume, struct error *err)
{
	auto_json json_t *object = NULL, *next = NULL;
	int rc = lease_get(lease, &object, err);

	if (rc < 0 && err->code != ERR_NOT_FOUND)
		return -1;
	error_clear(err);
	if (object && !is_free(object) && !is_ours(lease, object) && !(resume && is_of_journal(lease, object)))
		return held_by_another(object, err);
	next = held_by_us(lease, object);
	if (lease_write(lease, object, next, 0, err) == 0)
		return 1;
	return err->code == ERR_EXISTS || err->code == ERR_CONFLICT || err->code == ERR_NOT_FOUND ? 0 : -1;
}

int lease_take(struct lease **out, struct kube_client *client, const char *name, bool resume, struct error *err)
{
	struct lease *lease = xcalloc(1, sizeof(*lease));
	auto_free char *host = env_host();
	int rc = 0;

	*out = NULL;
	lease->client = client;
	lease->name = xstrdup(name);
	lease->holder = xasprintf("%s/%s/%ld", name, host, (long)getpid());
	for (int tries = 0; rc == 0 && tries < TRIES; tries++)
		rc = take_once(lease, resume, err);
	if (rc > 0) {
		error_clear(err);
		*out = lease;
		return 0;
	}
	lease_free(lease);
	if (err->code != ERR_FORBIDDEN)
		return error_wrap(err, "Lease " RBAC_LEASE_NAMESPACE "/" RBAC_LEASE_NAME " on the target");
	log_warning("nothing keeps a second restore out meanwhile: %s", err->text);
	error_clear(err);
	return 0;
}

/* ---- holding and giving back ---- */

/* After an answer that was lost, or somebody else's write: what is there now is what we go on from, as long as it is ours. */
static int look_again(struct lease *lease, struct error *err)
{
	auto_json json_t *object = NULL;

	if (lease_get(lease, &object, err) < 0)
		return -1;
	if (!is_ours(lease, object))
		return held_by_another(object, err);
	json_decref(lease->object);
	lease->object = json_incref(object);
	return 0;
}

int lease_renew(struct lease *lease, struct error *err)
{
	auto_json json_t *next = NULL;
	struct error fault = ERROR_INIT;

	if (!lease || clock_monotonic_ms() < lease->next)
		return 0;
	next = held_by_us(lease, lease->object);
	if (lease_write(lease, lease->object, next, RENEW_DEADLINE_MS, &fault) == 0)
		return 0;
	lease->next = clock_monotonic_ms() + RENEW_AGAIN_MS;
	if (fault.code == ERR_CONFLICT && look_again(lease, &fault) < 0 && fault.code == ERR_LOCKED) {
		*err = fault;
		return -1;
	}
	log_debug("the lease of this restore was not renewed: %s", fault.text);
	return 0;
}

void lease_release(struct lease *lease)
{
	auto_json json_t *next = NULL;
	struct error fault = ERROR_INIT;

	if (!lease)
		return;
	next = json_deep_copy(lease->object);
	json_object_set_new(json_object_get(next, "spec"), "holderIdentity", json_string(""));
	if (lease_write(lease, lease->object, next, RENEW_DEADLINE_MS, &fault) < 0)
		log_debug("the lease of this restore was not given back, and expires: %s", fault.text);
	lease_free(lease);
}
