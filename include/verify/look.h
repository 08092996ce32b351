/* SPDX-License-Identifier: Apache-2.0 */
/*
 * look - inside a verify_look: which kinds are listed, and what of the lists is kept.
 *
 * look_prepare decides from the snapshot and the policy what to list and asks nobody; look_list_all asks the server; it feeds look_take
 * item by item and says look_listed when a kind is complete. Tests do the same by hand. Generated kinds are listed before the kinds that
 * own them: an object made while we look is then at worst missing, never taken for an orphan.
 */
#ifndef RHAII_VERIFY_LOOK_H
#define RHAII_VERIFY_LOOK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "util/map.h"
#include "verify/verify.h"

struct error;
struct kube_resource;
struct object;
struct policy_kind;

/* Up to so many namespaces are listed one by one, which needs no right on the whole cluster. */
#define LOOK_FEW_NAMESPACES 8

struct look_kind {
	char *group, *resource;
	char *kind;                         /* NULL: not known (an inventory kind that is not served) */
	const char *version;                /* the snapshot's; NULL: any */
	const struct policy_kind *row;      /* NULL: inventory only */
	const struct kube_resource *served; /* NULL: not served */
	bool inventory;                     /* generated objects of it are looked at */
	bool objects;                       /* the snapshot has objects of it: whole objects are listed */
	bool listed;                        /* completely */
	bool not_served;                    /* and the server is sure about it */
	char *why;                          /* why it was not listed, for people */
};

/* One list that was taken: where a watch goes on. */
struct look_list {
	const struct look_kind *kind;
	const char *namespace_; /* NULL: all */
	char *version;
};

/* What of the installation the snapshot noted, as it is here (installation.h). */
struct look_installation {
	json_t *presets; /* {object, result: same|other|missing|not looked at, reason} a preset, in their order; NULL: not looked at */
	char *differs;   /* in what it is another one than the source's; NULL: in nothing that is known */
	bool controller_differs;
};

struct verify_look {
	struct verify_settings settings;
	struct look_kind **kinds; /* in the order of listing */
	size_t kind_count, kind_cap;
	struct look_list *lists;
	size_t list_count, list_cap;
	struct map by_resource; /* "group/resource" -> look_kind */
	struct map by_kind;     /* "group/Kind" -> look_kind, only those listed completely */
	struct map namespaces;  /* of the snapshot */
	struct map wanted;      /* look_key of the snapshot's objects and of its generated inventory */
	struct map live;        /* look_key -> json_t, what is wanted and there */
	struct map uids;        /* uid -> judge_identity, everything listed */
	json_t *controlled;     /* generated kinds' objects in the snapshot's namespaces that have a controller owner */
	json_t *policies;       /* the NetworkPolicies there, and */
	json_t *workloads;      /* the Deployments and LeaderWorkerSets, whole */
	struct look_installation installation;
};

#define LOOK_NETWORK_GROUP "networking.k8s.io"
#define LOOK_NETWORK_POLICIES "networkpolicies"

struct verify_look *look_prepare(const struct verify_settings *settings, bool all);
void look_take(struct verify_look *look, const struct look_kind *kind, json_t *item);
void look_listed(struct verify_look *look, struct look_kind *kind);
int look_list_all(struct verify_look *look, struct error *err);

/* NULL: not looked at. */
struct look_kind *look_find(const struct verify_look *look, const char *group, const char *resource);
/* NULL: not there, or not looked at. Borrowed. */
json_t *look_live(const struct verify_look *look, const char *group, const char *resource, const char *namespace_, const char *name);
json_t *look_object(const struct verify_look *look, const struct object *object);
/* Whether all objects of this kind are in uids. */
bool look_knows(const struct verify_look *look, const char *group, const char *kind);

/* The objects of generated.yaml; NULL when there is none. */
const json_t *look_generated(const struct verify_look *look);

#endif
