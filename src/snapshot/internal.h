/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of one capture, shared by the files of this folder. Order of the calls: definitions_load, collect_kinds, inventory_collect, installation_collect, documents_write, then publish in capture.c.
 */
#ifndef RHAII_SNAPSHOT_INTERNAL_H
#define RHAII_SNAPSHOT_INTERNAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "kube/discovery.h"
#include "kube/list.h"
#include "object/classify.h"
#include "object/object.h"
#include "util/map.h"
#include "util/mem.h"
#include "util/strbuf.h"
#include "util/table.h"

struct cache;
struct capture;
struct capture_options;
struct carry;
struct error;
struct facts;
struct git_store;
struct git_write;
struct kube_client;
struct owners;
struct policy;
struct policy_kind;

/* A policy row on this cluster. */
struct capture_kind {
	const struct policy_kind *row;
	struct kube_resource resource; /* at the storage version where the definition may be read; strings owned */
	bool served;
	bool carried;  /* not listed: as the branch head has it, see carry.c */
	bool migrated; /* stored at another version than at the branch head */
	bool custom;   /* has a CustomResourceDefinition */
	json_t *served_versions;
	char *storage_version; /* of the definition; NULL where that is not known. resource.version differs where it is not served */
	char *schema_sha256;   /* of that version; NULL or "" where it is not known */
	char *conversion;      /* None or Webhook; NULL where it is not known */
	char *older_versions;  /* that objects may still be stored at, a comma between two; NULL or "": none, as far as is known */
	struct map listed;     /* namespaces of which a list was read ("": all) */
	size_t count;          /* objects taken */
};

/* There is one of these for each object of the cluster, or more: they are kept small, and what can be found out is not kept. */

/* An object that a list showed, or that is made from a taken one, by key. */
struct seen {
	uint32_t rule;  /* of the policy that says which class, counted from 1; 0: an owner, or nothing, does */
	uint8_t class_; /* enum object_class */
	bool taken, orphan;
};

/* What something refers to, by key. */
struct need {
	uint32_t keys, needed_by; /* lists of texts, see needs.c; 0: empty */
	bool optional;            /* every reference says so */
	bool absent;              /* a Secret that was looked for, and is not there */
};

/* One of those texts: its number in words, and the link behind it, counted from 1; 0: none. */
struct link {
	uint32_t word, next;
};

/* An object taken into the snapshot, by its uid. */
struct taken {
	uint32_t seen; /* its number in seen */
};

/* An entry of seen or of needs: its key, and the parts of that. */
struct named {
	struct strbuf key, cut;
	struct object object; /* version is "", and kind too of what is no kind of the policy */
};
#define NAMED_INIT                                                                                                                         \
	{                                                                                                                                  \
		.key = STRBUF_INIT, .cut = STRBUF_INIT                                                                                     \
	}
/* Replace *out by entry number at of the table. */
void capture_name(const struct capture *c, const struct table *table, uint32_t at, struct named *out);
void named_release(struct named *named);
#define auto_named __attribute__((cleanup(named_release)))
/* Something that no list has shown comes back by itself; false: one has, and nothing changes. */
bool seen_generated(struct capture *c, const char *key);
/* The rule that decides the class, or NULL. */
const struct classify_rule *seen_rule(const struct capture *c, const struct seen *seen);
/* The kind of the policy, or NULL. */
struct capture_kind *capture_kind_of(const struct capture *c, const char *group, const char *resource);

