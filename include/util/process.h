/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process - runs a program and takes what it prints.
 *
 * No shell, no input (/dev/null), its standard error is ours, no other open file of ours reaches it. It runs in a process group of its
 * own, which is killed as a whole when the time is over. What it leaves running in the background is neither waited for nor killed.
 */
#ifndef RHAII_UTIL_PROCESS_H
#define RHAII_UTIL_PROCESS_H

#include <stddef.h>
#include <stdint.h>

struct error;
struct strbuf;

struct process {
	const char *const *argv;      /* NULL-terminated; argv[0] with a '/' is a path, else it is looked for in our PATH */
	const char *const *variables; /* "NAME=value", added to our environment, where they win; NULL-terminated, may be NULL */
	int64_t timeout_ms;
	size_t max_output;
};

/*
 * Append its standard output. The buffer grows once, before the first byte, so that the caller can wipe all there ever was. 0 when it
 * exited with 0. ERR_NOT_FOUND when there is no such program, else ERR_FAILED. No message holds what it printed.
 */
int process_run(const struct process *process, struct strbuf *out, struct error *err);

#endif
