/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report - the record of a drill or a restore (docs/FORMAT.md) as a document: for a terminal, a machine, a ticket, an auditor, a CI system, a monitoring system.
 *
 * A rendering is a pure function of the record and the trend: the same bytes each time. The record may come from anywhere: what it says is foreign text, escaped
 * for the format at hand, and a member that is missing or of another type is told as missing.
 */
#ifndef RHAII_DRILL_REPORT_H
#define RHAII_DRILL_REPORT_H

#include <jansson.h>

struct error;
struct strbuf;

enum report_format {
	REPORT_TEXT,        /* for a terminal; no colors */
	REPORT_JSON,        /* the bytes of the record */
	REPORT_MARKDOWN,    /* GitHub flavored */
	REPORT_HTML,        /* one file that asks for nothing else, without JavaScript */
	REPORT_JUNIT,       /* a test suite an area */
	REPORT_OPENMETRICS, /* also the older Prometheus text format: gauges only */
	REPORT_FORMAT_COUNT,
};

/* "text", "json", "md", "html", "junit", "openmetrics", by enum report_format; ended by NULL. */
extern const char *const report_formats[];

/*
 * Append the record in this format. trend: of chain_point (drill/chain.h), oldest first, the record among them; NULL: the record alone.
 * ERR_SYNTAX when the record is no object.
 */
int report_render(const json_t *record, const json_t *trend, enum report_format format, struct strbuf *out, struct error *err);

#endif