struct capture {
	const struct capture_options *options;
	struct kube_client *client;
	const struct policy *policy;
	struct discovery *discovery;
	struct git_write *write;
	char *cluster_id, *server_version, *resource_version;
	struct strlist namespaces;  /* of the options, sorted; empty: the policy's scope */
	struct capture_kind *kinds; /* as policy->kinds */
	struct table seen;          /* key -> struct seen */
	struct table needs;         /* key -> struct need */
	struct table words;         /* the texts of needs, each once */
	struct link *links;         /* the lists of needs */
	size_t link_count, link_cap;
	struct map keys;       /* key -> struct strlist, what a reference by key finds in a taken object or a checked Secret */
	struct table taken;    /* uid -> struct taken */
	struct map held;       /* namespace -> itself */
	struct owners *owners; /* of generated objects, see owners.h */
	json_t *orphans;       /* [{group, resource, kind, namespace, name, owner, why}]; set by inventory_collect */
	json_t *uncovered;     /* list, from needs, and how many there are; set by documents_write */
	size_t uncovered_count;
	json_t *presets, *controllers, *webhooks; /* lists of requirements.yaml, see installation.c */
	json_t *not_read;                         /* what of these may not be listed */
	struct map inventoried;                   /* "group/resource//" of kinds that were listed over all namespaces */
	struct map controllers_seen;              /* the policy's controllers that such a list has shown, without namespace */
	json_t *generated;                        /* list; set by inventory_collect */
	json_t *not_listed;                       /* inventory kinds that may not be listed */
	json_t *undefined;                        /* kinds whose definition may not be read */
	size_t taken_count, generated_count, installed_count;
	struct kube_list_first first; /* of the next kind, while the lists are read */
	struct carry *carry;          /* kinds that are carried; borrowed */
	struct capture_kind *failing; /* the kind that could not be read; NULL: none */
	struct cache *cache;          /* of what the last capture made of each object; NULL: none */
	bool together;                /* all lists are of resource_version; false: each is of its own time */
	bool inexact;                 /* the server does not list at a given version */
	bool sink_failed;             /* what a list gave was refused here, not by the server */
	time_t since;                 /* objects written to after this may differ from the branch head; 0: there is none */
	json_t *records;              /* path -> change_record, of such objects; NULL: none */
	size_t record_count;
	json_t *migrated;          /* [{name, from, to}], see migration.c */
	struct map migrated_texts; /* path -> text of what differs for that reason alone */
	size_t changed_besides;    /* objects that differ from the head for another one; counted where something has migrated */
	json_t *maintenance;       /* [{kind, namespace, name, state}], see maintenance.h; NULL: none */
	size_t not_ready;          /* taken objects whose ready conditions were not all True */
	json_t *credentials;       /* [{object, path, kind}] that refuse the capture */
	json_t *findings;          /* the same, only told */
	json_t *drift;             /* [{object, fields: [{path, applied, live}]}] */
	json_t *finalizers;        /* [{object, finalizer}] that the policy does not know */
	bool *matched;             /* which of the policy's own rules name something, as policy->own */
};

/* Append "group/resource/namespace/name". */
void capture_key(struct strbuf *out, const char *group, const char *resource, const char *namespace_, const char *name);
/* Whether the scope of this run covers the namespace ("" for cluster-scoped objects). */
bool capture_in_scope(const struct capture *c, const char *namespace_);
bool capture_is_narrowed(const struct capture *c);
/* Namespaces that need one list each; above this many one list over all of them costs less. */
#define CAPTURE_NAMESPACE_LISTS 8

/* kube_list, at the version of the first list of the capture; sets resource_version. */
int capture_list(struct capture *c, const struct kube_resource *resource, const struct kube_list_options *options,
	const struct kube_list_sink *sink, struct error *err);

int definitions_load(struct capture *c, struct error *err);
/*
 * Take an object that the branch head has, of a carried kind, as if a list had shown it: but whatever refers to it, since the whole kind is kept, and without what only
 * the live object says. uid stands for the one that is not known.
 */
int collect_kept(struct capture *c, struct capture_kind *kind, struct object *object, char *uid, struct error *err);
int collect_kinds(struct capture *c, struct error *err);
int inventory_collect(struct capture *c, struct error *err);
/* Whether the policy's inventory lists the kind. */
bool inventory_has(const struct policy *policy, const char *group, const char *resource);
int installation_collect(struct capture *c, struct error *err);
int documents_write(struct capture *c, struct error *err);

