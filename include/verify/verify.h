/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify - the probes: is on the cluster what the snapshot says, and does it work?
 *
 * A look is the state of the cluster at one moment, taken by lists. Probes are judged on a look; the model is asked through the network.
 * Converging (restore) looks again and again with verify_pending until nothing is pending.
 */
#ifndef RHAII_VERIFY_VERIFY_H
#define RHAII_VERIFY_VERIFY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct discovery;
struct error;
struct kube_client;
struct map;
struct object;
struct outcome;
struct policy;
struct serving_settings;
struct snapshot;
struct strbuf;

struct verify_settings {
	const struct snapshot *snapshot;
	const struct policy *policy;
	struct kube_client *client;
	const struct discovery *discovery;
	const struct serving_settings *serving; /* how models are asked (serving.h); NULL: once, by the address that they tell */
	/* Objects that are not coming ("group/Kind/namespace/name", judge_identity): verify_pending waits neither for them nor for their children. May be NULL. */
	const struct map *given_up;
};

struct verify_look;
/*
 * all: every kind of the snapshot; else only what verify_pending needs (kinds with conditions, the generated inventory and its owners). A kind that may not be listed (403) or is
 * not served is remembered as such and judged as fail or "not tested"; any other fault is an error. The settings' pointers must outlive the look.
 */
int verify_look_new(struct verify_look **out, const struct verify_settings *settings, bool all, struct error *err);
void verify_look_free(struct verify_look *look);

/* How many objects are not there or not ready yet; text gets the first few, "LLMInferenceService rhaii-inference/a: Ready is False (HTTPRoutesNotReady)". */
size_t verify_pending(const struct verify_look *look, struct strbuf *text);
/* Call fn for each object that is waited for, there and ready. */
void verify_each_ready(const struct verify_look *look, void (*fn)(const struct object *object, void *arg), void *arg);
/* Wait until something that verify_pending looks at changes, at most timeout_ms. Where no watch can be opened it sleeps two seconds: fails only when interrupted. */
int verify_wait(const struct verify_look *look, int64_t timeout_ms, struct error *err);

/*
 * Run all probes on a look taken with all=true. The result (the caller's) is a list of
 *   {probe, object ("Kind ns/name"), result: pass|fail|changed|not tested, expected, observed, reason (or null), milliseconds, evidence: [..]}
 * in a fixed order: probes as listed here, objects as in the snapshot, children as in generated.yaml.
 *   object      equal to the snapshot's
 *   children    a generated object is there, and its owner's; object is "resource.group" of a kind that the capture could not list
 *   orphans     "generated objects": none has an owner that is not there
 *   presets     one that requirements.yaml notes is there, as it was
 *   generation  the status, and the conditions that must be True, are of the object's current generation
 *   ready       conditions and their parts True, routes and pools accepted by each parent
 *   replicas    a generated Deployment or LeaderWorkerSet has some, all available
 *   gateway     has an address
 *   endpoint    the model answers; firstTokenMilliseconds more (or null): from a streamed request to its first data
 *   matrix      "3 NetworkPolicies": what they let through is not more than it was
 *   policy      "3 NetworkPolicies": each selects pods (changed: a finding)
 *   isolation   "3 NetworkPolicies": by the operator's command
 *   own         the policy's `probes`; object is the name there
 * All are strings but reason, the milliseconds and evidence. milliseconds is the time that judging took, for an endpoint that of its requests, waiting included. outcome
 * gets ERR_VERIFY when one failed.
 */
json_t *verify_probes(const struct verify_look *look, struct outcome *outcome);

/* The whole of `rhaii-dr verify`: look, probes, {snapshot: {name, cluster, clusterId, commit, capturedAt, verified, edits}, target: {id, server}, probes, counts: {pass, fail, changed, notTested}}. */
int verify_run(const struct verify_settings *settings, json_t **result, struct outcome *outcome, struct error *err);

#endif
