/* SPDX-License-Identifier: Apache-2.0 */
#include "util/worker.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

#include "util/error.h"
#include "util/mem.h"
#include "util/strbuf.h"

struct part {
	struct strbuf bytes;
	struct part *next;
};

struct worker {
	worker_fn fn;
	void *arg;
	bool threaded;
	pthread_t thread;

	pthread_mutex_t lock; /* of all that follows */
	pthread_cond_t given, done;
	struct part *first, **last;
	size_t waiting; /* bytes in line */
	bool busy, end;
	struct error fault;
};

static void part_free(struct part *part)
{
	strbuf_release(&part->bytes);
	free(part);
}

/* ---- the thread ---- */

/* The next part, with the lock held; NULL when there will be none. */
static struct part *next_part(struct worker *worker)
{
	struct part *part;

	while (!worker->first && !worker->end)
		(void)pthread_cond_wait(&worker->given, &worker->lock);
	part = worker->end ? NULL : worker->first;
	if (!part)
		return NULL;
	worker->first = part->next;
	if (!worker->first)
		worker->last = &worker->first;
	worker->waiting -= part->bytes.len;
	return part;
}

/* Without the lock while fn works. */
static void work(struct worker *worker, struct part *part)
{
	struct error fault = ERROR_INIT;
	bool skip = worker->fault.code != ERR_NONE;
	int rc = 0;

	worker->busy = true;
	(void)pthread_cond_signal(&worker->done);
	(void)pthread_mutex_unlock(&worker->lock);
	if (!skip)
		rc = worker->fn(part->bytes.buf, part->bytes.len, worker->arg, &fault);
	part_free(part);
	(void)pthread_mutex_lock(&worker->lock);
	worker->busy = false;
	if (rc < 0)
		worker->fault = fault;
	(void)pthread_cond_signal(&worker->done);
}

static void *run(void *arg)
{
	struct worker *worker = arg;
	struct part *part;

	(void)pthread_mutex_lock(&worker->lock);
	while ((part = next_part(worker)))
		work(worker, part);
	(void)pthread_mutex_unlock(&worker->lock);
	return NULL;
}

/* Signals are the main thread's: handlers there expect to interrupt what it waits for. */
static bool start_thread(struct worker *worker)
{
	sigset_t all, before;
	int rc;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&worker->thread, NULL, run, worker);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc == 0;
}

struct worker *worker_start(worker_fn fn, void *arg)
{
	struct worker *worker = xcalloc(1, sizeof(*worker));

	worker->fn = fn;
	worker->arg = arg;
	worker->last = &worker->first;
	(void)pthread_mutex_init(&worker->lock, NULL);
	(void)pthread_cond_init(&worker->given, NULL);
	(void)pthread_cond_init(&worker->done, NULL);
	worker->threaded = start_thread(worker);
	return worker;
}

/* ---- its caller ---- */

static int failure(const struct worker *worker, struct error *err)
{
	if (worker->fault.code == ERR_NONE)
		return 0;
	*err = worker->fault;
	return -1;
}

/* Where there is no thread. */
static int give_here(struct worker *worker, struct strbuf *part, struct error *err)
{
	if (worker->fault.code == ERR_NONE)
		(void)worker->fn(part->buf, part->len, worker->arg, &worker->fault);
	strbuf_truncate(part, 0);
	return failure(worker, err);
}

int worker_give(struct worker *worker, struct strbuf *part, struct error *err)
{
	struct part *added;
	int rc;

	if (!worker->threaded)
		return give_here(worker, part, err);
	added = xcalloc(1, sizeof(*added));
	added->bytes = *part;
	*part = (struct strbuf)STRBUF_INIT;
	(void)pthread_mutex_lock(&worker->lock);
	while (worker->first && worker->waiting + added->bytes.len > WORKER_LINE)
		(void)pthread_cond_wait(&worker->done, &worker->lock);
	*worker->last = added;
	worker->last = &added->next;
	worker->waiting += added->bytes.len;
	rc = failure(worker, err);
	(void)pthread_cond_signal(&worker->given);
	(void)pthread_mutex_unlock(&worker->lock);
	return rc;
}

int worker_wait(struct worker *worker, struct error *err)
{
	int rc;

	(void)pthread_mutex_lock(&worker->lock);
	while (worker->first || worker->busy)
		(void)pthread_cond_wait(&worker->done, &worker->lock);
	rc = failure(worker, err);
	(void)pthread_mutex_unlock(&worker->lock);
	return rc;
}

static void end_thread(struct worker *worker)
{
	(void)pthread_mutex_lock(&worker->lock);
	worker->end = true;
	(void)pthread_cond_signal(&worker->given);
	(void)pthread_mutex_unlock(&worker->lock);
	(void)pthread_join(worker->thread, NULL);
}

void worker_free(struct worker *worker)
{
	struct part *part;

	if (!worker)
		return;
	if (worker->threaded)
		end_thread(worker);
	while ((part = worker->first)) {
		worker->first = part->next;
		part_free(part);
	}
	(void)pthread_cond_destroy(&worker->given);
	(void)pthread_cond_destroy(&worker->done);
	(void)pthread_mutex_destroy(&worker->lock);
	free(worker);
}
