/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probing - what the files with probes share. Only src/verify/ includes it.
 *
 *   probes.c    the table of all, and: object, children, orphans, generation, ready
 *   parts.c     presets, replicas, gateway: what Ready does not tell
 *   serving.c   endpoint: the model answers
 *   network.c   matrix, policy, isolation
 *   own.c       the probes of the policy's author
 */
#ifndef RHAII_VERIFY_PROBING_H
#define RHAII_VERIFY_PROBING_H

#include <jansson.h>
#include <stdint.h>

struct judgement;
struct look_kind;
struct object;
struct outcome;
struct verify_look;

struct probing {
	const struct verify_look *look;
	const char *probe; /* the row that runs */
	json_t *list;
	struct outcome *outcome;
};

/* Append a result; it stays the list's, for a key more. milliseconds: what the judging took. */
json_t *probing_add(
	struct probing *probing, const char *object, const char *expected, const struct judgement *judgement, int64_t milliseconds);
json_t *probing_add_object(struct probing *probing, const struct object *object, const char *expected, const struct judgement *judgement,
	int64_t milliseconds);
/* What to say of an object that the look does not have. */
void probing_absent(const struct look_kind *kind, struct judgement *judgement);

void probe_presets(struct probing *probing);
void probe_replicas(struct probing *probing);
void probe_gateways(struct probing *probing);
void probe_endpoints(struct probing *probing);
void probe_matrix(struct probing *probing);
void probe_policies(struct probing *probing);
void probe_isolation(struct probing *probing);
void probe_own(struct probing *probing);

/* What one of the policy's own probes makes of an answer, of an object (NULL: not there), of a list. */
struct http_response;
struct policy_probe;
void own_judge_answer(const struct policy_probe *probe, const struct http_response *response, struct judgement *judgement);
void own_judge_condition(const struct policy_probe *probe, const json_t *object, struct judgement *judgement);
void own_judge_count(const struct policy_probe *probe, const json_t *items, struct judgement *judgement);

#endif
