/* SPDX-License-Identifier: Apache-2.0 */
/*
 * interrupt - SIGINT and SIGTERM as a request to stop soon, for work that has something to finish first. A second one ends the program at once.
 */
#ifndef RHAII_UTIL_INTERRUPT_H
#define RHAII_UTIL_INTERRUPT_H

#include <stdbool.h>

/* From now on the first of them only sets a flag; it ends a wait of http_drive. */
void interrupt_watch(void);
bool interrupted(void);

#endif
