/* SPDX-License-Identifier: Apache-2.0 */
/*
 * window - how many creates may be in flight: as many as the server works on, and few more.
 *
 * It starts at 8 and doubles with each round (slow start) until the server turns a request away or answers begin to queue; from then on it grows by one a round. A
 * refusal takes a quarter off it, once for all that was sent before. Queueing is told by latency, as TCP Vegas does it: of what is in flight, the share of its time by which an
 * answer took longer than the fastest of its kind is not worked on. A slow network alone is no queue: all answers take longer.
 */
#ifndef RHAII_RESTORE_WINDOW_H
#define RHAII_RESTORE_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WINDOW_START 8
#define WINDOW_MAX 64

struct window {
	size_t size;
	bool slow_start;
	size_t taken;          /* answers of this round */
	int64_t took, fastest; /* ms of all of them: as it was, and had each been as fast as the fastest of its kind */
	unsigned refusals;     /* that counted; what is sent keeps the number, so that it is known what a refusal came after */
};

void window_init(struct window *window);
/* The server took a request that was sent then (monotonic ms). *fastest is the caller's, one a kind, 0 at first: the shortest time that one has taken. */
void window_taken(struct window *window, int64_t sent, int64_t *fastest);
/* It turned one away (429, or whatever came with Retry-After) that was sent after so many refusals. */
void window_refused(struct window *window, unsigned refusals);

#endif
