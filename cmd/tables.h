/* SPDX-License-Identifier: Apache-2.0 */
/* tables - the parts that the results of several commands have in common, for people. Nothing is printed where there is nothing to say. */
#ifndef RHAII_CMD_TABLES_H
#define RHAII_CMD_TABLES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct output;

/* The string or integer at key; "" or 0 where there is none. */
const char *table_text(const json_t *map, const char *key);
long long table_number(const json_t *map, const char *key);
/* "LLMInferenceService rhaii-inference/qwen" of a map with kind, namespace and name. The caller frees. */
char *table_object_text(const json_t *object);
/* "changed LLMInferenceService rhaii-inference/qwen: spec.replicas 3 -> 0 (kubectl-edit, 2026-02-12T16:38Z)", a line a field. */
void table_changes(struct output *out, const json_t *changes);
/* [{kind, namespace, name, state}] under title. */
void table_maintenance(struct output *out, const char *title, const json_t *maintenance);
/* [{kind, namespace, name, why}]: generated objects that nobody owns any more. */
void table_orphans(struct output *out, const json_t *orphans);
/* [{object, finalizer}]: left out, and nobody knows whether their controllers add them again. */
void table_finalizers(struct output *out, const json_t *finalizers);
/* Those that have objects. */
void table_kinds(struct output *out, const json_t *kinds);
/* Under title, those in one of the states that leave somebody something to do; all: in any state. */
void table_requirements(struct output *out, const char *title, const json_t *requirements, bool all);
/* What a restore of a part takes and leaves out, as restore/select.h tells it. */
void table_selection(struct output *out, const json_t *selection);
/* What is called otherwise on the target, field by field, as restore/mapping.h tells it. */
void table_mapping(struct output *out, const json_t *mapping);
/* [{object, path, value}]: what may be wrong on another cluster. */
void table_environment(struct output *out, const json_t *environment);
/* What pods need of nodes, as requirements.yaml has it: [{object, path, pods, nodeSelector, accelerators, tolerations}]. */
void table_nodes(struct output *out, const json_t *nodes);
/* Of requirements.yaml: presets, controllers and webhooks of the source, and what of them was not read. */
void table_installation(struct output *out, const json_t *requirements);
/* all: also those that passed. Ends in a line of counts. */
void table_probes(struct output *out, const json_t *probes, bool all);
/* Kinds that are older than the rest, a line each: [{group, resource, since, error (not always)}]. */
void table_stale(struct output *out, const json_t *stale);
/* Where the objects come from, as snapshot_description has it. */
void table_origin(struct output *out, const json_t *origin);

#endif
