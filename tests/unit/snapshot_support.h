/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snapshot_support - captures of a fake cluster into a real repository. Each function fails the running test when it cannot do its work.
 *
 * The policy takes Services of s.io and Routes of r.io whole; ConfigMaps and ServiceAccounts that a Service refers to (spec.config,
 * spec.account); Namespaces that hold something. A ConfigMap "root-ca" is generated, a Route "preset" is installed, a Certificate of c.io makes
 * the Secret of spec.secret. Deployments and Routes are inventoried. Namespaces kube-* are out of scope.
 */
#ifndef RHAII_TESTS_SNAPSHOT_SUPPORT_H
#define RHAII_TESTS_SNAPSHOT_SUPPORT_H

#include <jansson.h>

#include "fake_cluster.h"
#include "snapshot/capture.h"
#include "store_support.h"
#include "util/mem.h"

/* Objects as the items of lists. more: ",'key':value" in the metadata. */
#define META(ns, name, more) "'metadata':{'namespace':'" ns "','name':'" name "','uid':'" ns "-" name "','resourceVersion':'5'" more "}"
#define SERVICE(ns, name, spec) "{" META(ns, name, "") ",'spec':{" spec "}}"
#define ROUTE(ns, name, more) "{" META(ns, name, more) ",'spec':{}}"
#define CONFIG(ns, name) "{" META(ns, name, "") ",'data':{'key':'one'}}"
#define ACCOUNT(ns, name) "{" META(ns, name, "") "}"
#define SPACE(name) "{'metadata':{'name':'" name "','uid':'" name "'},'status':{'phase':'Active'}}"
#define CHILD(ns, name, uid)                                                                                                               \
	"{'metadata':{'namespace':'" ns "','name':'" name                                                                                  \
	"','ownerReferences':[{'apiVersion':'s.io/v1','kind':'Service','name':'x','uid':'" uid "','controller':true}]}}"

#define SERVICES "GET /apis/s.io/v1/services?"
#define ROUTES "GET /apis/r.io/v1/routes?"
#define CONFIGS_OF(ns) "GET /api/v1/namespaces/" ns "/configmaps?"

/* What the cluster has, a list a kind; NULL: nothing. */
struct snapshot_given {
	const char *services, *routes, *certificates, *configs, *accounts, *spaces, *deployments;
};

struct snapshot_fixture {
	char *dir;
	struct git_store *store;
	struct policy *policy;
	struct fake_cluster cluster;
	struct strlist namespaces;
	struct capture_options options;
	json_t *result;
	char *log; /* the requests of the last capture */
	struct error *err;
};

int snapshot_set_up(void **state);
int snapshot_tear_down(void **state);
/* Use this text as policy instead. */
void snapshot_policy(struct snapshot_fixture *f, const char *text);
extern const char snapshot_policy_text[];

/*
 * Write the rows of such a cluster behind those that are there. Namespaced lists are answered whatever the namespace, once; those of deployments
 * twice, the second time with nothing.
 */
void snapshot_give(struct snapshot_fixture *f, const struct snapshot_given *given);
/* The first rows only. */
void snapshot_hello(struct snapshot_fixture *f);

/* Run a capture of the cluster as written so far; it is gone afterwards. f->result and f->log are of this run. */
int snapshot_run(struct snapshot_fixture *f);
void snapshot_take(struct snapshot_fixture *f);
void snapshot_take_given(struct snapshot_fixture *f, const struct snapshot_given *given);
void snapshot_refused(struct snapshot_fixture *f, enum error_code code, const char *text);

/* How often a text is in the requests of the last capture. */
size_t snapshot_asked(const struct snapshot_fixture *f, const char *text);
/* A text of the result. */
const char *snapshot_text(const struct snapshot_fixture *f, const char *key);
json_int_t snapshot_number(const struct snapshot_fixture *f, const char *key);
/* The names of the files of objects/ at the head, without the folder, a line each. */
void assert_objects(const char *expected);
/* A file at the head has, or has not, this line. */
void assert_file_has(const char *path, const char *text);
void assert_file_lacks(const char *path, const char *text);

#endif
