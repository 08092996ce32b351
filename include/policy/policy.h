/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy - what is captured, what is stripped, in which wave it comes back: rows of YAML (policies/rhaii.yaml is the default, built in).
 *
 * The format is described at the top of policies/core.yaml. A policy may `include:` a built-in one: lists are then the included rows followed by
 * its own, a kind row with the same group and resource and a set with the same name replace the included one where it stands, and `waves`, when
 * given, replace all waves. Unknown keys are errors that name the row and the key.
 */
#ifndef RHAII_POLICY_POLICY_H
#define RHAII_POLICY_POLICY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "util/mem.h"

struct classify_rule;
struct clean_evidence;
struct error;
struct fieldpath;
struct reference_rule;

/* What must be true before a wave starts. */
enum policy_gate { GATE_NONE, GATE_NAMESPACES_ACTIVE, GATE_DRY_RUN_CREATE };

enum policy_select {
	SELECT_ALL,        /* every authored one in scope */
	SELECT_REFERENCED, /* only those that a taken object refers to */
	SELECT_REFERS,     /* only those with a `selects` reference to a taken object or a referenced one */
	SELECT_IN_HELD,    /* every authored one in a namespace that holds a taken object */
	SELECT_HOLDING,    /* namespaces that hold a taken object */
};

/* What becomes of a snapshot when a kind that the cluster serves cannot be read completely. */
enum policy_on_error {
	ON_ERROR_FAIL,  /* it fails, nothing is committed */
	ON_ERROR_CARRY, /* the kind keeps its last committed state, marked stale (design.md 6.1) */
};

struct policy_wave {
	char *name;
	enum policy_gate gate;
};

/* Where an object has a pod template, and how many pods there are of it. */
struct policy_pods {
	struct fieldpath *at;
	struct fieldpath **replicas; /* the first that is there; none of them: 1 */
	size_t replica_count;        /* 0: nobody knows, the object makes no pods itself */
	struct fieldpath *followers; /* ParallelismSpec of KServe: of each replica's pods, all but the leader; NULL: one pod a replica */
};

/* What a field names, for a restore onto a cluster where that is called otherwise. */
enum policy_naming { NAMES_NAMESPACE, NAMES_HOST, NAMES_CIDR, NAMES_COUNT };

/* A field that names one of these, beside the reference rows. */
struct policy_named {
	struct fieldpath *at; /* a text, or, of CIDRs, an IPBlock as well */
	char *after, *before; /* the name is only what stands between these in the text, where both do; NULL: its start, its end */
};

struct policy_named_list {
	struct policy_named *rows;
	size_t count;
};

struct policy_kind {
	char *group, *resource, *kind;
	bool required; /* the cluster must serve it; else a kind that is not served is only noted */
	bool namespaced;
	enum policy_on_error on_error;
	enum policy_select select;
	bool presets;                       /* installed objects of this kind decide what the captured ones mean: noted with a hash */
	size_t wave;                        /* index into waves */
	char *early_group, *early_resource; /* one that an object of this kind refers to goes into early_wave; NULL: no such rule */
	size_t early_wave;
	struct fieldpath **strip; /* the policy's common ones first, then the row's */
	size_t strip_count;
	struct clean_evidence *evidence; /* the same, where only controllers have set it */
	size_t evidence_count;
	struct fieldpath **keep; /* what is left of that all the same */
	size_t keep_count;
	struct fieldpath **merge;
	size_t merge_count;
	struct fieldpath **immutable; /* the server refuses another value here once the object is there */
	size_t immutable_count;
	struct fieldpath *immutable_if; /* only where this is true in the live object; NULL: always */
	struct fieldpath **environment; /* bound to the cluster's surroundings: listed, may be wrong elsewhere */
	size_t environment_count;
	struct policy_pods *pods;
	size_t pod_count;
	struct fieldpath **keys; /* what a reference with a key finds in an object: the keys of a map, or texts */
	size_t key_count;
	struct policy_named_list named[NAMES_COUNT];
	struct reference_rule *references;
	size_t reference_count;
	struct reference_rule *produces; /* what its controller makes from it (Secrets): a requirement for such a one is covered */
	size_t produce_count;
	struct strlist ready_conditions; /* status.conditions types that must be True */
	struct fieldpath *ready_parents; /* Gateway API style parents[] status; NULL: none */
	struct fieldpath *endpoint;      /* URL of an OpenAI-compatible server; NULL: none */
};

