/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which version of each kind to read. A custom kind is read at the storage version of its definition: at another one the conversion
 * webhook would have to be up, and fields that only the stored version knows would be lost.
 */
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "kube/object_api.h"
#include "object/canonical.h"
#include "object/clean.h"
#include "object/fieldpath.h"
#include "policy/policy.h"
#include "store/git.h"
#include "util/error.h"
#include "util/json.h"
#include "util/log.h"
#include "util/strbuf.h"

/* What of a definition is this cluster's: everything else goes to crds/ as it is. */
static const char *const definition_strip[] = {
	"metadata.uid",
	"metadata.resourceVersion",
	"metadata.generation",
	"metadata.creationTimestamp",
	"metadata.managedFields",
	"metadata.selfLink",
	/* an owner of the old cluster would have the new one's garbage collector delete the definition, and with it all its objects */
	"metadata.ownerReferences",
	"metadata.finalizers",
	"metadata.deletionTimestamp",
	"metadata.deletionGracePeriodSeconds",
	"metadata.annotations['kubectl.kubernetes.io/last-applied-configuration']",
	"spec.conversion.webhook.clientConfig.caBundle",
	"status",
};
#define DEFINITION_STRIP_COUNT (sizeof(definition_strip) / sizeof(definition_strip[0]))

static int definition_clean(json_t *definition, struct error *err)
{
	struct fieldpath *strip[DEFINITION_STRIP_COUNT] = {0};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < DEFINITION_STRIP_COUNT; i++)
		rc = fieldpath_parse(&strip[i], definition_strip[i], err);
	if (rc == 0)
		clean_object(definition, strip, DEFINITION_STRIP_COUNT);
	for (size_t i = 0; i < DEFINITION_STRIP_COUNT; i++)
		fieldpath_free(strip[i]);
	return rc;
}

/* Borrowed from the definition; NULL when it names none. */
static const char *definition_storage(const json_t *definition)
{
	json_t *version;
	size_t i;

	json_array_foreach (json_at(definition, "spec", "versions", NULL), i, version)
		if (json_is_true(json_object_get(version, "storage")))
			return json_text_at(version, "name", NULL);
	return NULL;
}

/*
 * At the storage version where it is served; else at the preferred one, which loses what only the stored version knows: said aloud, and
 * written down as two versions.
 */
static void read_at_storage_version(const struct capture *c, struct capture_kind *kind, const json_t *definition)
{
	const char *storage = definition_storage(definition);
	const struct kube_resource *stored =
		storage ? discovery_find(c->discovery, kind->resource.group, kind->resource.resource, storage) : NULL;

	kind->custom = true;
	kind->storage_version = xstrdup(storage);
	if (stored) {
		free(kind->resource.version);
		kind->resource.version = xstrdup(stored->version);
	} else {
		log_warning("%s.%s is stored at version %s, which is not served: it is read at %s, fields that only the stored version has "
			    "are lost",
			kind->resource.resource, kind->resource.group, storage ? storage : "(none)", kind->resource.version);
	}
}

static void capture_kind_set(struct capture_kind *kind, const struct kube_resource *found)
{
	kind->served = true;
	kind->resource.group = xstrdup(found->group);
	kind->resource.version = xstrdup(found->version);
	kind->resource.resource = xstrdup(found->resource);
	kind->resource.kind = xstrdup(found->kind);
	kind->resource.namespaced = found->namespaced;
}

/* Written at once: as values the larger ones take tens of megabytes. */
static int definition_write(struct capture *c, const struct capture_kind *kind, const json_t *definition, struct error *err)
{
	auto_strbuf struct strbuf path = STRBUF_INIT, text = STRBUF_INIT;

	strbuf_addf(&path, "crds/%s.%s.yaml", kind->resource.resource, kind->resource.group);
	canonical_yaml(definition, &text);
	return git_write_file(c->write, path.buf, text.buf, text.len, err);
}

/* A kind whose definition may not be read is read at the preferred version, and the snapshot says so. */
static int definition_read(struct capture *c, struct capture_kind *kind, const struct kube_resource *definitions, struct error *err)
{
	auto_strbuf struct strbuf name = STRBUF_INIT;
	auto_json json_t *definition = NULL;

	strbuf_addf(&name, "%s.%s", kind->resource.resource, kind->resource.group);
	if (kube_get(c->client, definitions, NULL, name.buf, &definition, err) < 0) {
		if (err->code == ERR_FORBIDDEN)
			json_array_append_new(c->undefined, json_string(name.buf));
		else if (err->code != ERR_NOT_FOUND) /* not there: built into the server, or of an aggregated API */
			return error_wrap(err, "definition of %s", name.buf);
		error_clear(err);
		return 0;
	}
	read_at_storage_version(c, kind, definition);
	return definition_clean(definition, err) < 0 ? -1 : definition_write(c, kind, definition, err);
}

static json_t *definition_versions(const struct capture *c, const struct policy_kind *row)
{
	auto_free const char **versions = discovery_versions(c->discovery, row->group, row->resource);
	json_t *list = json_array();

	for (size_t i = 0; versions && versions[i]; i++)
		json_array_append_new(list, json_string(versions[i]));
	return list;
}

static int kind_load(struct capture *c, struct capture_kind *kind, const struct kube_resource *definitions, struct error *err)
{
	const struct policy_kind *row = kind->row;
	const struct kube_resource *found = discovery_find(c->discovery, row->group, row->resource, NULL);

	if (!found && discovery_incomplete(c->discovery, row->group))
		return error_set(err, ERR_UNAVAILABLE, "the API server cannot say whether it serves %s.%s: discovery of the group failed",
			row->resource, row->group);
	if (!found && row->required) {
		error_set(err, ERR_FAILED, "the cluster does not serve %s.%s, which the policy requires", row->resource, row->group);
		return error_hint(err, "install its definitions, or use a policy whose row says 'presence: optional'");
	}
	if (!found) {
		log_debug("%s.%s is not served, nothing to capture", row->resource, row->group);
		return 0;
	}
	capture_kind_set(kind, found);
	kind->served_versions = definition_versions(c, row);
	if (!definitions || !policy_group_may_be_custom(row->group))
		return 0;
	return definition_read(c, kind, definitions, err);
}

int definitions_load(struct capture *c, struct error *err)
{
	const struct kube_resource *definitions = discovery_find(c->discovery, "apiextensions.k8s.io", "customresourcedefinitions", NULL);
	int carried;

	for (size_t i = 0; i < c->policy->kind_count; i++) {
		c->kinds[i].row = &c->policy->kinds[i];
		carried = carry_load(c, &c->kinds[i], err);
		if (carried < 0)
			return -1;
		if (!carried && kind_load(c, &c->kinds[i], definitions, err) < 0) {
			c->failing = &c->kinds[i];
			return -1;
		}
	}
	return 0;
}
