/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yaml - reads YAML into JSON values (libyaml); writing is object/canonical.h.
 *
 * Plain scalars are resolved where YAML 1.1 (as kubectl, sigs.k8s.io/yaml, reads it) and YAML 1.2 agree: null, true, false, integers, reals
 * with a point and a signed exponent, anything else a string. A plain scalar that the two may read as different values (yes, on, 010, 0o7, 0x1F,
 * 1e3, 1_000, 1:30, 2001-01-01, .inf) is refused: it must be quoted. Integers beyond int64 are read as doubles. So what is read here, kubectl reads
 * as the same value (tests/integration/readers.sh).
 *
 * Also refused: anchors, aliases, tags, merge keys, duplicate keys, keys that are not strings, more than one document, a byte order mark that is not
 * at the start, nesting beyond JSON_DEPTH_MAX, more than YAML_SIZE_MAX bytes. Every refusal says line and column, and its hint what to do.
 */
#ifndef RHAII_UTIL_YAML_H
#define RHAII_UTIL_YAML_H

#include <jansson.h>
#include <stddef.h>

struct error;
struct strlist;

#define YAML_SIZE_MAX ((size_t)64 << 20)

/* Parse one document. ERR_SYNTAX with line and column. An empty document is null. The caller owns the value. */
json_t *yaml_read(const char *buf, size_t len, struct error *err);

/*
 * For messages: the line (from 1) at which the last key stands, of the way of keys from the top of a document that yaml_read has read, or the last of them that is there; 0: none is.
 */
size_t yaml_line(const char *buf, size_t len, const struct strlist *way);

#endif
