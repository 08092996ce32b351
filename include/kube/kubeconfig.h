/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kubeconfig - which API server, and as whom: a kubeconfig file as kubectl reads it, or the service account of the pod.
 *
 * Order (kubectl's): the file given, else KUBECONFIG, else ~/.kube/config; where none of them exists and the process runs in a pod
 * (KUBERNETES_SERVICE_HOST is set), the in-cluster account with its token file and namespace.
 *
 * Of several kinds of credentials the order is kubectl's: tokenFile, token, exec; a client certificate goes with each of them. What the API
 * server or kubectl no longer knows (username and password, auth-provider) is refused.
 */
#ifndef RHAII_KUBE_KUBECONFIG_H
#define RHAII_KUBE_KUBECONFIG_H

#include <jansson.h>
#include <stdbool.h>

#include "util/mem.h"

struct error;

/* A program that prints credentials (client.authentication.k8s.io). It is run by client.h, not here. */
struct kube_exec {
	char *user;               /* for messages: "user 'me' in '/home/x/.kube/config'" */
	char *api_version;        /* "client.authentication.k8s.io/v1" or v1beta1 */
	char *command;            /* with a '/' a path, else looked for in PATH */
	struct strlist args;      /* after the command */
	struct strlist variables; /* "NAME=value" */
	char *install_hint;       /* NULL: none */
	json_t *cluster;          /* spec.cluster of what the program is told; NULL: it does not want to know */
};

struct kube_config {
	char *server;               /* "https://host:port", no trailing slash */
	char *proxy;                /* URL as util/http.h takes it, may hold a password; NULL: none */
	char *ca;                   /* PEM text, NULL: the system's */
	char *cert, *key;           /* PEM text, NULL: none */
	char *token;                /* NULL: none */
	char *token_file;           /* read again when it changes; NULL: none */
	struct kube_exec *exec;     /* never beside a token; NULL: none */
	struct strlist impersonate; /* header lines, "Impersonate-User: jane" */
	char *server_name;          /* tls-server-name */
	bool insecure;              /* insecure-skip-tls-verify */
	char *namespace_;           /* the context's, never NULL */
	char *source;               /* for messages: "context 'prod' of /home/x/.kube/config", "in-cluster service account" */
	char *file, *context;       /* the same in parts; NULL in a pod */
};

/* file and context may be NULL. ERR_USAGE with a hint for anything missing or contradictory. The caller frees. */
int kube_config_load(struct kube_config **out, const char *file, const char *context, struct error *err);
void kube_config_free(struct kube_config *config); /* wipes keys and tokens */
void kube_exec_free(struct kube_exec *exec);

#endif
