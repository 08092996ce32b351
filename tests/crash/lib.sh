# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # root, work, binary are of tests/integration/lib.sh
#
# lib - a snapshot that is killed, or whose disk fails, at a chosen system call. Source it after tests/integration/lib.sh, then:
#
#   crash_corpus CLUSTER-DIR        objects to take snapshots of: the namespaces small (5 policies) and large (more than are kept as loose git objects)
#   crash_scenario NAME             learn what one writes: first (of small, into nothing), next (of small, changed, onto a commit), pack (of large)
#   crash_points NAME CALLS         print "CALL N" for each time it changes something by one of these system calls ("all": of any)
#   crash_chosen                    pass on RHAII_TEST_POINTS of the lines on standard input ("all": all), chosen by RHAII_TEST_SEED
#   crash_each NAME HOW             for each point on standard input: run with that call injured ("signal=KILL", "error=EIO"), then look at what is left
#   crash_fresh, crash_run, crash_is_intact, crash_goes_on   the parts of it
#
# What is promised: git fsck is clean, the branch is where it was or has the new state, no pack or archive under its final name is cut off, and the
# next run needs no human and ends in the same tree and archive as a run that nothing happened to.

crash_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
crash_changing=openat,write,pwrite64,writev,link,linkat,symlink,symlinkat,unlink,unlinkat,rename,renameat,renameat2,mkdir,mkdirat,rmdir,fsync,fdatasync,syncfs,ftruncate,fallocate,chmod,fchmod,fchmodat,utimensat
: "${RHAII_TEST_POINTS:=4}" "${RHAII_TEST_SEED:=1}"

# --- what a snapshot is taken of ------------------------------------------------------------------------------------------------------

crash_policies() { # namespace count
	local i
	echo "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"$1\"}}"
	for i in $(seq "$2"); do
		echo "{\"apiVersion\":\"networking.k8s.io/v1\",\"kind\":\"NetworkPolicy\",\"metadata\":{\"name\":\"policy-$i\",\"namespace\":\"$1\",\"annotations\":{\"number\":\"$i\"}},\"spec\":{\"podSelector\":{}}}"
	done
}

crash_corpus() {
	crash_cluster=$1
	(crash_policies small 5 && crash_policies large 300) | cluster_kubectl "$crash_cluster" create -f - >/dev/null
}

crash_annotate() {
	cluster_kubectl "$crash_cluster" -n small annotate --overwrite networkpolicy policy-1 "state=$1" >/dev/null
}

# crash_run NAMESPACE COMMAND...: a snapshot into ./repo and ./archives, run by this command; what it says is in $work
crash_run() {
	local namespace=$1
	shift
	HOME=$work/home "$@" "$binary" --kubeconfig "$crash_cluster/kubeconfig" snapshot --cluster prod --policy "$crash_here/policy.yaml" -n "$namespace" \
		--repo repo --archive-dir archives >"$work/out" 2>"$work/err" </dev/null
}

crash_tree() {
	git -C "$1" rev-parse -q --verify "clusters/prod^{tree}" || true
}

# --- scenarios ----------------------------------------------------------------------------------------------------------------------------

# In $work/NAME: before/ (where a run starts), after/ (where it ends when nothing happens), namespace, trace.
crash_scenario() {
	local name=$1 dir=$work/$1
	mkdir -p "$dir/before" && cd "$dir/before" || return
	[ "$name" = pack ] && echo large >../namespace || echo small >../namespace
	if [ "$name" = next ]; then
		crash_annotate before
		crash_run small env || return
	fi
	[ "$name" = pack ] || crash_annotate after
	cp -a "$dir/before" "$dir/after" && cd "$dir/after" || return
	crash_run "$(cat ../namespace)" strace -f -y -qq -o ../trace -e "trace=$crash_changing" || return
	cd "$work" || return
}

