/* SPDX-License-Identifier: Apache-2.0 */
/* children - the generated objects: back and accepted by their owners, and none whose owner is gone. */
#ifndef RHAII_VERIFY_CHILDREN_H
#define RHAII_VERIFY_CHILDREN_H

#include <jansson.h>
#include <stdbool.h>

struct judgement;
struct verify_look;

/* "Kind ns/name" of a generated.yaml entry, escaped. The caller frees. */
char *child_name(const json_t *entry);
/* "controlled by LLMInferenceService qwen". The caller frees. */
char *child_expected(const json_t *entry);
/* judge_child on what the look has; not tested where it could not look. */
void child_judge(const struct verify_look *look, const json_t *entry, struct judgement *judgement);

/* Whether the entry is of a kind that runs pods. */
bool child_is_workload(const json_t *entry);
/* judge_replicas on it; there may be none where the snapshot has its owner so. */
void child_judge_replicas(const struct verify_look *look, const json_t *entry, struct judgement *judgement);

/* Every controlled object of the look whose owner's kind was looked at, and whose owner is not there. */
void orphans_judge(const struct verify_look *look, struct judgement *judgement);

#endif
