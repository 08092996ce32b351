/* SPDX-License-Identifier: Apache-2.0 */
#include "window.h"

#include "util/clock.h"

/* Requests that wait at the server: with fewer the window grows, with more it shrinks. Wide apart, since the time of an answer varies on its own. */
#define QUEUE_FEW 8
#define QUEUE_MANY 32

void window_init(struct window *window)
{
	*window = (struct window){.size = WINDOW_START, .slow_start = true};
}

static void begin_round(struct window *window)
{
	window->taken = 0;
	window->took = window->fastest = 0;
}

static void end_round(struct window *window)
{
	size_t waiting = (size_t)((int64_t)window->size * (window->took - window->fastest) / window->took);

	if (waiting <= QUEUE_FEW)
		window->size += window->slow_start ? window->size : 1;
	else
		window->slow_start = false;
	if (waiting > QUEUE_MANY)
		window->size--;
	if (window->size > WINDOW_MAX)
		window->size = WINDOW_MAX;
	begin_round(window);
}

void window_taken(struct window *window, int64_t sent, int64_t *fastest)
{
	int64_t took = clock_monotonic_ms() - sent;

	took = took > 0 ? took : 1;
	if (!*fastest || took < *fastest)
		*fastest = took;
	window->took += took;
	window->fastest += *fastest;
	if (++window->taken >= window->size)
		end_round(window);
}

void window_refused(struct window *window, unsigned refusals)
{
	if (refusals != window->refusals)
		return;
	window->refusals++;
	window->slow_start = false;
	window->size -= (window->size + 3) / 4;
	if (window->size == 0)
		window->size = 1;
	begin_round(window);
}
