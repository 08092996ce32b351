/* SPDX-License-Identifier: Apache-2.0 */
/* scratch - a directory that lives only for this run, below TMPDIR (/tmp), for us alone (0700). */
#ifndef RHAII_UTIL_SCRATCH_H
#define RHAII_UTIL_SCRATCH_H

struct error;

/* what: for its name, and for messages. The caller frees *dir. */
int scratch_make(char **dir, const char *what, struct error *err);
/* With all that is in it; what cannot be removed is told, and no failure. NULL is fine. */
void scratch_remove(const char *dir);

#endif