/* A kind's row of snapshot.yaml, and of the definitions of requirements.yaml. The caller's. */
json_t *document_kind(const struct capture_kind *kind);
json_t *document_definition(const struct capture_kind *kind);
/* The trailers that every commit of the capture has. */
void capture_trailers(const struct capture *c, time_t time, const char *manifest, struct strbuf *out);

/* ---- migration.c ---- */

/* After git_write_finish: which kinds are stored at another version than at the branch head, and what differs besides. */
int migration_find(struct capture *c, struct git_store *store, const char *head, struct error *err);
/* Whether the storage versions are all that has changed of the objects. */
bool migration_is_all(const struct capture *c);
/* Append "storage version of KIND v1 -> v2, ..". */
void migration_title(const struct capture *c, struct strbuf *out);
/* Where something else has changed: write the commit of the migration, which the one of the capture then follows. Moves no ref. */
int migration_commit(struct capture *c, struct git_store *store, const char *head, time_t time, struct error *err);

/* ---- installation.c ---- */

/* An installed object that a list has shown for the first time: note it when its kind is one of presets. */
void preset_add(struct capture *c, const struct object *object, const struct facts *facts);
/* An item of an inventory list. */
void controller_seen(struct capture *c, const struct kube_resource *resource, const json_t *item);
/* The rows by what they say. The caller's. */
json_t *installation_sorted(const json_t *list);

/* A list of {object, path, ..} or {object, finalizer} in that order, since the order of the lists must not show. The caller's. */
json_t *capture_sorted(const json_t *list);

/* Append a requirement that somebody must bring (required from the target, or missing at the source already) to the list, of which the result has so many at most. */
#define UNCOVERED_MAX 1000
void uncovered_add(json_t *uncovered, size_t *count, json_t *requirement);

/* ---- carry.c: kinds of `onError: carry` that cannot be read keep the state of the branch head ---- */

/* The kinds that are carried, over all the starts of one capture. store and cluster are borrowed. */
struct carry *carry_new(struct git_store *store, const char *cluster);
void carry_free(struct carry *carry);
/*
 * After a start that failed: true when the fault is of one kind alone, and that one is carried from now on, so that the capture can start over without asking for it. Else
 * err says what it did, and where the kind was to be carried also why it cannot be.
 */
bool carry_take(struct carry *carry, const struct capture *c, struct error *err);
/* When it is a carried kind: 1, with all that the branch head says of it, its definition written; else 0. */
int carry_load(struct capture *c, struct capture_kind *kind, struct error *err);
/* Take the objects of a carried kind, all of them. */
int carry_collect(struct capture *c, struct capture_kind *kind, struct error *err);
/* Add the children of carried kinds to c->owners, and the uids of carried owners to c->taken. After all lists. */
void carry_inventory(struct capture *c);
/* What the branch head says of a need that a carried kind would have to answer; NULL: nothing. Borrowed. */
const char *carry_state(const struct capture *c, const struct named *need);
/* [{group, resource, since, error}] of the carried kinds, in the order of the policy. Borrowed. */
json_t *carry_stale(const struct carry *carry);

/* ---- guard.c ---- */

/* Of a snapshot.yaml: one of the two. */
struct scope {
	struct strlist namespaces, excluded;
};
void scope_read(struct scope *out, const json_t *info);
void scope_release(struct scope *scope);
/* "" for cluster-scoped objects. */
bool scope_covers(const struct scope *scope, const char *namespace_);
void guard_begin(struct capture *c);
void guard_end(struct capture *c);
/* Look for credentials in a cleaned object that is to be written; false: nothing of it may be. Once for each object whose bytes did not pass before. */
bool guard_object(struct capture *c, const struct object *object);
/* After collect_kinds: ERR_GUARD, *result set, when guard_object has refused one. */
int guard_credentials(const struct capture *c, json_t **result, struct error *err);
/* [{guard, text}]: what speaks against putting the capture behind this commit, empty when nothing does. The caller's. */
json_t *guard_compare(const struct capture *c, struct git_store *store, const char *commit);
/* Set *result and ERR_GUARD for what guard_compare found; return -1. tree is the refused one. */
int guard_refuse(const struct capture *c, json_t *refused, const char *tree, json_t **result, struct error *err);

