#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A snapshot is killed at a system call that changes something, or its disk fails there. Some of these points, chosen by a seed; `make crash` takes all.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/crash/lib.sh
. "$root/tests/crash/lib.sh"

cluster_up plain-source "$work/source" && crash_corpus "$work/source" || exit 1
for scenario in first next pack; do
	crash_scenario $scenario || { cat "$work/err" && exit 1; }
done

# --- SIGKILL ----------------------------------------------------------------------------------------------------------------------------

test_a_first_snapshot_is_killed() {
	crash_points first all | crash_chosen | crash_each first signal=KILL
}

test_a_later_snapshot_is_killed() {
	crash_points next all | crash_chosen | crash_each next signal=KILL
}

test_a_snapshot_that_writes_a_pack_is_killed() {
	crash_points pack all | crash_chosen | crash_each pack signal=KILL
}

# --- a disk that fails --------------------------------------------------------------------------------------------------------------------

writing=write,pwrite64,writev,openat,mkdir,mkdirat,fallocate,ftruncate
settling=fsync,fdatasync,syncfs,link,linkat,rename,renameat,renameat2

test_no_space_at_a_write() {
	crash_points next $writing | crash_chosen | crash_each next error=ENOSPC
}

test_no_space_at_a_write_of_a_pack() {
	crash_points pack $writing | crash_chosen | crash_each pack error=ENOSPC
}

test_no_space_for_a_new_repository() {
	crash_points first $writing | crash_chosen | crash_each first error=ENOSPC
}

test_an_input_output_error_at_a_write() {
	crash_points next $writing | crash_chosen | crash_each next error=EIO
}

test_an_input_output_error_when_it_is_made_durable() {
	crash_points next $settling | crash_chosen | crash_each next error=EIO
}

test_an_input_output_error_when_a_pack_is_made_durable() {
	crash_points pack $settling | crash_chosen | crash_each pack error=EIO
}

test_short_writes() {
	cc -shared -fPIC -O1 -Wall -Wextra -Werror -D_GNU_SOURCE -o "$work/short_writes.so" "$root/tests/crash/short_writes.c" -ldl
	for scenario in first next pack; do
		crash_fresh $scenario
		crash_run "$(cat "$work/$scenario/namespace")" env LD_PRELOAD="$work/short_writes.so" || { cat "$work/err" && return 1; }
		crash_goes_on $scenario
	done
}

# --- a disk that is full --------------------------------------------------------------------------------------------------------------------

sudo=()
[ "$(id -u)" -eq 0 ] || sudo=(sudo -n)

# full SCENARIO KIB: with so much space for all of it, then with enough
full() {
	local status=0
	crash_fresh "$1"
	cd "$work" || return
	mkdir -p disk
	"${sudo[@]}" mount -t tmpfs -o "size=$2k,uid=$(id -u),mode=0700" none disk
	cp -a point/. disk/ && cd disk && crash_run "$(cat "$work/$1/namespace")" env || status=$?
	[ "$status" -le 1 ] && crash_is_intact "$1" || { echo "exit code $status with $2 KiB" && cat "$work/err" && return 1; }
	[ "$status" -eq 0 ] || filled=$((filled + 1))
	"${sudo[@]}" mount -o remount,size=64m "$work/disk"
	crash_goes_on "$1"
	cd "$work" || return
	"${sudo[@]}" umount disk
}

test_a_full_disk() {
	trap 'cd "$work"; ! mountpoint -q disk || "${sudo[@]}" umount disk' EXIT
	filled=0
	for scenario in first next pack; do
		base=$(du -sk "$work/$scenario/before" | cut -f1)
		need=$(du -sk "$work/$scenario/after" | cut -f1)
		step=$([ "$RHAII_TEST_POINTS" = all ] && echo 4 || echo $(((need - base) / 4 + 1)))
		for size in $(seq $((base + 4)) "$step" "$need"); do
			full $scenario "$size" || { echo "$scenario with $size of $need KiB" && return 1; }
		done
	done
	echo "full disks: $filled" | tee -a "$work/summary"
	[ "$filled" -gt 2 ]
}

run_tests
if [ "$RHAII_TEST_POINTS" = all ]; then
	sed 's/^/  /' "$work/summary"
	[ ! -s "$work/quiet" ] || { echo "  passed over:" && grep INJECTED "$work/quiet" | sed 's/^[0-9]* *//; s/[0-9a-f]\{16,40\}/.../g' | sort | uniq -c | sed 's/^/  /'; }
fi
exit "$failed"
