/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of one capture, shared by the files of this folder. Order of the calls: definitions_load, collect_kinds, inventory_collect, documents_write, then publish in capture.c.
 */
#ifndef RHAII_SNAPSHOT_INTERNAL_H
#define RHAII_SNAPSHOT_INTERNAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "kube/discovery.h"
#include "object/classify.h"
#include "util/map.h"
#include "util/mem.h"

struct capture_options;
struct error;
struct git_write;
struct kube_client;
struct object;
struct policy;
struct policy_kind;
struct strbuf;

/* A policy row on this cluster. */
struct capture_kind {
	const struct policy_kind *row;
	struct kube_resource resource; /* at the storage version where the definition may be read; strings owned */
	bool served;
	bool custom; /* has a CustomResourceDefinition */
	json_t *served_versions;
	json_t *definition;    /* cleaned; NULL for built-in kinds and where it may not be read */
	char *storage_version; /* of the definition; NULL where that is not known. resource.version differs where it is not served */
	struct map listed;     /* namespaces of which a list was read ("": all) */
	size_t count;          /* objects taken */
};

/* An object that a list showed, or that is made from a taken one, by key. */
struct seen {
	enum object_class class_;
	bool taken;
};

/* What something refers to, by key. */
struct need {
	char *group, *resource, *namespace_, *name;
	struct strlist keys, needed_by;
	bool optional; /* every reference says so */
};

/* An object with a controller owner, waiting for the owners to be known. */
struct child {
	char *group, *resource, *kind, *namespace_, *name, *owner_uid;
};

/* An object taken into the snapshot, by its uid. */
struct taken {
	char *group, *kind, *name;
};

void taken_free(void *taken);

struct capture {
	const struct capture_options *options;
	struct kube_client *client;
	const struct policy *policy;
	struct discovery *discovery;
	struct git_write *write;
	char *cluster_id, *server_version, *resource_version;
	struct strlist namespaces;  /* of the options, sorted; empty: the policy's scope */
	struct capture_kind *kinds; /* as policy->kinds */
	struct map seen;            /* key -> struct seen */
	struct map needs;           /* key -> struct need */
	struct map taken;           /* uid -> struct taken */
	struct map held;            /* namespace -> itself */
	struct child *children;
	size_t child_count, child_cap;
	json_t *environment;  /* [{object, path, value}] */
	json_t *requirements; /* list, from needs; set by documents_write */
	json_t *generated;    /* list; set by inventory_collect */
	json_t *not_listed;   /* inventory kinds that may not be listed */
	json_t *undefined;    /* kinds whose definition may not be read */
	size_t taken_count, generated_count, installed_count;
};

/* Append "group/resource/namespace/name". */
void capture_key(struct strbuf *out, const char *group, const char *resource, const char *namespace_, const char *name);
/* Whether the scope of this run covers the namespace ("" for cluster-scoped objects). */
bool capture_in_scope(const struct capture *c, const char *namespace_);
bool capture_is_narrowed(const struct capture *c);
/* Namespaces that need one list each; above this many one list over all of them costs less. */
#define CAPTURE_NAMESPACE_LISTS 8

int definitions_load(struct capture *c, struct error *err);
int collect_kinds(struct capture *c, struct error *err);
int inventory_collect(struct capture *c, struct error *err);
int documents_write(struct capture *c, struct error *err);

/* Whether a list has shown the objects of this kind in the namespace. */
bool capture_was_listed(const struct capture_kind *kind, const char *namespace_);

/*
 * Remember what the object refers to, and what is made from it. A `selects` reference is no need: what it hits is a reason to take the object,
 * not the other way round.
 */
void needs_add(struct capture *c, const struct object *object, const struct policy_kind *row);
/* The needs that the snapshot does not cover, as the list of requirements.yaml. The caller's. */
json_t *needs_requirements(const struct capture *c);
/* Remember that an inventory kind's object has a controller owner. */
void inventory_add(struct capture *c, const struct kube_resource *resource, const struct object *object);

/* What differs between the branch head and the finished tree: the list `changes` of the result, at most CHANGES_MAX of them, and all of them counted. */
#define CHANGES_MAX 1000
struct changes {
	json_t *list;
	size_t added, changed, removed, other;
	bool incomplete; /* the branch head could not be read to its end */
};
int changes_collect(struct capture *c, struct changes *out, struct error *err);
/* Append the commit message without trailers. first: there was no commit before. */
void changes_message(const struct capture *c, const struct changes *changes, bool first, struct strbuf *out);

#endif
