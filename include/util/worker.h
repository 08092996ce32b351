/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker - one more thread, for bytes that are worked on in order (compressed, written) while the caller goes on.
 *
 * What the function touches belongs to it from worker_start on, and to the caller again after worker_wait or worker_free. Where no thread can be had
 * the function is called at once instead: slower, and the same otherwise.
 */
#ifndef RHAII_UTIL_WORKER_H
#define RHAII_UTIL_WORKER_H

#include <stddef.h>

#define WORKER_PART                                                                                                                        \
	((size_t)64                                                                                                                        \
		<< 10) /* how many bytes are worth handing over; more than WORKER_LINE never wait, but for a single part that is larger */
#define WORKER_LINE ((size_t)256 << 10)

struct error;
struct strbuf;
struct worker;

/* 0, or -1 with err: then it is never called again. */
typedef int (*worker_fn)(const char *data, size_t len, void *arg, struct error *err);

struct worker *worker_start(worker_fn fn, void *arg);
/* Hand over the bytes of part, which is empty afterwards; waits while there is no room in the line. -1 with the error of fn from its first failure on. */
int worker_give(struct worker *worker, struct strbuf *part, struct error *err);
/* Wait until all is done; more may be given afterwards. -1 as above. */
int worker_wait(struct worker *worker, struct error *err);
/* What is still in line is dropped. NULL is fine. */
void worker_free(struct worker *worker);

#endif
