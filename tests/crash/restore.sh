# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # root, work, binary are of tests/integration/lib.sh
#
# restore - a restore that is killed at a chosen system call, and resumed. Source it after tests/integration/lib.sh, then:
#
#   killed_corpus SOURCE-DIR SPACES EACH   a snapshot in $work/template of so many namespaces, each with so many policies, services and routes
#   killed_learn TARGET-DIR                run one restore of it under strace, and write to $work/points "CALL N WAVE", each call that a kill may come before
#   killed_chosen COUNT                    so many of them, chosen by RHAII_TEST_SEED, as evenly from every system call and wave as there are points
#   killed_each TARGET-DIR                 for each point on standard input: run with SIGKILL there, resume, and look at what is there
#   killed_fresh NAME, killed_run, killed_corpus_json   the parts of it
#
# What is promised: whatever the moment of the kill, the resumed restore ends like one that nothing happened to, and each object is created exactly once.

: "${RHAII_TEST_SEED:=1}"

killed_corpus_json() { # spaces each
	local space i
	for space in $(seq "$1"); do
		echo "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"crash-$space\"}}"
		for i in $(seq "$2"); do
			echo "{\"apiVersion\":\"networking.k8s.io/v1\",\"kind\":\"NetworkPolicy\",\"metadata\":{\"name\":\"policy-$i\",\"namespace\":\"crash-$space\"},\"spec\":{\"podSelector\":{}}}"
			echo "{\"apiVersion\":\"serving.kserve.io/v1alpha2\",\"kind\":\"LLMInferenceService\",\"metadata\":{\"name\":\"service-$i\",\"namespace\":\"crash-$space\"},\"spec\":{\"model\":{\"uri\":\"hf://a/b\"}}}"
			echo "{\"apiVersion\":\"gateway.networking.k8s.io/v1\",\"kind\":\"HTTPRoute\",\"metadata\":{\"name\":\"route-$i\",\"namespace\":\"crash-$space\"},\"spec\":{\"hostnames\":[\"a.example\"]}}"
		done
	done
}

killed_corpus() {
	killed_corpus_json "$2" "$3" | cluster_kubectl "$1" create -f - >/dev/null || return
	dr "$1" -q snapshot --cluster prod --repo "$work/backup" >/dev/null || return
	git clone -q -b clusters/prod "$work/backup" "$work/template" || return
	killed_count=$(find "$work/template/objects" -name '*.yaml' | wc -l)
}

# killed_fresh NAME: the same snapshot with namespaces of another name, in ./snapshot of a directory of its own, which is the current one then
killed_fresh() {
	local file
	rm -rf "${work:?}/$1" && mkdir "$work/$1" && cd "$work/$1" && cp -a "$work/template" snapshot && rm -rf snapshot/.git || return
	for file in snapshot/objects/cluster/namespaces/*.yaml; do
		mv "$file" "${file/crash-/$1-}"
	done
	for file in snapshot/objects/namespaces/*; do
		mv "$file" "${file/crash-/$1-}"
	done
	grep -rl crash- snapshot/objects | xargs sed -i "s/crash-/$1-/"
}

# killed_run TARGET-DIR COMMAND...: a restore of ./snapshot, or with $resume of its journal, run by this command; what it says is in ./out and ./err
killed_run() {
	local dir=$1 what=(./snapshot --yes --wait 0)
	shift
	[ -z "${resume:-}" ] || what=(--resume)
	HOME=$work/home XDG_STATE_HOME=$PWD/state "$@" "$binary" --kubeconfig "$dir/kubeconfig" restore "${what[@]}" -o json >out 2>err </dev/null
}

# --- points --------------------------------------------------------------------------------------------------------------------------

killed_calls=openat,mkdir,write,fsync,linkat,unlinkat,sendto

# The wave is told by what is written to the journal. A write counts when it is to the journal, an openat when it makes a file.
killed_learn() {
	killed_fresh learn && killed_run "$1" strace -f -y -qq -s 200 -o trace -e "trace=$killed_calls" || { cat err && return 1; }
	awk '
	{
		sub(/^[0-9]+ +/, "")
		call = $0
		sub(/\(.*/, "", call)
		if (call !~ /^[a-z0-9]+$/)
			next
		n[call]++
		if (call == "write" && /\.journal>/ && /what.*gate/)
			wave++
		if ((call == "openat" && !/O_CREAT/) || (call == "write" && !/\/state\//))
			next
		print call, n[call], wave + 0
	}' trace >"$work/points"
}

