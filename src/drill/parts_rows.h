/* SPDX-License-Identifier: Apache-2.0 */
/* parts_rows - the rows of each part of a report, made from its record: JSON maps whose keys the columns of parts_table.c name. The caller's. */
#ifndef RHAII_DRILL_PARTS_ROWS_H
#define RHAII_DRILL_PARTS_ROWS_H

#include <jansson.h>

struct report;

json_t *phase_rows(const struct report *report);
json_t *wave_rows(const struct report *report);
json_t *service_rows(const struct report *report);
json_t *trend_rows(const struct report *report);
json_t *area_rows(const struct report *report);
json_t *bad_probe_rows(const struct report *report);
json_t *passed_probe_rows(const struct report *report);
json_t *not_tested_rows(const struct report *report);
json_t *preflight_rows(const struct report *report);
json_t *difference_rows(const struct report *report);
json_t *rejection_rows(const struct report *report);
json_t *finding_rows(const struct report *report);
json_t *converge_rows(const struct report *report);
json_t *changed_rows(const struct report *report);
json_t *injected_rows(const struct report *report);
json_t *cleanup_rows(const struct report *report);
json_t *effort_rows(const struct report *report);
json_t *action_rows(const struct report *report);
json_t *sign_off_rows(const struct report *report);
json_t *identity_rows(const struct report *report);

#endif
