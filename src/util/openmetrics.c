/* SPDX-License-Identifier: Apache-2.0 */
#include "util/openmetrics.h"

#include "util/strbuf.h"

void openmetrics_family(struct strbuf *out, const char *name, const char *help)
{
	strbuf_addf(out, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

void openmetrics_label(struct strbuf *out, const char *name, const char *value)
{
	strbuf_addf(out, "%s=\"", name);
	for (; *value; value++) {
		if (*value == '\\' || *value == '"')
			strbuf_addc(out, '\\');
		strbuf_adds(out, *value == '\n' ? "\\n" : (const char[]){*value, '\0'});
	}
	strbuf_addc(out, '"');
}
