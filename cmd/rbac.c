/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/rbac.h"

#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "output.h"
#include "policy/policy.h"
#include "store/snapshot.h"
#include "util/error.h"
#include "util/json.h"
#include "util/log.h"
#include "verify/look.h"

#define NAME_MAX_LEN 253

/* Of a DNS-1123 subdomain; the API server checks the rest. */
static bool is_name(const char *text, size_t len)
{
	return len > 0 && len <= NAME_MAX_LEN && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-.") >= len;
}

/* Both parts are the caller's. */
static int split_account(const struct settings *s, char **namespace_, char **name, struct error *err)
{
	auto_free char *text =
		s->service_account ? xstrdup(s->service_account) : xasprintf("rhaii-dr/rhaii-dr-%s", rbac_commands[s->rbac_for]);
	const char *slash = strchr(text, '/');

	if (!slash || !is_name(text, (size_t)(slash - text)) || !is_name(slash + 1, strlen(slash + 1)))
		return error_set(err, ERR_USAGE, "option '--service-account': '%s' is no NAMESPACE/NAME", text);
	*namespace_ = xstrndup(text, (size_t)(slash - text));
	*name = xstrdup(slash + 1);
	return 0;
}

static int check_namespaces(const struct settings *s, struct error *err)
{
	for (size_t i = 0; i < s->namespaces.count; i++)
		if (!is_name(s->namespaces.items[i], strlen(s->namespaces.items[i])))
			return error_set(err, ERR_USAGE, "option '--namespace': '%s' is no name of a namespace", s->namespaces.items[i]);
	/* restore and verify then list over all of them */
	if (s->rbac_for == RBAC_SNAPSHOT || s->namespaces.count <= LOOK_FEW_NAMESPACES)
		return 0;
	error_set(err, ERR_USAGE, "%s lists more than %d namespaces by one list over all of them", rbac_commands[s->rbac_for],
		LOOK_FEW_NAMESPACES);
	return error_hint(err, "leave the option '--namespace' out");
}

void snapshot_secrets(const struct snapshot *snapshot, struct strlist *out)
{
	json_t *row;
	size_t i;

	json_array_foreach (json_object_get(snapshot->requirements, "requirements"), i, row) {
		const char *resource = json_text_at(row, "resource", NULL), *group = json_text_at(row, "group", NULL),
			   *state = json_text_at(row, "state", NULL), *namespace_ = json_text_at(row, "namespace", NULL),
			   *name = json_text_at(row, "name", NULL);

		if (resource && group && state && namespace_ && name && !*group && strcmp(resource, "secrets") == 0 &&
			strcmp(state, "generated") != 0) {
			auto_free char *full = xasprintf("%s/%s", namespace_, name);

			strlist_add(out, full);
		}
	}
	strlist_sort_unique(out);
}

/* A first snapshot has to be taken without them. */
static int read_secrets(struct context *ctx, struct strlist *out, struct error *err)
{
	struct snapshot *snapshot;

	if (snapshot_open(&snapshot, &ctx->source, context_arg(ctx, 0), err) < 0) {
		if (err->code != ERR_NOT_FOUND || context_arg(ctx, 0))
			return -1;
		log_warning("no snapshot yet says which Secrets are needed: take one, then print the rights again");
		error_clear(err);
		return 0;
	}
	snapshot_secrets(snapshot, out);
	snapshot_free(snapshot);
	return 0;
}

int command_rbac(struct context *ctx, struct error *err)
{
	const struct settings *s = &ctx->settings;
	auto_free char *namespace_ = NULL, *name = NULL;
	auto_strlist struct strlist secrets = STRLIST_INIT;
	struct rbac_options options = {.command = s->rbac_for, .namespaces = &s->namespaces, .secrets = &secrets};

	if (!option_is_given(s, OPTION_FOR)) {
		error_set(err, ERR_USAGE, "for which command?");
		return error_hint(err, "say --for snapshot, --for restore or --for verify");
	}
	if (check_namespaces(s, err) < 0 || split_account(s, &namespace_, &name, err) < 0)
		return -1;
	if (s->rbac_for == RBAC_SNAPSHOT && ctx->policy->check_secrets && read_secrets(ctx, &secrets, err) < 0)
		return -1;
	options.account_namespace = namespace_;
	options.account_name = name;
	ctx->result = rbac_manifests(ctx->policy, &options);
	if (s->rbac_for == RBAC_RESTORE && rbac_creates_roles(ctx->policy))
		log_warning(
			"the API server lets nobody create a Role or RoleBinding with rights that they do not hold: give this account the "
			"rights in the snapshot's Roles too, or apply those as an administrator; escalate and bind are not given");
	return 0;
}

/* One document an object: what people keep in a file. */
void print_rbac(struct output *out, const json_t *result)
{
	const json_t *item;
	size_t i;

	output_line(out, "# Made by rhaii-dr rbac: exactly the rights that the command needs for the policy.");
	json_array_foreach (json_object_get(result, "items"), i, item) {
		output_line(out, "---");
		output_document(out, OUTPUT_YAML, item);
	}
}