/* ---- remarks.c ---- */

void remarks_begin(struct capture *c);
void remarks_end(struct capture *c);
/* The fields [{path, applied, live}] in which the object differs from what was last applied, credentials redacted; NULL: in none. The caller's. */
json_t *remarks_drift(const json_t *object);
/* The object is in the snapshot. fields may be NULL. */
void remarks_keep_drift(struct capture *c, const struct object *object, json_t *fields);
/* Append what facts_lists cannot see of an object, since it is not cleaned yet. */
void remarks_look(const struct capture *c, const struct object *object, struct strbuf *out);
/* [{rule, of, path}]: what its author wrote into the policy and nothing in the snapshot has. The caller's. */
json_t *remarks_unmatched(const struct capture *c);
/* The object is in the snapshot: tell what remarks_look has seen. */
void remarks_take(struct capture *c, const struct object *object, const struct facts *facts);

/* Whether a list has shown the objects of this kind in the namespace. */
bool capture_was_listed(const struct capture_kind *kind, const char *namespace_);

/*
 * Remember what the object refers to, and what is made from it. A `selects` reference is no need: what it hits is a reason to take the object,
 * not the other way round.
 */
void needs_add(struct capture *c, const struct object *object, const struct policy_kind *row, const struct facts *facts);
/* An object that the snapshot does not hold stands above the generated object needed_by. */
void needs_add_owner(struct capture *c, const struct object *owner, const char *needed_by);
/* Look for the Secrets that something needs and nothing makes, when the policy says so. After inventory_collect. */
int needs_check_secrets(struct capture *c, struct error *err);
/* Append the needs that the snapshot does not cover, as the list of requirements.yaml in canonical text, nothing when there are none; sets uncovered. */
void needs_requirements(struct capture *c, struct strbuf *out);
/* What differs between the branch head and the finished tree: the list `changes` of the result, at most CHANGES_MAX of them, and all of them counted. */
#define CHANGES_MAX 1000
struct changes {
	json_t *list;
	size_t added, changed, removed, other;
	bool incomplete;       /* the branch head could not be read to its end */
	const json_t *records; /* of struct capture */
};
int changes_collect(struct capture *c, struct changes *out, struct error *err);
/* One file that differs, as git_write_changes has it; arg is the struct changes. Returns 0. */
struct git_blob;
int changes_add(const char *path, const struct git_blob *old, const struct git_blob *new_, void *arg);
/* Before clean_object, which removes it: what the server says of who wrote the object and of its state. Released by live_release. */
struct seen_live {
	json_t *record; /* change_record; NULL where nobody will ask */
	json_t *drift;  /* remarks_drift */
	bool terminating, not_ready;
};
void live_look(const struct capture *c, const struct policy_kind *row, const struct object *object, struct seen_live *out);
/* The object is in the snapshot: keep what was seen. */
void live_keep(struct capture *c, const struct object *object, struct seen_live *live);
void live_release(struct seen_live *live);
/* From when on changes are of interest: the branch head's time. */
void live_begin(struct capture *c, struct git_store *store);
void live_end(struct capture *c);
/* "\nin maintenance: LLMInferenceService prod/qwen (replicas 0)", a line an object, for the commit message. */
void maintenance_message(const struct capture *c, struct strbuf *out);

/* Append the commit message without trailers. first: there was no commit before. */
void changes_message(const struct capture *c, const struct changes *changes, bool first, struct strbuf *out);

#endif
