/* SPDX-License-Identifier: Apache-2.0 */
/* quantity - amounts as Kubernetes writes them: 4, "250m", "16Gi", "1e3". */
#ifndef RHAII_OBJECT_QUANTITY_H
#define RHAII_OBJECT_QUANTITY_H

#include <jansson.h>
#include <stdbool.h>

/* false when value (NULL too) is no quantity. */
bool quantity_read(const json_t *value, double *out);

#endif