struct policy_inventory {
	char *group, *resource;
};

/* A controller whose image the snapshot notes: the first of names that is there, in any namespace. */
struct policy_controller {
	char *group, *resource;
	struct strlist names; /* no globs: they are named in the rights as well */
	char *container;      /* NULL: the first */
};

/* A string of an object that may look like a credential: somebody has looked at it, and says why. */
struct policy_waiver {
	char *object; /* as object_describe has it: "LLMInferenceService ns/name" */
	struct fieldpath *path;
	char *reason;
};

/* A row of `strip` or `keep` that the author of a policy file wrote himself: that it matches nothing is worth a warning. */
struct policy_own {
	char *group, *resource; /* globs */
	bool keep;
	struct fieldpath *path;
	struct strlist managers; /* of strip: globs, only what they alone have set; empty: always */
	char *why;               /* beside managers */
};

enum policy_probe_kind { POLICY_PROBE_NONE, POLICY_PROBE_HTTP, POLICY_PROBE_CONDITION, POLICY_PROBE_COUNT };

/* A probe of the policy's author, of verify. */
struct policy_probe {
	char *name;
	enum policy_probe_kind kind;
	/* http */
	char *url;
	json_int_t status;
	struct fieldpath *path; /* of the answer, JSON; NULL: not looked at */
	json_t *value;          /* one of those there; NULL: any */
	/* condition, count */
	char *group, *resource, *namespace_; /* namespace: NULL: all, or none */
	char *object;                        /* whose condition */
	char *type, *is;                     /* is: NULL: "True" */
	json_t *labels;                      /* that each which counts has; NULL: any */
	json_int_t min, max;                 /* -1: none */
};

struct policy {
	char *name;
	json_t *document; /* the effective policy (includes resolved): policy_read(canonical(document)) is the same policy */
	struct strlist exclude_namespaces;  /* globs */
	struct fieldpath **pod_environment; /* below a pod template: `environment` of each kind with `pods` has them too */
	size_t pod_environment_count;
	struct strlist finalizers; /* globs of those that their controllers add again */
	bool check_secrets;        /* those that something refers to are looked for, by the names of their keys */
	struct policy_wave *waves;
	size_t wave_count;
	struct policy_kind *kinds; /* capture goes through them in this order: by select, then as in the file */
	size_t kind_count;
	struct policy_inventory *inventory;
	size_t inventory_count;
	struct policy_controller *controllers;
	size_t controller_count;
	struct policy_inventory *webhooks; /* kinds of configurations that are noted where they match what is captured */
	size_t webhook_count;
	struct classify_rule *rules; /* of `generated:` and `installed:` */
	size_t rule_count;
	struct policy_waiver *waivers;
	size_t waiver_count;
	struct policy_probe *probes;
	size_t probe_count;
	struct policy_own *own; /* of a policy that policy_load read from a file; else none */
	size_t own_count;
};

/* From a file, or the built-in of this name ("rhaii", "core"; NULL: "rhaii") when there is no '/' and no ".yaml" in it. ERR_USAGE. */
int policy_load(struct policy **out, const char *file_or_name, struct error *err);
/* From text. ERR_USAGE. */
int policy_read(struct policy **out, const char *text, size_t len, struct error *err);
void policy_free(struct policy *policy);

/* Leave of an object of this kind what a person wrote (object/clean.h). Where the kind has rows of evidence, the object needs its managedFields. */
void policy_clean(const struct policy_kind *kind, json_t *object);
bool policy_own_applies(const struct policy_own *own, const char *group, const char *resource);

/* The row, or NULL. */
const struct policy_kind *policy_find(const struct policy *policy, const char *group, const char *resource);
/* Whether the policy's default scope leaves this namespace out. */
bool policy_excludes(const struct policy *policy, const char *namespace_);
/* Whether kinds of this group may have a CustomResourceDefinition: groups without a dot, and those of the API server itself, have none. */
bool policy_group_may_be_custom(const char *group);

#endif
