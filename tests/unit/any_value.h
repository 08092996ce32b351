/* SPDX-License-Identifier: Apache-2.0 */
/*
 * any_value - values and texts at random, from a seed: the same seed gives the same ones. For property tests of the canonical text and of the
 * YAML reader; what is random here is glued from the pieces that matter to YAML.
 */
#ifndef RHAII_TESTS_UNIT_ANY_VALUE_H
#define RHAII_TESTS_UNIT_ANY_VALUE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

struct strbuf;

struct chance {
	uint64_t state;
};

/* Any seed will do. */
void chance_seed(struct chance *chance, uint64_t seed);
/* A number from 0 up to, not including, below. */
size_t chance_pick(struct chance *chance, size_t below);

/* Append one character, below 0x110000 and no surrogate. */
void any_utf8(uint32_t code, struct strbuf *out);
/* A JSON value of at most depth levels; the caller owns it. Strings may hold any character, NUL among them; keys any but NUL. */
json_t *any_value(struct chance *chance, int depth);
/* Append what might be YAML written by hand, and often is none. Never a NUL byte. */
void any_yaml(struct chance *chance, struct strbuf *out);
/* Append something like a number, a date or a word that some YAML knows: a sample of them with a few characters changed. */
void any_plain_scalar(struct chance *chance, struct strbuf *out);

#endif
