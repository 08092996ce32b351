/* SPDX-License-Identifier: Apache-2.0 */
/* part_support - a snapshot in memory, and the built-in policy: no files, no cluster. Each function fails the running test when it cannot do its work. */
#ifndef RHAII_TESTS_PART_SUPPORT_H
#define RHAII_TESTS_PART_SUPPORT_H

#include <jansson.h>

#include "store/snapshot.h"

#define META(ns, name) "'metadata':{'namespace':'" ns "','name':'" name "'}"
#define LABELLED(ns, name, labels) "'metadata':{'namespace':'" ns "','name':'" name "','labels':{" labels "}}"
#define OBJECT(version, kind, meta, more) "{'apiVersion':'" version "','kind':'" kind "'," meta more "}"
#define SPACE(name) OBJECT("v1", "Namespace", "'metadata':{'name':'" name "'}", "")
#define SERVING(kind, meta, spec) OBJECT("serving.kserve.io/v1alpha2", kind, meta, ",'spec':{" spec "}")
#define SERVICE(ns, name, spec) SERVING("LLMInferenceService", META(ns, name), spec)
#define CONFIG(ns, name) SERVING("LLMInferenceServiceConfig", META(ns, name), "")
#define ROUTING(kind, ns, name, spec) OBJECT("gateway.networking.k8s.io/v1", kind, META(ns, name), ",'spec':{" spec "}")
#define POLICY(ns, name, spec) OBJECT("networking.k8s.io/v1", "NetworkPolicy", META(ns, name), ",'spec':{" spec "}")
#define RIGHTS(kind, ns, name, more) OBJECT("rbac.authorization.k8s.io/v1", kind, META(ns, name), more)

struct error;
struct policy;

struct part_fixture {
	struct snapshot *snapshot;
	struct policy *policy;
	json_t *told;
	struct error *err;
};

int part_set_up(void **state);
int part_tear_down(void **state);
/* Put an object into the snapshot; its plural comes from the policy. */
void part_object(struct part_fixture *f, const char *text);
/* The rows of requirements.yaml and generated.yaml. */
void part_requirements(struct part_fixture *f, const char *text);
void part_generated(struct part_fixture *f, const char *text);
/* What is in the snapshot: "Kind ns/name" of each object in order, with ", " between. */
void assert_part(const struct part_fixture *f, const char *words);
/* The value in an object, as compact JSON. */
void assert_part_value(const struct part_fixture *f, const char *words, const char *path, const char *json);
/* A document as compact JSON. */
void assert_part_json(const json_t *value, const char *json);

#endif
