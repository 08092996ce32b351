#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Print a C file that holds a text file as the string NAME, which HEADER declares: embed_text.sh HEADER NAME FILE.
set -eu
printf '#include "%s"\n\nconst char %s[] = {' "$1" "$2"
od -An -v -tx1 "$3" | sed 's/ \([0-9a-f][0-9a-f]\)/0x\1,/g'
printf '0};\n'