# A call is one that changes something when it makes a file or works on one below the scenario's directory; what is written to sockets and to
# standard output does not count.
crash_points() {
	awk -v "calls=,$2," '
	{
		sub(/^[0-9]+ +/, "")
		call = $0
		sub(/\(.*/, "", call)
		if (call !~ /^[a-z0-9]+$/ || (calls != ",all," && index(calls, "," call ",") == 0))
			next
		n[call]++
		if (call == "openat" && !/O_CREAT/)
			next
		if (call ~ /^(write|pwrite64|writev)$/ && !/^[a-z0-9]+\([0-9]+<[^>]*\/after\//)
			next
		print call, n[call]
	}' "$work/$1/trace"
}

crash_chosen() {
	if [ "$RHAII_TEST_POINTS" = all ]; then
		cat
	else
		shuf -n "$RHAII_TEST_POINTS" --random-source=<(yes "$RHAII_TEST_SEED")
	fi
}

# --- a point --------------------------------------------------------------------------------------------------------------------------------

crash_fresh() { # scenario
	cd "$work" && rm -rf point && cp -a "$1/before" point && cd point || return
}

crash_packs_are_whole() {
	local pack
	while read -r pack; do
		git index-pack --strict -o "$work/checked.idx" "$pack" >/dev/null || { echo "cut off: $pack" && return 1; }
		rm -f "$work/checked.idx" "$work/checked.rev"
	done < <(find repo -name 'pack-*.pack' 2>/dev/null)
}

crash_archives_are_whole() {
	local archive
	while read -r archive; do
		zstd -dcq "$archive" | tar -tf - >/dev/null || { echo "cut off: $archive" && return 1; }
		[ ! -e "$archive.sha256" ] || (cd archives && sha256sum --quiet -c "${archive##*/}.sha256") || return
	done < <(find archives -name '*.tar.zst' 2>/dev/null)
}

# A repository that was killed while it was being made may not be one yet.
crash_is_intact() { # scenario
	local head
	crash_packs_are_whole && crash_archives_are_whole || return
	git --git-dir=repo rev-parse --git-dir >/dev/null 2>&1 || { [ ! -e "$work/$1/before/repo" ] && return; }
	git -C repo fsck --strict --full --no-dangling >"$work/fsck" 2>&1 || { cat "$work/fsck" && return 1; }
	head=$(crash_tree repo)
	[ "$head" = "$(crash_tree "$work/$1/after/repo")" ] || [ "$head" = "$(crash_tree "$work/$1/before/repo" 2>/dev/null)" ] ||
		{ echo "the branch has a tree of neither before nor after: $head" && return 1; }
}

crash_goes_on() { # scenario
	crash_run "$(cat "$work/$1/namespace")" env || { echo "the next run failed:" && cat "$work/err" && return 1; }
	crash_is_intact "$1" || return
	same "tree after the next run" "$(crash_tree repo)" "$(crash_tree "$work/$1/after/repo")" || return
	same "commits after the next run" "$(git -C repo rev-list --count clusters/prod)" "$(git -C "$work/$1/after/repo" rev-list --count clusters/prod)" || return
	same "archives after the next run" "$(find archives -name '*.zst' | wc -l) $(find archives -name '*.sha256' | wc -l)" \
		"$(find "$work/$1/after/archives" -name '*.zst' | wc -l) $(find "$work/$1/after/archives" -name '*.sha256' | wc -l)" || return
	# pack_git2_...idx.lock is only the name of a temporary file
	same "locks left" "$(find repo -name '*.lock' ! -name rhaii-dr.lock ! -path 'repo/objects/pack/pack_git2_*')" ""
}

# crash_point SCENARIO CALL N HOW
crash_point() {
	local scenario=$1 call=$2 n=$3 how=$4 status=0
	crash_fresh "$scenario" || return
	crash_run "$(cat "$work/$scenario/namespace")" strace -f -qq -o "$work/injured" -e "trace=$call" -e "inject=$call:$how:when=$n" || status=$?
	if ! grep -qE 'INJECTED|killed by SIGKILL' "$work/injured"; then
		# how many folders a run makes depends on the ids of its objects, and so on the time: a run that ends before the call comes is a whole run
		[ "$status" -eq 0 ] || { echo "the call was not reached (exit code $status)" && return 1; }
		crash_is_intact "$scenario"
		return
	fi
	case $how:$status in
	signal=KILL:137 | error=*:1) ;;
	error=*:0) crash_quiet=$((crash_quiet + 1)) && cat "$work/injured" >>"$work/quiet" ;;
	*) echo "exit code $status" && cat "$work/err" && return 1 ;;
	esac
	crash_is_intact "$scenario" || return
	# exit code 0 promises all of it
	[ "$status" -ne 0 ] || same "tree" "$(crash_tree repo)" "$(crash_tree "$work/$scenario/after/repo")" || return
	[ "$status" -ne 1 ] || [ -s "$work/err" ] || { echo "exit code 1 without a word" && return 1; }
	crash_goes_on "$scenario"
}

crash_each() { # scenario how
	local call n count=0 bad=0
	crash_quiet=0
	while read -r call n; do
		count=$((count + 1))
		if ! crash_point "$1" "$call" "$n" "$2" >"$work/said" 2>&1; then
			bad=$((bad + 1))
			echo "$1, $call number $n, $2:"
			sed 's/^/  /' "$work/said"
		fi
	done
	echo "$1, $2: $count points, $bad bad, $crash_quiet passed over by the program (exit code 0)" | tee -a "$work/summary"
	[ "$count" -gt 0 ] && [ "$bad" -eq 0 ]
}
