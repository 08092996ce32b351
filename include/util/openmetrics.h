/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openmetrics - the lines of a metrics file. All are gauges, and no UNIT is said, so that OpenMetrics and the older Prometheus text format both take it: the text
 * file collector of Prometheus' node exporter drops a whole file for a type that it does not know.
 */
#ifndef RHAII_UTIL_OPENMETRICS_H
#define RHAII_UTIL_OPENMETRICS_H

struct strbuf;

/* Append "# HELP" and "# TYPE" of a metric; each once, its samples behind it. */
void openmetrics_family(struct strbuf *out, const char *name, const char *help);
/* Append name="value", the value escaped. */
void openmetrics_label(struct strbuf *out, const char *name, const char *value);

#endif
