/* SPDX-License-Identifier: Apache-2.0 */
/* exec_plugin - asks the exec plugin of a kubeconfig (client.authentication.k8s.io, v1 and v1beta1) for credentials. */
#ifndef RHAII_KUBE_EXEC_PLUGIN_H
#define RHAII_KUBE_EXEC_PLUGIN_H

#include <time.h>

struct error;
struct kube_exec;

struct exec_credential {
	char *token;      /* NULL: none */
	char *cert, *key; /* PEM text, both or none */
	time_t expires;   /* 0: not said */
};
void exec_credential_release(struct exec_credential *credential);

/* Runs it, for a minute at most. out is zeroed by the caller, who releases it, also after -1. No message holds what it printed. */
int exec_plugin_run(const struct kube_exec *exec, struct exec_credential *out, struct error *err);

#endif
