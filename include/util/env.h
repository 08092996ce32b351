/* SPDX-License-Identifier: Apache-2.0 */
/* env - the one door to the environment and to random bytes. */
#ifndef RHAII_UTIL_ENV_H
#define RHAII_UTIL_ENV_H

#include <stddef.h>

/* The variable's value, NULL when unset or empty. */
const char *env_get(const char *name);
/* The name of this machine. The caller frees. */
char *env_host(void);
/* Name of the user, or "uid N" where nobody knows one. The caller frees. */
char *env_user(void);
/* "$XDG_STATE_HOME/rhaii-dr" (~/.local/state where the variable is not set); NULL where neither is known. The caller frees. */
char *env_state_directory(void);
/* What is another one after each start of the machine; "" where the kernel does not tell. The caller frees. */
char *env_boot(void);
void env_random(void *out, size_t len);

#endif
