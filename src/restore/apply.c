/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends the plan, wave by wave. Within a wave the creates are in flight together, as many as the server takes (window.h), Retry-After obeyed; never
 * a fixed rate.
 */
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "kube/client.h"
#include "kube/discovery.h"
#include "kube/object_api.h"
#include "object/diff.h"
#include "object/object.h"
#include "policy/policy.h"
#include "restore/restore.h"
#include "util/clock.h"
#include "util/env.h"
#include "util/error.h"
#include "util/json.h"
#include "util/log.h"
#include "util/mem.h"
#include "window.h"

/* An object at the end of its deadline may still be in flight. */
#define STUCK_GRACE_MS 60000
#define MERGE_TRIES 5
/* Intents that are made durable together: more than can be in flight, so that a sync is rare. One that is never sent costs a look at the server. */
#define BEGIN_MAX 128
/* After the word to stop, for the answers to what was sent. */
#define DRAIN_MS 10000

/* What is known of the server's pace: learnt in one wave, good for the next. */
struct pace {
	struct window window;
	int64_t *fastest; /* a kind of the policy, for the window */
};

struct sender {
	struct restore *restore;
	struct pace *pace;
	struct action **queue; /* ring of actions that wait to be sent */
	size_t cap, head, waiting;
	size_t in_flight;
	int64_t moved;      /* monotonic ms of the last answer that settled something */
	int64_t not_before; /* nothing is sent until then: the server takes not even one at a time */
	int64_t shut_out;   /* monotonic ms of the first 401 since a request was let in; -1: we are known */
	char *unauthorized; /* what the server says when it has known us no more for too long: the restore stops */
};

static void queue_push(struct sender *s, struct action *action)
{
	s->queue[(s->head + s->waiting++) % s->cap] = action;
}

static struct action *queue_pop(struct sender *s)
{
	struct action *action = s->queue[s->head];

	s->head = (s->head + 1) % s->cap;
	s->waiting--;
	return action;
}

static void action_say(struct action *action, const char *text)
{
	free(action->error);
	action->error = xstrdup(text);
}

/* The action has a result, which the journal is told. */
static void action_end(struct restore *restore, struct action *action, enum action_result result)
{
	action->result = result;
	record_end(restore, action, NULL);
}

static void action_fail(struct restore *restore, struct action *action, const char *text)
{
	action_say(action, text);
	action_end(restore, action, RESULT_FAILED);
}

static int64_t backoff_ms(const struct restore_patience *patience, int tries)
{
	int64_t most = patience->backoff_min << (tries < 7 ? tries : 7);
	uint32_t random;

	env_random(&random, sizeof(random));
	most = most < patience->backoff_max ? most : patience->backoff_max;
	return most / 2 + random % (most / 2 + 1);
}

struct finding {
	struct restore *restore;
	const char *object;
};

/* A field that the server did not keep as it was sent. What it adds are its defaults. */
static void finding_add(const char *path, const json_t *sent, const json_t *stored, void *arg)
{
	struct finding *finding = arg;
	auto_strbuf struct strbuf text = STRBUF_INIT;

	if (!sent)
		return;
	if (stored) {
		strbuf_adds(&text, "the server stored ");
		diff_print_value(&text, path, stored);
	} else {
		strbuf_adds(&text, "the server dropped it");
	}
	json_array_append_new(
		finding->restore->findings, json_pack("{s:s, s:s, s:s}", "object", finding->object, "path", path, "text", text.buf));
}

void apply_check_stored(struct restore *restore, const struct action *action, json_t *stored)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	struct finding finding = {.restore = restore};

	drop_tell(restore, action);
	if (!json_is_object(stored))
		return;
	policy_clean(action->row, stored);
	if (diff_equal(action_body(action), stored))
		return;
	object_describe(action->object, &text);
	finding.object = text.buf;
	diff_values(action_body(action), stored, finding_add, &finding);
}

static void action_created(struct restore *restore, struct action *action, json_t *stored)
{
	auto_free char *uid = xstrdup(json_text_at(stored, "metadata", "uid", NULL)); /* the check cleans it away */

	apply_check_stored(restore, action, stored);
	action->result = RESULT_CREATED;
	record_end(restore, action, uid);
}

/* A token may just have been renewed, or the server just have started: only who is shut out for a while is no longer known. */
static void shut_out(struct sender *s, const struct error *error)
{
	int64_t now = clock_monotonic_ms();

	if (s->shut_out < 0)
		s->shut_out = now;
	if (!s->unauthorized && now - s->shut_out >= s->restore->patience.unauthorized)
		s->unauthorized = xstrdup(error->text);
}

