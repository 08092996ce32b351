#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# samples.sh LIST: a list of "rhaii-cluster samples" for people: counts by module and kind, and the reason of each sample that was not created.
set -euo pipefail

jq -s -r 'group_by([.module, .kind, .result])[] | [.[0].module, .[0].kind, .[0].result, length] | @tsv' "$1" |
	awk -F'\t' '{ printf "%-56s %-26s %-13s %5d\n", $1, $2, $3, $4; total += $4 } END { printf "%-97s %5d\n", "all", total }'
echo
jq -r 'select(.result == "refused" or .result == "unrepeatable" or .result == "unreadable" or .result == "template")
	| "\(.result): \(.kind) \(.name // "") in \(.module) \(.file)#\(.document)\n    \(.reason)"' "$1"
