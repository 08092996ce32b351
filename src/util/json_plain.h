/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_plain - a fast reader for the JSON that an API server writes.
 *
 * jansson looks at each byte several times, which is most of what a first snapshot would cost. This reader builds the same values from texts that hold
 * nothing but objects, arrays, words, integers of up to 18 digits and strings with the usual escapes. All else (reals, \u escapes beyond ASCII,
 * anything that is refused or that an error would have to be told of) it leaves to jansson: it never decides that a text is wrong.
 */
#ifndef RHAII_UTIL_JSON_PLAIN_H
#define RHAII_UTIL_JSON_PLAIN_H

#include <jansson.h>
#include <stddef.h>

/* NULL: ask jansson. Else what json_loadb would give. The caller owns the value. */
json_t *json_plain_read(const char *buf, size_t len);

#endif
