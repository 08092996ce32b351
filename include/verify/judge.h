/* SPDX-License-Identifier: Apache-2.0 */
/*
 * judge - what two JSON values say about one question. No server, no clock: everything here is a pure function of what a look took.
 *
 * A judgement starts as a pass; each judge_ call can only make it worse and adds what it saw. All text in it is for people, with foreign
 * text escaped.
 */
#ifndef RHAII_VERIFY_JUDGE_H
#define RHAII_VERIFY_JUDGE_H

#include <jansson.h>
#include <stdbool.h>

#include "object/idle.h" /* what is idle, judges ask as well */
#include "util/strbuf.h"

struct map;
struct policy_kind;
struct strlist;

enum verdict { VERDICT_PASS, VERDICT_CHANGED, VERDICT_NOT_TESTED, VERDICT_FAIL };

struct judgement {
	enum verdict verdict;
	struct strbuf observed;
	struct strbuf reason; /* why not tested, or the fault in a word; empty: none */
	json_t *evidence;     /* list of texts; NULL: none */
};
#define JUDGEMENT_INIT                                                                                                                     \
	{                                                                                                                                  \
		.observed = STRBUF_INIT, .reason = STRBUF_INIT                                                                             \
	}

void judgement_release(struct judgement *judgement);
#define auto_judgement __attribute__((cleanup(judgement_release)))

/* Worsen to verdict (a milder one changes nothing) and append to observed, "; " between. The arguments are escaped by the caller (judge_safe). */
void judge_say(struct judgement *judgement, enum verdict verdict, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Set the reason; the first one stays. */
void judge_reason(struct judgement *judgement, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* One more line of evidence. */
void judge_note(struct judgement *judgement, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Foreign text made safe and cut to a line; NULL gives "". The caller frees. */
char *judge_safe(const char *text);
/* "Kind ns/name" of an object or an inventory entry's fields, escaped. The caller frees. */
char *judge_name(const char *kind, const char *namespace_, const char *name);

/*
 * Equal: pass; and so is, where the row says what a restore merges (mergeFields), an object that has all that the snapshot has. Live has more map
 * fields and nothing else differs: changed, the added paths as evidence. Else fail. Both are cleaned objects.
 */
void judge_object(const struct policy_kind *row, json_t *want, json_t *live, struct judgement *judgement);

/* status.observedGeneration, and that of each of these conditions that is True, is the object's generation. False: nothing there names one. */
bool judge_generation(const json_t *live, const struct strlist *types, struct judgement *judgement);
/* The same, and every type is True, and so are the parts of Ready that the kind has, where they are reported. */
void judge_conditions(const json_t *live, const struct strlist *types, struct judgement *judgement);

/*
 * The Gateway API rule: every spec.parentRefs entry has an entry in parents (the status list) with an Accepted condition, and each entry
 * that has one is Accepted and has its references resolved, at the current generation. Entries without Accepted come from policy
 * controllers and are not asked. parents may be NULL.
 */
void judge_parents(const json_t *live, const json_t *parents, struct judgement *judgement);

/* Whether the policy says how to see that objects of this kind are ready. */
bool judge_has_ready(const struct policy_kind *row);
/* The rules above, as far as the row asks for them. */
void judge_ready(const struct policy_kind *row, json_t *live, struct judgement *judgement);
/* The same but for the generation of the status and its conditions, which judge_generation tells. */
void judge_state(const struct policy_kind *row, json_t *live, struct judgement *judgement);

bool judge_is_gateway(const char *group, const char *kind);
/* A Gateway has an address that clients can be told. */
void judge_address(const json_t *live, struct judgement *judgement);

/* Whether objects of this kind run pods, and say how many of them are available. */
bool judge_is_workload(const char *group, const char *resource);
/* More than none is wanted of it, and all of them are available. none_wanted: why there may be none (then not tested); NULL: there must be some. */
void judge_replicas(const char *group, const char *resource, const json_t *live, const char *none_wanted, struct judgement *judgement);

/*
 * A generated.yaml entry against the live child (NULL: not there). uids: uid of every live object of the kinds looked at -> judge_identity.
 * owner_known: the owner's kind is among them; else the uid cannot be judged. other: in what the installation differs from that of the source,
 * which then may make other children, so that a missing one is changed; NULL: in nothing that is known.
 */
void judge_child(
	const json_t *entry, const json_t *child, const struct map *uids, bool owner_known, const char *other, struct judgement *judgement);

/* "group/Kind/namespace/name". The caller frees. */
char *judge_identity(const char *group, const char *kind, const char *namespace_, const char *name);

#endif
