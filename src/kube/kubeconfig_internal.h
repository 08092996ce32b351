/* SPDX-License-Identifier: Apache-2.0 */
/* kubeconfig_internal - what the parts of kubeconfig.h share: the files and what stands in them, users, exec plugins. */
#ifndef RHAII_KUBE_KUBECONFIG_INTERNAL_H
#define RHAII_KUBE_KUBECONFIG_INTERNAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct error;
struct kube_config;
struct strbuf;

/* One kubeconfig file; what it names is relative to dir. */
struct layer {
	char *path;
	char *dir;
	json_t *doc;
};

/* The files in the order of KUBECONFIG. They are not merged into one: the first that has a name wins, and keeps its directory. */
struct layers {
	struct layer *items;
	size_t count, cap;
};

/* A named cluster, user or context and where it was found. */
struct entry {
	const char *what; /* "cluster", for messages */
	const char *name;
	const json_t *body; /* NULL: the context names none */
	const struct layer *layer;
};

/* ---- kubeconfig_merge.c ---- */

/* Leaves layers empty when there is no file at all. */
int layers_load(struct layers *layers, const char *file, struct error *err);
void layers_release(struct layers *layers);
#define auto_layers __attribute__((cleanup(layers_release)))

/* wanted, else the first current-context. */
int layers_context(const struct layers *layers, const char *wanted, const char **out, struct error *err);
/* entry->what and entry->name are set; section is "clusters". */
int entry_find(const struct layers *layers, const char *section, struct entry *entry, struct error *err);
/* *out is the string at key, NULL when it is missing, null or empty (which kubectl takes for missing). */
int entry_text(const struct entry *entry, const char *key, const char **out, struct error *err);
int entry_flag(const struct entry *entry, const char *key, bool *out, struct error *err);
/* PEM text from data_key or the file at key (the data wins, as in kubectl); NULL: neither is there. */
int entry_pem(const struct entry *entry, const char *key, const char *data_key, char **out, struct error *err);
/* ERR_USAGE "KEY of user 'u' in 'FILE' <what>"; returns -1. */
int entry_fault(const struct entry *entry, const char *key, const char *what, struct error *err);
/* path as seen from the directory of the file. The caller frees. */
char *layer_path(const struct layer *layer, const char *path);

/* ---- kubeconfig_user.c, kubeconfig_exec.c ---- */

/* Everything of config that says who we are. config->server and what else the cluster says is there already. */
int user_load(struct kube_config *config, const struct entry *user, const struct entry *cluster, struct error *err);
/* config->exec, when the user has an exec plugin. */
int user_exec(struct kube_config *config, const struct entry *user, const struct entry *cluster, struct error *err);

/* Whether text can stand in a header line. */
bool is_header_text(const char *text);
/* "127.0.0.1:80/x", "localhost", "[::1]": what follows the scheme of a URL. */
bool is_loopback(const char *host);

#endif
