/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yaml_plain - what a scalar without quotes means: text alone, no YAML library.
 *
 * Readers differ: YAML 1.1 (PyYAML; kubectl, with rules of its own) and YAML 1.2 know other words and numbers. Only what all of them take for the same
 * is a meaning here; MEANS_DIFFERENT is what one of them takes for another value than the next.
 */
#ifndef RHAII_UTIL_YAML_PLAIN_H
#define RHAII_UTIL_YAML_PLAIN_H

enum yaml_meaning { MEANS_STRING, MEANS_NULL, MEANS_TRUE, MEANS_FALSE, MEANS_INTEGER, MEANS_REAL, MEANS_DIFFERENT };

enum yaml_meaning yaml_plain_meaning(const char *text);

#endif
