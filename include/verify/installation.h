/* SPDX-License-Identifier: Apache-2.0 */
/*
 * installation - whether the cluster runs what requirements.yaml noted of the source: the images of the controllers and the content of the presets.
 *
 * What may not be read is not looked at, which is no difference.
 */
#ifndef RHAII_VERIFY_INSTALLATION_H
#define RHAII_VERIFY_INSTALLATION_H

#include <jansson.h>
#include <stdbool.h>

struct error;
struct policy;
struct verify_look;

/* Fill in look->installation. */
int installation_look(struct verify_look *look, struct error *err);

/* The image without the registry and the path in it: a mirror has the same one. */
const char *installation_image(const char *image);
/* The image of a workload's container of this name, "" when there is none. */
const char *installation_image_of(const json_t *workload, const char *container);
/* Whether the live object has the content of this row of `presets`. */
bool installation_is_preset(const struct policy *policy, const json_t *row, const json_t *live);

#endif
