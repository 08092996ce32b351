#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Print a C file that holds the given text files: a table of name (without folder and ending) and text, ended by a NULL name.
set -eu
printf '#include <stddef.h>\n\n#include "policy/builtin.h"\n\n'
for file in "$@"; do
	name=$(basename "$file" .yaml | tr -c 'a-z0-9\n' _)
	printf 'static const char text_%s[] = {' "$name"
	od -An -v -tx1 "$file" | sed 's/ \([0-9a-f][0-9a-f]\)/0x\1,/g'
	printf '0};\n'
done
printf '\nconst struct policy_builtin policy_builtins[] = {\n'
for file in "$@"; do
	base=$(basename "$file" .yaml)
	printf '\t{"%s", text_%s},\n' "$base" "$(printf %s "$base" | tr -c 'a-z0-9' _)"
done
printf '\t{NULL, NULL},\n};\n'
