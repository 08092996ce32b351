/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process - runs a program and takes what it prints.
 *
 * No shell, no input (/dev/null), its standard error is ours where nothing else is said, no other open file of ours reaches it. It runs in a process group of its
 * own, which is killed as a whole when the time is over. What it leaves running in the background is neither waited for nor killed.
 */
#ifndef RHAII_UTIL_PROCESS_H
#define RHAII_UTIL_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct strbuf;

struct process {
	const char *const *argv;      /* NULL-terminated; argv[0] with a '/' is a path, else it is looked for in our PATH */
	const char *const *variables; /* "NAME=value", added to our environment, where they win; NULL-terminated, may be NULL */
	const char *directory;        /* where it runs; NULL: where we do */
	int64_t timeout_ms;
	size_t max_output; /* of process_run */
};

/* How a program ended. */
struct process_end {
	int exit_code; /* 128 and the number of the signal that ended it, as a shell has it; -1: it did not start, or was killed by us */
	bool timed_out;
};

/*
 * Append its standard output. The buffer grows once, before the first byte, so that the caller can wipe all there ever was. 0 when it
 * exited with 0. ERR_NOT_FOUND when there is no such program, else ERR_FAILED. No message holds what it printed.
 */
int process_run(const struct process *process, struct strbuf *out, struct error *err);

/*
 * The same with its standard output and standard error in the file that fd is open on. Asked to stop (util/interrupt.h), it is killed: ERR_INTERRUPTED. *end is told in any case.
 */
int process_run_into(const struct process *process, int fd, struct process_end *end, struct error *err);

#endif
