/* SPDX-License-Identifier: Apache-2.0 */
/* builtin - the files of policies/ as built into the binary (made by tools/embed.sh). */
#ifndef RHAII_POLICY_BUILTIN_H
#define RHAII_POLICY_BUILTIN_H

struct policy_builtin {
	const char *name; /* file name without ending */
	const char *text;
};

/* Ended by a row whose name is NULL. */
extern const struct policy_builtin policy_builtins[];

#endif