killed_chosen() {
	shuf --random-source=<(yes "$RHAII_TEST_SEED") "$work/points" | awk '{ print seen[$1, $3]++, $0 }' | sort -s -n -k1,1 | sed -n "1,${1}p" | cut -d' ' -f2-
}

# --- a point --------------------------------------------------------------------------------------------------------------------------

# created_once TARGET-DIR NAME MARK: each object of the restore was created, by exactly one request. A request whose client is killed may be carried out and yet be
# logged as failed (504), or be cut off before its object came (no name).
created_once() {
	tail -n "+$(($3 + 1))" "$1/audit.log" | jq -r --arg n "$2-" 'select(.verb == "create" and .stage == "ResponseComplete")
		| select(.userAgent | startswith("rhaii-dr/")) | select(.requestURI | test("dryRun") | not)
		| select(.objectRef.name) | select((.objectRef.namespace // "" | startswith($n)) or (.objectRef.name | startswith($n)))
		| "\(.objectRef.resource) \(.objectRef.namespace)/\(.objectRef.name) \(.responseStatus.code)"' >creates
	awk '$3 == 201 { print $1, $2 }' creates | sort >created
	same "objects created twice" "$(uniq -d created)" "" || return
	awk '$3 != 201 && $3 != 409 { print $1, $2 }' creates | sort -u | comm -23 - created >lost
	same "objects created" "$(cat created lost | sort -u | wc -l)" "$killed_count" || { cat creates && return 1; }
}

killed_goes_on() { # target-dir
	if [ -n "$(find state -name '*.journal' 2>/dev/null)" ]; then
		resume=yes killed_run "$1" env || { echo "the resumed run failed:" && cat err && return 1; }
		killed_resumed=$((killed_resumed + 1))
	else
		killed_run "$1" env || { echo "the next run failed:" && cat err && return 1; }
	fi
}

# killed_point TARGET-DIR NAME CALL N
killed_point() {
	local target=$1 name=$2 status=0 at
	killed_fresh "$name" || return
	at=$(wc -l <"$target/audit.log")
	killed_run "$target" strace -f -qq -o injured -e "trace=$3" -e "inject=$3:signal=KILL:when=$4" || status=$?
	case $status in
	137) killed_goes_on "$target" || return ;;
	0) killed_missed=$((killed_missed + 1)) ;; # how many calls a run makes depends on how the answers come in
	*) echo "exit code $status" && cat err && return 1 ;;
	esac
	# of one that had written its last word only that is told
	jq -e '.waves' out >/dev/null && { same "created, by the report" "$(jq .counts.created out)" "$killed_count" || return; }
	created_once "$target" "$name" "$at" || return
	rm -rf state
	killed_run "$target" env || { cat err && return 1; }
	same "what another restore finds" "$(jq -c '[.counts.skipped, .counts.created, .counts.conflict]' out)" "[$killed_count,0,0]"
}

killed_each() {
	local call n wave count=0 bad=0 name
	killed_resumed=0 killed_missed=0
	while read -r call n wave; do
		count=$((count + 1)) name=p$count
		if ! killed_point "$1" "$name" "$call" "$n" >"$work/said" 2>&1; then
			bad=$((bad + 1))
			echo "$call number $n, behind gate $wave:"
			sed 's/^/  /' "$work/said"
		fi
		# many of them would make each list a long one
		[ "$killed_count" -lt 100 ] || (cd "$work/$name/snapshot/objects/namespaces" && cluster_kubectl "$1" delete namespace --wait=false -- * >/dev/null)
		rm -rf "${work:?}/$name"
	done
	echo "a killed restore: $count points, $bad bad, $killed_resumed resumed, $killed_missed not reached" | tee -a "$work/summary"
	[ "$count" -gt 0 ] && [ "$bad" -eq 0 ] && [ "$killed_resumed" -gt 0 ]
}