static void turned_away(struct sender *s, const struct action *action, int64_t retry_after_ms)
{
	bool alone = s->pace->window.size == 1;

	window_refused(&s->pace->window, action->refusals);
	if (alone && retry_after_ms <= s->restore->patience.object_deadline)
		s->not_before = clock_monotonic_ms() + retry_after_ms;
}

static void retry_later(struct sender *s, struct action *action, const struct error *error, int64_t retry_after_ms)
{
	int64_t now = clock_monotonic_ms(), left = s->restore->patience.object_deadline - (now - action->first_sent);
	int64_t wait = retry_after_ms >= 0 ? retry_after_ms : backoff_ms(&s->restore->patience, action->tries);

	if (wait > left) {
		/* Without its reason, a 409 may also say that the object is there: apply_rest looks. */
		if (error->code == ERR_CONFLICT)
			action_say(action, error->text);
		else
			action_fail(s->restore, action, error->text);
		return;
	}
	s->restore->retries++;
	s->restore->throttled_ms += retry_after_ms > 0 ? retry_after_ms : 0;
	log_debug("%s %s: %s; again in %lld ms", action->object->kind, action->object->name, error->text, (long long)wait);
	action->unanswered |= error->code == ERR_UNAVAILABLE;
	action->not_before = now + wait;
	queue_push(s, action);
}

/*
 * Later it may pass: no answer, 429, 5xx, a token that has just expired, and the 409 "Conflict" that a ResourceQuota gives to creates at the same time.
 */
static bool may_pass_later(const struct error *error)
{
	return error->code == ERR_UNAVAILABLE || error->code == ERR_UNAUTHORIZED || error->code == ERR_CONFLICT;
}

/* The server has taken the request, and decided on the object. */
static void was_taken(struct sender *s, const struct action *action)
{
	window_taken(&s->pace->window, action->sent, &s->pace->fastest[action->row - s->restore->policy->kinds]);
}

static void create_done(json_t *body, const struct error *error, int64_t retry_after_ms, void *arg)
{
	struct action *action = arg;
	struct sender *s = action->sender;

	s->in_flight--;
	action->in_flight = false;
	if (error && error->code == ERR_UNAUTHORIZED)
		shut_out(s, error);
	else if (!error || error->code != ERR_UNAVAILABLE)
		s->shut_out = -1;
	if (error && may_pass_later(error)) {
		if (retry_after_ms >= 0)
			turned_away(s, action, retry_after_ms);
		retry_later(s, action, error, retry_after_ms);
		return;
	}
	s->moved = clock_monotonic_ms();
	if (!error) {
		was_taken(s, action);
		action_created(s->restore, action, body);
	} else if (error->code == ERR_EXISTS) {
		was_taken(s, action); /* result stays open: apply_rest reads and compares */
	} else if (error->code == ERR_REJECTED && drop_named_fields(s->restore, action, error->text)) {
		queue_push(s, action);
	} else {
		action_fail(s->restore, action, error->text);
	}
}

static int create_send(struct sender *s, struct action *action, struct error *err)
{
	auto_free char *path = kube_create_path(action->resource, action->object->namespace_, false);
	const struct kube_request request = {.method = "POST", .path = path, .body = action_body(action)};

	action->sender = s;
	action->sent = clock_monotonic_ms();
	action->refusals = s->pace->window.refusals;
	if (!action->tries++)
		action->first_sent = action->sent;
	if (kube_send(s->restore->settings->client, &request, create_done, action, err) < 0)
		return -1;
	action->in_flight = true;
	s->in_flight++;
	return 0;
}

/* No request leaves before the journal knows of it: of this one, and of those that come after it. */
static int begin_next(struct sender *s, struct action *first, struct error *err)
{
	struct action *batch[BEGIN_MAX] = {first};
	size_t count = 1;

	if (first->begun)
		return 0;
	for (size_t i = 0; i < s->waiting && count < BEGIN_MAX; i++) {
		struct action *action = s->queue[(s->head + i) % s->cap];

		if (!action->begun)
			batch[count++] = action;
	}
	return record_begin(s->restore, batch, count, err);
}

/* Send what may go now; the milliseconds until the next one that waits for its time. */
static int64_t send_ready(struct sender *s, int rc[1], struct error *err)
{
	int64_t now = clock_monotonic_ms(), next = 1000;

	if (now < s->not_before)
		return s->not_before - now < next ? s->not_before - now : next;
	for (size_t turn = s->waiting; *rc == 0 && turn > 0 && s->in_flight < s->pace->window.size; turn--) {
		struct action *action = queue_pop(s);

		if (action->not_before <= now) {
			*rc = begin_next(s, action, err) < 0 ? -1 : create_send(s, action, err);
			continue;
		}
		next = action->not_before - now < next ? action->not_before - now : next;
		queue_push(s, action);
	}
	return next;
}

