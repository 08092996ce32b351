/* SPDX-License-Identifier: Apache-2.0 */
/* selector - label selectors as the API machinery evaluates them. Labels are a map of strings, NULL is an empty one. */
#ifndef RHAII_OBJECT_SELECTOR_H
#define RHAII_OBJECT_SELECTOR_H

#include <jansson.h>
#include <stdbool.h>

/* A LabelSelector {matchLabels, matchExpressions}; an empty one, or NULL, matches everything. */
bool selector_matches(const json_t *selector, const json_t *labels);
/* All of a list of {key, operator, values}; besides those of a LabelSelector also Gt and Lt, as node affinity has them. */
bool selector_requirements_hold(const json_t *requirements, const json_t *labels);
/* Every key has this value (nodeSelector, matchLabels). */
bool selector_map_holds(json_t *map, const json_t *labels);

#endif
