/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/watch.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "kube/client.h"
#include "kube/discovery.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/http.h"
#include "util/interrupt.h"
#include "util/json.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/strbuf.h"

/* A watch that the server ends by its own clock must not end before ours, and one without events is not a dead one. */
#define GRACE_MS (10 * 1000)

/* Go's encoder writes the type first, so an event is known by the start of its line and the object behind it is never parsed. */
#define EVENT_START "{\"type\":\""
#define BOOKMARK_START EVENT_START "BOOKMARK\""
#define START_MAX (sizeof(BOOKMARK_START) - 1)

/* What all watches of one kube_watch_any report to. */
struct wake {
	bool look;          /* an event came, or a watch ended: look again */
	size_t failed;      /* watches that never opened */
	struct error first; /* why the first of them did not */
};

struct watch {
	struct wake *wake;
	const struct kube_resource *resource;
	char start[START_MAX]; /* of the line that is being read */
	size_t start_len;
};

static bool starts_with(const struct watch *watch, const char *text)
{
	size_t len = strlen(text);

	return watch->start_len >= len && memcmp(watch->start, text, len) == 0;
}

static void line_check(struct watch *watch, bool complete)
{
	if (!complete && watch->start_len < START_MAX)
		return;
	if (starts_with(watch, EVENT_START) && !starts_with(watch, BOOKMARK_START))
		watch->wake->look = true;
}

static int watch_data(const char *data, size_t len, void *arg)
{
	struct watch *watch = arg;

	for (size_t i = 0; i < len; i++) {
		if (data[i] == '\n') {
			line_check(watch, true);
			watch->start_len = 0;
		} else if (watch->start_len < START_MAX) {
			watch->start[watch->start_len++] = data[i];
			line_check(watch, false);
		}
	}
	return 0;
}

/* 410: the version is too old to watch from, so what was looked at has changed for sure. */
static void watch_ended(const struct error *error, void *arg)
{
	const struct watch *watch = arg;
	struct wake *wake = watch->wake;

	if (!error || error->code == ERR_GONE) {
		wake->look = true;
		return;
	}
	log_debug("watch of %s: %s", watch->resource->resource, error->text);
	if (wake->failed++ == 0) {
		wake->first = *error;
		error_wrap(&wake->first, "watch of %s", watch->resource->resource);
	}
}

static char *watch_path(const struct kube_watch_target *target, int64_t timeout_ms)
{
	struct strbuf path = STRBUF_INIT;

	kube_path(&path, target->resource, target->namespace_, NULL);
	strbuf_addf(&path, "?watch=true&timeoutSeconds=%lld", (long long)((timeout_ms + GRACE_MS) / 1000));
	if (target->resource_version && *target->resource_version) {
		strbuf_adds(&path, "&resourceVersion=");
		http_escape(&path, target->resource_version);
	}
	return strbuf_detach(&path, NULL);
}

static int watch_open(
	struct kube_client *client, struct watch *watch, const struct kube_watch_target *target, int64_t timeout_ms, struct error *err)
{
	auto_free char *path = watch_path(target, timeout_ms);
	struct kube_stream stream = {
		.path = path, .stall_ms = timeout_ms + 2 * GRACE_MS, .on_data = watch_data, .ended = watch_ended, .arg = watch};

	return kube_stream(client, &stream, err);
}

/* Until something happens, no watch is left, or the time is over. */
static int wait_any(struct kube_client *client, const struct wake *wake, size_t count, int64_t until, struct error *err)
{
	while (!wake->look && wake->failed < count) {
		int64_t left = until - clock_monotonic_ms();

		if (left <= 0)
			return 0;
		if (interrupted())
			return error_set(err, ERR_INTERRUPTED, "stopped by a signal");
		if (kube_drive(client, left, err) < 0)
			return -1;
	}
	if (wake->look)
		return 1;
	*err = wake->first;
	return -1;
}

int kube_watch_any(struct kube_client *client, const struct kube_watch_target *targets, size_t count, int64_t timeout_ms, struct error *err)
{
	auto_free struct watch *watches = xcalloc(count + 1, sizeof(*watches));
	struct wake wake = {0};
	int64_t until = clock_monotonic_ms() + timeout_ms;
	int result = 0;

	if (count == 0) {
		clock_sleep_ms(timeout_ms);
		return 0;
	}
	for (size_t i = 0; i < count && result == 0; i++) {
		watches[i] = (struct watch){.wake = &wake, .resource = targets[i].resource};
		result = watch_open(client, &watches[i], &targets[i], timeout_ms, err);
	}
	if (result == 0)
		result = wait_any(client, &wake, count, until, err);
	/* This ends every transfer of the client, not only the watches: converging runs nothing else meanwhile. */
	kube_cancel_all(client);
	return result;
}
