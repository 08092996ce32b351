/* SPDX-License-Identifier: Apache-2.0 */
#include "serving.h"

#include "options.h"
#include "util/error.h"
#include "verify/serving.h"

static void copy_list(struct strlist *out, const struct strlist *from)
{
	for (size_t i = 0; i < from->count; i++)
		strlist_add(out, from->items[i]);
}

int serving_said(const struct settings *settings, struct serving_settings *out, struct error *err)
{
	for (size_t i = 0; i < settings->probe_urls.count; i++) {
		const char *fault = serving_url_fault(settings->probe_urls.items[i]);

		if (fault)
			return error_set(err, ERR_USAGE, "option '--probe-url': '%s': %s", settings->probe_urls.items[i], fault);
	}
	out->patience_ms = settings->probe_timeout_ms;
	copy_list(&out->urls, &settings->probe_urls);
	copy_list(&out->command, &settings->isolation_command);
	if (serving_read_ca(out, settings->probe_ca_file, err) < 0)
		return -1;
	return serving_read_token(out, settings->probe_token_file, err);
}
