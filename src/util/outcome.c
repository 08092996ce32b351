/* SPDX-License-Identifier: Apache-2.0 */
#include "util/outcome.h"

#include <stddef.h>

const struct outcome_row outcome_rows[] = {
	{ERR_NONE, "done", "done and safe on disk"},
	{ERR_FAILED, "failed", "failed"},
	{ERR_USAGE, "usage", "usage or configuration is wrong, or there is no terminal to ask on and no --yes"},
	{ERR_PARTIAL, "partial", "done in part: named objects failed, conflict, or are stale or unpushed"},
	{ERR_OBJECTIVE, "objective-missed", "the RTO or RPO was missed"},
	{ERR_VERIFY, "verification-failed", "a probe failed"},
	{ERR_INTEGRITY, "integrity", "the snapshot is damaged, tampered with or hostile"},
	{ERR_NOT_READY, "target-not-ready", "the target cluster lacks something that the snapshot needs"},
	{ERR_INTERRUPTED, "interrupted", "interrupted; can be resumed"},
	{ERR_GUARD, "guard", "a guard refused: the snapshot shrank, is of another cluster, or holds a credential"},
	{ERR_LOCKED, "locked", "another rhaii-dr holds the lock"},
	{0, NULL, NULL},
};

/* What a person must know first comes first: damage, then what stopped the run, then what it left undone. */
static const int precedence[] = {ERR_INTEGRITY, ERR_USAGE, ERR_NOT_READY, ERR_LOCKED, ERR_GUARD, ERR_INTERRUPTED, ERR_FAILED, ERR_PARTIAL,
	ERR_VERIFY, ERR_OBJECTIVE};

void outcome_add(struct outcome *outcome, enum error_code code)
{
	if (code == ERR_NONE)
		return;
	outcome->set |= 1U << (code > ERR_LOCKED ? ERR_FAILED : code);
}

int outcome_exit_code(const struct outcome *outcome)
{
	for (size_t i = 0; i < sizeof(precedence) / sizeof(precedence[0]); i++)
		if (outcome->set & (1U << precedence[i]))
			return precedence[i];
	return ERR_NONE;
}

json_t *outcome_names(const struct outcome *outcome)
{
	json_t *names = json_array();

	for (const struct outcome_row *row = outcome_rows; row->name; row++)
		if (row->code ? outcome->set & (1U << row->code) : !outcome->set)
			json_array_append_new(names, json_string(row->name));
	return names;
}
