/* SPDX-License-Identifier: Apache-2.0 */
/* template - the manifests of what a snapshot needs and does not hold, empty, for people to fill: no value is ever in them. */
#ifndef RHAII_RESTORE_TEMPLATE_H
#define RHAII_RESTORE_TEMPLATE_H

#include <jansson.h>

struct error;

/*
 * For each required Secret, ConfigMap and ServiceAccount of the list (as in requirements.yaml) write DIR/namespaces/NS/<plural>/NAME.yaml, mode 0600, with its keys and
 * empty values. A file that is there already stays as it is. *files (the caller's): [{path, written (bool)}].
 */
int template_write(const json_t *requirements, const char *dir, json_t **files, struct error *err);

#endif
