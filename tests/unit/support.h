/* SPDX-License-Identifier: Apache-2.0 */
/*
 * support - what unit tests share: cmocka itself, a directory of their own, small files, what went to stderr, and the end of a child.
 * Each function fails the running test when it cannot do its work.
 */
#ifndef RHAII_TESTS_UNIT_SUPPORT_H
#define RHAII_TESTS_UNIT_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "util/error.h"

/* Set-up and tear-down of a test: a new empty directory as working directory and *state; removed with all that is in it. */
int support_enter_dir(void **state);
int support_leave_dir(void **state);

void support_write_file(const char *path, const char *text);
/* The whole file; the caller frees. */
char *support_read_file(const char *path);
/* How many entries a directory has, dot files among them. */
int support_count_entries(const char *path);

/* What fn wrote to stderr; the caller frees. Needs support_enter_dir. */
char *support_stderr_of(void (*fn)(void *arg), void *arg);

/* Run fn in a child whose stderr goes nowhere; the child's exit status, or -1 when a signal killed it. It exits with 99 when fn returns. */
int support_exit_status_of(void (*fn)(void *arg), void *arg);

/* The error that a failed call left: its code and, when text is not NULL, its whole text. */
void support_assert_error(const struct error *err, enum error_code code, const char *text);

#endif