/* A server that has settled nothing for so long is gone, and one that does not know us takes nothing: more objects would only wait as long each. */
static int check_moving(const struct sender *s, struct error *err)
{
	if (s->unauthorized) {
		error_set(err, ERR_UNAUTHORIZED, "the target %s no longer accepts our credentials: %s",
			kube_server(s->restore->settings->client), s->unauthorized);
		return -1;
	}
	if (clock_monotonic_ms() - s->moved <= s->restore->patience.object_deadline + STUCK_GRACE_MS)
		return 0;
	error_set(err, ERR_FAILED, "the target %s has taken no object for two minutes", kube_server(s->restore->settings->client));
	return -1;
}

/* What was sent is answered, if it is answered soon; nothing more is sent. */
static void drain(struct sender *s)
{
	int64_t until = clock_monotonic_ms() + DRAIN_MS, left;
	struct error ignored = ERROR_INIT;

	while (s->in_flight && (left = until - clock_monotonic_ms()) > 0)
		if (kube_drive(s->restore->settings->client, left, &ignored) < 0)
			return;
}

static int send_all(struct sender *s, struct error *err)
{
	int rc = 0;

	while (rc == 0 && (s->waiting || s->in_flight)) {
		int64_t next = send_ready(s, &rc, err);

		if (rc == 0 && s->in_flight)
			rc = kube_drive(s->restore->settings->client, next, err);
		else if (rc == 0 && s->waiting)
			clock_sleep_ms(next);
		if (rc == 0)
			rc = check_moving(s, err) < 0 ? -1 : restore_may_go_on(s->restore, err);
	}
	if (rc < 0)
		drain(s);
	return rc;
}

static int apply_creates(struct restore *restore, struct pace *pace, struct action *from, struct action *to, struct error *err)
{
	struct sender s = {.restore = restore, .pace = pace, .cap = (size_t)(to - from) + 1, .moved = clock_monotonic_ms(), .shut_out = -1};
	int rc;

	s.queue = xcalloc(s.cap, sizeof(*s.queue));
	for (struct action *action = from; action < to; action++)
		if (action->kind == ACTION_CREATE && action->result == RESULT_NONE)
			queue_push(&s, action);
	rc = send_all(&s, err);
	if (rc < 0) /* what is in flight points at the sender */
		kube_cancel_all(restore->settings->client);
	for (struct action *action = from; action < to; action++)
		if (action->in_flight)
			action_say(action, "was sent, and not answered before the restore stopped");
	free(s.queue);
	free(s.unauthorized);
	return rc;
}

static void merge_done(struct restore *restore, struct action *action)
{
	bool differs = json_array_size(action->fields) > 0;

	if (differs)
		action->reason = "what was missing is added, other values differ";
	action_end(restore, action, differs ? RESULT_CONFLICT : RESULT_MERGED);
}

/*
 * Whether the live object, which was not there when the plan was made, is by our hand. libcurl sends a request again by itself when a connection that was in use breaks before the
 * first byte of an answer: then the first one that we hear of may be "already exists". The lease keeps other restores out.
 */
static bool is_made_by_us(const struct action *action, const json_t *live)
{
	const json_t *entry;
	size_t i;

	if (action->unlisted)
		return false;
	json_array_foreach (json_at(live, "metadata", "managedFields", NULL), i, entry) {
		const char *manager = json_text_at(entry, "manager", NULL);

		if (manager && strcmp(manager, KUBE_FIELD_MANAGER) == 0)
			return true;
	}
	return false;
}

/*
 * Read what is there and decide again: after a create that was answered by "already exists" (by us, in an earlier try whose answer was lost,
 * or by somebody else), and after a merge that somebody else's write came in between.
 */
static int decide_again(struct restore *restore, struct action *action, struct error *err)
{
	const struct object *o = action->object;
	auto_json json_t *live = NULL;

	if (kube_get(restore->settings->client, action->resource, o->namespace_, o->name, &live, err) < 0)
		return -1;
	action->unanswered |= is_made_by_us(action, live);
	plan_decide(restore, action, live);
	return 0;
}

static int merge_send(struct restore *restore, struct action *action, struct error *err)
{
	const struct object *o = action->object;

	for (int tries = 0; action->kind == ACTION_MERGE && tries < MERGE_TRIES; tries++) {
		if (kube_merge_patch(
			    restore->settings->client, action->resource, o->namespace_, o->name, action->patch, false, NULL, err) == 0) {
			merge_done(restore, action);
			return 0;
		}
		if (err->code != ERR_CONFLICT || decide_again(restore, action, err) < 0)
			return -1;
	}
	return action->kind == ACTION_MERGE ? error_set(err, ERR_FAILED, "somebody else keeps changing it") : 0;
}

