/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service - a program that runs beside us until we stop it, and no longer than we do: the kernel ends it when we are killed.
 *
 * Secrets reach it as open files without a name (service_secret), so that none is on a disk or in an argument: the first is "/proc/self/fd/3" for it, the next one 4.
 */
#ifndef RHAII_UTIL_SERVICE_H
#define RHAII_UTIL_SERVICE_H

#include <stdbool.h>
#include <stddef.h>

struct error;
struct service;

#define SERVICE_SECRETS 4

struct service_start {
	const char *const *argv;      /* NULL-terminated; argv[0] is a path */
	const char *dir;              /* where it runs */
	const char *log;              /* file that gets all that it prints, 0600 */
	int secrets[SERVICE_SECRETS]; /* of service_secret, in their order */
	size_t secret_count;
};

/* An open file that holds the bytes and has no name; -1 with err. The caller closes it. */
int service_secret(const void *data, size_t len, struct error *err);
int service_start(struct service **out, const struct service_start *start, struct error *err);
bool service_runs(struct service *service);
/* Ask it to end, kill it after five seconds, free it. NULL is fine. */
void service_stop(struct service *service);

/* A TCP port of the loopback interface that nobody listens at now. */
int service_free_port(int *port, struct error *err);

#endif
