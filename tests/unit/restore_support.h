/* SPDX-License-Identifier: Apache-2.0 */
/*
 * restore_support - a snapshot in a folder, a fake cluster, and a restore of the one onto the other. Each function fails the running test when
 * it cannot do its work.
 *
 * The policy has these waves, in order: plain (ConfigMaps), namespaces (Namespaces, whose labels are merged), active (Roles, behind
 * namespaces-active), early (HTTPRoutes that a service refers to), services (LLMInferenceServices, behind dry-run-create), routes (HTTPRoutes).
 */
#ifndef RHAII_TESTS_RESTORE_SUPPORT_H
#define RHAII_TESTS_RESTORE_SUPPORT_H

#include <jansson.h>

#include "../../src/restore/internal.h"
#include "fake_cluster.h"
#include "restore/restore.h"
#include "store/snapshot.h"
#include "util/outcome.h"

/* Objects as texts; more: ",'key':value" in the metadata or at the top. */
#define META(ns, name, more) "'metadata':{'namespace':'" ns "','name':'" name "'" more "}"
#define CONFIG(ns, name, value) "{'apiVersion':'v1','kind':'ConfigMap'," META(ns, name, "") ",'data':{'key':'" value "'}}"
#define SPACE(name, labels, more)                                                                                                          \
	"{'apiVersion':'v1','kind':'Namespace','metadata':{'name':'" name "','labels':{" labels "}" more "},'status':{'phase':'Active'}}"
#define ROLE(ns, name) "{'apiVersion':'rbac.authorization.k8s.io/v1','kind':'Role'," META(ns, name, "") ",'rules':[]}"
#define SERVICE_VERSION "serving.kserve.io/v1alpha2"
#define SERVICE(ns, name, spec) "{'apiVersion':'" SERVICE_VERSION "','kind':'LLMInferenceService'," META(ns, name, "") ",'spec':{" spec "}}"
#define ROUTE_VERSION "gateway.networking.k8s.io/v1"
#define ROUTE(ns, name) "{'apiVersion':'" ROUTE_VERSION "','kind':'HTTPRoute'," META(ns, name, "") ",'spec':{}}"

#define SPACES "GET /api/v1/namespaces?"
#define CONFIGS "GET /api/v1/configmaps?"
#define POST_CONFIG(ns) "POST /api/v1/namespaces/" ns "/configmaps?"
#define UNAVAILABLE "{'kind':'Status','reason':'InternalError','message':'no endpoints available for the webhook'}"
#define EXISTS "{'kind':'Status','reason':'AlreadyExists','message':'it is there already'}"
#define REFUSED "{'kind':'Status','reason':'Invalid','message':'spec.replicas must not be negative'}"

struct restore_fixture {
	char *dir;
	struct fake_cluster cluster;
	struct snapshot_source source;
	struct restore_settings settings;
	struct restore *restore;
	json_t *plan, *report;
	struct outcome outcome;
	struct error *err;
};

int restore_set_up(void **state);
int restore_tear_down(void **state);

/* Put an object into the snapshot. */
void restore_object(const char *resource, const char *text);
/* The first rows of the cluster: it serves all that the policy knows, at the versions above, and has the namespaces a, b, prod and test (bare: none that it tells). */
void restore_hello(struct restore_fixture *f);
void restore_hello_bare(struct restore_fixture *f);
/* A cluster without any of the kind of the path. */
void restore_no_configs(struct restore_fixture *f);

/* Start the cluster and prepare; f->plan is the plan. restore_refused: the error's code and whole text. */
void restore_plan(struct restore_fixture *f);
void restore_refused(struct restore_fixture *f, enum error_code code, const char *text);
/* Prepare: this finding, of this object first (NULL: it names none), is the only one that blocks the restore. */
void restore_blocked_by(struct restore_fixture *f, const char *check, const char *object, const char *text);
/* The first finding of the check in a plan or report. */
const json_t *restore_finding(const json_t *document, const char *check);
/* Run what is prepared, without converging; f->report is the report. */
int restore_apply(struct restore_fixture *f);

/* The action of the object with this name in a plan or report. */
json_t *restore_action(const json_t *report, const char *name);
/* Its text at a key: "action", "reason", "result", "error". */
void assert_action(const json_t *report, const char *name, const char *key, const char *text);
/* Its only field that differs. */
void assert_field(const json_t *report, const char *name, const char *path, const char *live, const char *snapshot);

/* End this run and its cluster: the fixture is ready for another of each. */
void restore_forget(struct restore_fixture *f);

#endif
