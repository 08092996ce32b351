/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check - the questions of preflight: one row each in the table of preflight.c, one short function each in the file of its theme.
 *
 * A check looks at the plan and at the target, and tells what it found: check_failed for each thing that is wrong (with the objects that it stops, or none: then it
 * stops everything), check_untested for what could not be looked at, nothing where all is well. It changes nothing, neither there nor in the plan, and cannot fail itself.
 */
#ifndef RHAII_RESTORE_CHECK_H
#define RHAII_RESTORE_CHECK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "ask.h"
#include "util/map.h"
#include "util/mem.h"

struct action;
struct error;
struct object;
struct preflight;
struct restore;

enum check_blocks { BLOCKS_APPLY, BLOCKS_CONVERGE };

struct check {
	const char *name; /* also what --ignore calls it */
	enum check_blocks blocks;
	void (*run)(struct preflight *p);
	const char *mend; /* the next step, where the finding has none of its own */
};

struct preflight {
	struct restore *restore;
	const struct check *check; /* the one that runs */
	bool told;                 /* it has a finding already */
	struct map definitions;    /* name -> json_t: of the custom kinds of the plan, as the target has them */
	bool definitions_read;
	char *definitions_untold; /* why some of them are not known; NULL: all are */
	json_t *hooks;            /* [{webhook, objects, words}]: those that must be asked about what is created; NULL: not looked at yet */
	json_t *quotas;           /* of the target and of the plan; NULL: not listed */
	bool webhook_answers;     /* of the services: a dry run got through one that must be asked */
	bool no_presets;          /* of KServe, none at all */
};

/* objects (stolen; NULL or empty: everything is stopped) are the words of object_describe; mend NULL: the row's. */
void check_failed(struct preflight *p, json_t *objects, const char *mend, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void check_untested(struct preflight *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Whether the restore is still going to send it. */
bool check_is_sent(const struct action *action);
bool check_is_created(const struct action *action);
/* Whether a controller will make pods from it: it has templates of them, and its author wants it to serve. */
bool check_makes_pods(const struct action *action);
/* Add the object in words, once. */
void check_add_object(json_t *objects, const struct object *object);

/* All objects of a kind on the target, into a new array. 0, or -1 when it is not served or may not be read: then that has been told as untested. */
int check_list(struct preflight *p, const char *group, const char *resource, bool metadata_only, json_t **out);
/* Send them all. -1: told as untested. */
int check_ask(struct preflight *p, struct asks *asks);

/* check_rights.c: one more review of our own rights; takes attributes (of the review's spec). An answer that is not there denies nothing. */
void check_ask_right(struct asks *asks, json_t *attributes, void *arg);
bool check_is_denied(const struct ask *ask);

/* check_kinds.c: the name of a kind's definition, "httproutes.gateway.networking.k8s.io". The caller frees. */
char *check_kind_name(const struct object *object);
/* Fill p->definitions, once. What is not to be had is told by the checks that are about definitions. */
void check_read_definitions(struct preflight *p);

/* check_configured.c: of each of hooks ([{webhook: {clientConfig}, objects, words}]) that is a Service, whether it has a CA bundle and an endpoint. */
void check_configured(struct preflight *p, json_t *hooks);
/* check_webhooks.c: one more dry run of a create, in the object's own namespace, or where that is not there yet in one that always is. */
void check_ask_dry_run(const struct preflight *p, struct asks *asks, struct action *action);
/* check_conversion.c: whether it failed since the object could not be converted. */
bool check_is_unconverted(const struct ask *ask);

/* check_kinds.c: what the target serves */
void check_kinds(struct preflight *p);
void check_versions(struct preflight *p);
void check_definitions(struct preflight *p);
void check_fields(struct preflight *p);
void check_namespaces(struct preflight *p);
void check_terminating(struct preflight *p);
/* check_rights.c */
void check_rights(struct preflight *p);
/* check_escalation.c */
void check_escalation(struct preflight *p);
/* check_webhooks.c */
void check_webhooks(struct preflight *p);
/* check_conversion.c */
void check_conversion(struct preflight *p);
/* check_webhook_network.c: after check_webhooks */
void check_webhook_network(struct preflight *p);
/* check_quota.c */
void check_quota(struct preflight *p);
/* after check_quota */
void check_pod_quota(struct preflight *p);
void check_limits(struct preflight *p);
/* check_operator.c: after check_webhooks */
void check_controller(struct preflight *p);
void check_presets(struct preflight *p);
/* The services of the plan in words, a new array; and whether there are any. */
json_t *check_services(const struct preflight *p);
bool check_has_services(const struct restore *restore);
/* check_installation.c: after check_presets */
void check_installation(struct preflight *p);
/* check_needs.c: what of requirements.yaml the row's name says */
void check_needs(struct preflight *p);
/* orphans.c: also fills restore->orphans */
void check_orphans(struct preflight *p);
/* check_nodes.c */
void check_nodes(struct preflight *p);
/* Whether any service of the plan makes pods. */
bool check_has_pods(const struct restore *restore);

#endif
