/* SPDX-License-Identifier: Apache-2.0 */
/* env - the one door to the environment and to random bytes. */
#ifndef RHAII_UTIL_ENV_H
#define RHAII_UTIL_ENV_H

#include <stddef.h>

/* The variable's value, NULL when unset or empty. */
const char *env_get(const char *name);
/* The name of this machine. The caller frees. */
char *env_host(void);
void env_random(void *out, size_t len);

#endif
