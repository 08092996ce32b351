/* SPDX-License-Identifier: Apache-2.0 */
/* secret - what may be a key or a token does not stay behind in freed memory. */
#ifndef RHAII_KUBE_SECRET_H
#define RHAII_KUBE_SECRET_H

#include <jansson.h>
#include <stddef.h>

struct strbuf;
struct strlist;

/* So that a buffer with a key in it does not move, and can be wiped where it is. */
#define SECRET_ROOM ((size_t)256 << 10)

/* Each wipes, then frees, and may be given nothing. */
void secret_free(char **text);
void secret_strbuf_release(struct strbuf *sb);
void secret_list_release(struct strlist *list);
/* All texts in it, keys excepted; nobody else may hold a part of it. */
void secret_json_release(json_t **value);

#define auto_secret __attribute__((cleanup(secret_free)))
#define auto_secret_strbuf __attribute__((cleanup(secret_strbuf_release)))
#define auto_secret_json __attribute__((cleanup(secret_json_release)))

#endif