/* Its name is free again: once more, by itself. */
static int create_behind(struct restore *restore, struct action *action, struct error *err)
{
	auto_free char *path = kube_create_path(action->resource, action->object->namespace_, false);
	const struct kube_request request = {.method = "POST", .path = path, .body = action_body(action)};
	auto_json json_t *stored = NULL;

	if (leaving_wait(restore, action, err) < 0 || kube_call(restore->settings->client, &request, &stored, err) < 0)
		return -1;
	action->reason = NULL;
	action_created(restore, action, stored);
	return 0;
}

static enum action_result result_of(enum action_kind kind)
{
	if (kind == ACTION_UPDATE)
		return RESULT_UPDATED;
	return kind == ACTION_SKIP ? RESULT_SKIPPED : RESULT_CONFLICT;
}

static int settle(struct restore *restore, struct action *action, struct error *err)
{
	if (action->kind == ACTION_CREATE) {
		if (decide_again(restore, action, err) < 0)
			return err->code == ERR_NOT_FOUND && action->error ? error_set(err, ERR_CONFLICT, "%s", action->error) : -1;
		free(action->error);
		action->error = NULL;
		if (action->kind == ACTION_SKIP && action->unanswered)
			action_end(restore, action, RESULT_CREATED);
		if (action->leaving)
			return create_behind(restore, action, err);
	}
	if (action->result == RESULT_NONE && action->kind == ACTION_MERGE && merge_send(restore, action, err) < 0)
		return -1;
	if (action->result == RESULT_NONE && action->kind == ACTION_UPDATE && overwrite_send(restore, action, err) < 0)
		return -1;
	if (action->result == RESULT_NONE)
		action_end(restore, action, result_of(action->kind));
	return 0;
}

/* What fails for one object is its result; with credentials that are no longer good all would fail. */
static int apply_one(struct restore *restore, struct action *action, struct error *err)
{
	struct error error = ERROR_INIT;

	if (settle(restore, action, &error) == 0)
		return 0;
	if (error.code == ERR_UNAUTHORIZED) {
		*err = error;
		return -1;
	}
	action_fail(restore, action, error.text);
	return 0;
}

/* What was known not to be there is sent; this is the rest: what is merged or replaced, what turned out to be there, what is left as it is. */
static int apply_rest(struct restore *restore, struct action *from, struct action *to, struct error *err)
{
	auto_free struct action **sent = xcalloc((size_t)(to - from) + 1, sizeof(struct action *));
	size_t count = 0;

	for (struct action *action = from; action < to; action++)
		if (action->result == RESULT_NONE && (action->kind == ACTION_MERGE || action->kind == ACTION_UPDATE))
			sent[count++] = action;
	if (record_begin(restore, sent, count, err) < 0)
		return -1;
	for (struct action *action = from; action < to; action++) {
		if (action->result != RESULT_NONE)
			continue;
		if (restore_may_go_on(restore, err) < 0 || apply_one(restore, action, err) < 0)
			return -1;
	}
	return 0;
}

/* Nothing is left of a wave that an earlier run finished. */
static bool is_done(const struct action *from, const struct action *to)
{
	for (; from < to; from++)
		if (from->result == RESULT_NONE)
			return false;
	return true;
}

static int apply_wave(struct restore *restore, struct pace *pace, struct action *from, struct action *to, struct error *err)
{
	size_t wave = from->wave;
	int64_t start;
	int rc;

	if (is_done(from, to))
		return 0;
	if (restore_may_go_on(restore, err) < 0 || gate_wait(restore, wave, from, to, err) < 0)
		return -1;
	start = clock_monotonic_ms();
	rc = apply_creates(restore, pace, from, to, err) < 0 ? -1 : apply_rest(restore, from, to, err);
	record_wave(restore, wave, "apply", clock_monotonic_ms() - start);
	return rc;
}

int apply_run(struct restore *restore, struct error *err)
{
	auto_free int64_t *fastest = xcalloc(restore->policy->kind_count + 1, sizeof(*fastest));
	struct pace pace = {.fastest = fastest};
	struct action *from = restore->actions, *end = restore->actions + restore->action_count, *to;

	window_init(&pace.window);
	if (orphans_adopt(restore, err) < 0)
		return -1;
	for (; from < end; from = to) {
		for (to = from; to < end && to->wave == from->wave; to++)
			;
		if (apply_wave(restore, &pace, from, to, err) < 0)
			return -1;
	}
	return 0;
}
