/* SPDX-License-Identifier: Apache-2.0 */
/* report_support - the records of tests/data/records and what the renderings make of them, for the tests of reports. */
#ifndef RHAII_TESTS_UNIT_REPORT_SUPPORT_H
#define RHAII_TESTS_UNIT_REPORT_SUPPORT_H

#include <jansson.h>

#include "drill/report.h"
#include "util/strbuf.h"

/* "passed", "failed", "incomplete", "hostile", ended by NULL. */
extern const char *const report_records[];
/* The record of that name, and its bytes where text is not NULL. The caller's. */
json_t *report_record(const char *name, struct strbuf *text);
/* What a format makes of a record. The caller frees. */
char *report_of(const json_t *record, const json_t *trend, enum report_format format);
char *report_of_name(const char *name, enum report_format format);
void assert_text_has(const char *text, const char *expected);
void assert_text_lacks(const char *text, const char *unwanted);

#endif
