/* SPDX-License-Identifier: Apache-2.0 */
/*
 * list - a whole collection, page by page, item by item.
 *
 * A page counts only when its JSON is complete and it is a list of the kind asked for: by its own kind, or (a definition may name its list as it
 * likes) by that of each item. A repeated continue token, a page of another
 * resourceVersion or items of another kind fail the list. 410 Gone starts the list over (the sink is told by restart); the third
 * one fails it. Items get the list's apiVersion and kind, which the server leaves out for built-in kinds.
 *
 * Items are parsed one at a time, without metadata.managedFields unless they are asked for (a third of the bytes, and more of the work): memory holds two pages of
 * text, the second being asked for while the first is worked on, and the values of one item. A sink's raw can do without even that.
 *
 * Between two lists the server would wait for the client, and then the client for the server: kube_list_ask asks for the next list's first page in time.
 *
 * With at_version all kinds can be listed at one point in time: the version of the first list is asked of the others. A 410 then is
 * returned as ERR_GONE at once, since the same question can only give the same answer: the caller starts over with a newer version.
 */
#ifndef RHAII_KUBE_LIST_H
#define RHAII_KUBE_LIST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct error;
struct kube_ahead;
struct kube_client;
struct kube_resource;

/* The first page of a list to come, asked for while another list is worked on. */
struct kube_list_first {
	char *path; /* NULL: none */
	struct kube_ahead *ahead;
};

struct kube_list_options {
	const char *namespace_;        /* NULL: all */
	const char *name;              /* NULL: all; else the object of this name, for who may list but not get */
	size_t page_size;              /* 0: 500 */
	const char *at_version;        /* NULL: the newest; else exactly this resourceVersion */
	bool metadata_only;            /* PartialObjectMetadataList; items then carry the kind of resource, not PartialObjectMetadata */
	bool managed_fields;           /* items keep their metadata.managedFields */
	struct kube_list_first *first; /* NULL, or borrowed: taken when it is of this list, moved on while this list is worked on */
};

/* An item as the server sent it, before it is parsed. Nothing in it ends in a NUL; all is borrowed for the call. */
struct kube_raw {
	const char *text;
	size_t len;
	const char *uid, *version; /* metadata.uid and resourceVersion; NULL where they are not plain text */
	size_t uid_len, version_len;
	const char *managed_key, *managed_fields; /* JSON of metadata.managedFields, and its key's quote; NULL where there are none */
	size_t managed_fields_len;
};

struct kube_list_sink {
	/* May be NULL; is shown each item first. 1: nothing more to do for it; 0: parse it and call item; -1 ends the list with err. */
	int (*raw)(const struct kube_raw *raw, void *arg, struct error *err);
	/* item, without its managedFields unless the options want them, is borrowed and may be changed or kept (json_incref); -1 ends the list with err. */
	int (*item)(json_t *item, void *arg, struct error *err);
	/* May be NULL; the last page has come, of a list of this resourceVersion, and no item of it is given yet: the time for kube_list_ask. */
	void (*last)(const char *version, void *arg);
	/* Everything given so far is void. May be NULL: then a 410 after the first page fails the list. */
	void (*restart)(void *arg);
	void *arg;
};

/* Ask for the first page of a list: options are those of its kube_list, to the letter. What first holds is dropped; nothing fails, since kube_list asks itself for what has not come. */
void kube_list_ask(struct kube_client *client, const struct kube_resource *resource, const struct kube_list_options *options,
	struct kube_list_first *first);
void kube_list_first_drop(struct kube_list_first *first);

/* kube_expect of the first page. */
void kube_list_expect(struct kube_client *client, const struct kube_resource *resource, const struct kube_list_options *options);

/* *resource_version (may be NULL) is the list's; the caller frees. */
int kube_list(struct kube_client *client, const struct kube_resource *resource, const struct kube_list_options *options,
	const struct kube_list_sink *sink, char **resource_version, struct error *err);

#endif
