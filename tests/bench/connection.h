/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connection - how the programs of the benchmark reach an API server: plain libcurl, HTTP/2, one connection, a client certificate.
 *
 * The directory of a connection is made by run.sh from a kubeconfig: server (one line, the URL), ca.crt, client.crt, client.key.
 */
#ifndef RHAII_BENCH_CONNECTION_H
#define RHAII_BENCH_CONNECTION_H

#include <curl/curl.h>

struct connection {
	char server[256];
	char ca[512], cert[512], key[512];
	const char *agent;
};

/* Read the directory. agent is the User-Agent, and must live as long as the connection. Ends the program on failure. */
void connection_open(struct connection *c, const char *dir, const char *agent);

/* A new handle, set up but for its URL. Ends the program on failure. */
CURL *connection_handle(const struct connection *c);

/* Point the handle at a path of the server, with the query when that is not empty. */
void connection_target(const struct connection *c, CURL *easy, const char *path, const char *query);

/* Print the message of this program and end it with 1. */
void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

#endif
