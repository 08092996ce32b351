/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kubeconfig - which API server, and as whom: a kubeconfig file as kubectl reads it, or the service account of the pod.
 *
 * Order (kubectl's): the file given, else KUBECONFIG, else ~/.kube/config; where none of them exists and the process runs in a pod
 * (KUBERNETES_SERVICE_HOST is set), the in-cluster account with its token file and namespace.
 */
#ifndef RHAII_KUBE_KUBECONFIG_H
#define RHAII_KUBE_KUBECONFIG_H

#include <stdbool.h>

struct error;

struct kube_config {
	char *server;      /* "https://host:port", no trailing slash */
	char *ca;          /* PEM text, NULL: the system's */
	char *cert, *key;  /* PEM text, NULL: none */
	char *token;       /* NULL: none */
	char *token_file;  /* read again when it changes; NULL: none */
	char *server_name; /* tls-server-name */
	bool insecure;     /* insecure-skip-tls-verify */
	char *namespace_;  /* the context's, never NULL */
	char *source;      /* for messages: "context 'prod' of /home/x/.kube/config", "in-cluster service account" */
};

/* file and context may be NULL. ERR_USAGE with a hint for anything missing or contradictory. The caller frees. */
int kube_config_load(struct kube_config **out, const char *file, const char *context, struct error *err);
void kube_config_free(struct kube_config *config); /* wipes keys and tokens */

#endif
