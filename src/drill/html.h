/* SPDX-License-Identifier: Apache-2.0 */
/* html - what the file of the HTML report and its figures share. */
#ifndef RHAII_DRILL_HTML_H
#define RHAII_DRILL_HTML_H

struct report;
struct strbuf;

/* report.css as it stands in the tree. */
extern const char report_style[];

/* Append an inline SVG with its title and description, as wide as the page; the table of the part says the same. Nothing where there is nothing to draw. */
void figure_timeline(const struct report *report, struct strbuf *out);
void figure_trend(const struct report *report, struct strbuf *out);

#endif
