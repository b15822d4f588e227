#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# What the scripts that measure do beside each other, and when they are ended: hugepages
# (config/hugepages.sh) of a kernel that is made up here, and the lock of app/perf.sh.
#
# usage: test/perf/beside.sh

set -eu

# shellcheck source=../../config/usage.sh
. "$(dirname "$0")/../../config/usage.sh"
usage_take 0 0 "" "$@"

cd "$(dirname "$0")/../.."
. test/lib.sh

# begin: a kernel with 5 pages, all in use, and pages of 2 MiB.
begin() {
	work=$(mktemp -d)
	# shellcheck disable=SC2064 # as it is now
	trap "rm -rf $work" EXIT
	echo 5 > "$work/nr"
	printf 'HugePages_Free: 0\nHugepagesize: 2048 kB\n' > "$work/info"
	: > "$work/mounts"
	: > "$work/mounted"
	cat > "$work/user.sh" <<-END
		set -eu
		. config/hugepages.sh
		hugepages_nr=$work/nr
		hugepages_state=$work/state
		hugepages_info=$work/info
		hugepages_mounts=$work/mounts
		mount() { echo mount >> $work/mounted; echo none /x hugetlbfs rw >> $work/mounts; }
		umount() { echo umount >> $work/mounted; : > $work/mounts; }
		trap hugepages_restore EXIT
		hugepages_reserve 20
		echo > "$work/ready\$1"
		hugepages_run sh -c 'echo \$\$ > $work/job; exec sleep \$1' sh "\$2"
	END
}

# user NUMBER SECONDS: such a script, which wants 10 pages. Then $user is its process.
user() {
	env --default-signal=HUP,INT sh "$work/user.sh" "$1" "$2" > "$work/said$1" 2>&1 &
	user=$!
	until [ -e "$work/ready$1" ]; do
		kill -0 "$user" || return 1
		sleep 0.05
	done
}

# pages NUMBER: that many there must be.
pages() {
	[ "$(cat "$work/nr")" -eq "$1" ] || {
		echo "$(cat "$work/nr") hugepages; expected $1"
		cat "$work"/said*
		return 1
	}
}

# ended SIGNAL STATUS
ended() {
	begin
	user 1 1000 && pages 15 || return 1
	until [ -s "$work/job" ]; do sleep 0.05; done
	kill "-$1" "$user"
	status=0
	wait "$user" || status=$?
	[ "$status" -eq "$2" ] || {
		echo "ended with $status; expected $2"
		return 1
	}
	! kill -0 "$(cat "$work/job")" 2> /dev/null || {
		echo "its program still runs"
		return 1
	}
	pages 5
}

by_itself() {
	begin
	user 1 0 && wait "$user" && pages 5
}

two() {
	begin
	user 1 1000 && first=$user && pages 15 && user 2 1000 && pages 25 || return 1
	kill "$first"
	wait "$first" || :
	pages 15 && [ "$(cat "$work/mounted")" = mount ] || return 1
	# Somebody else takes some meanwhile.
	echo 18 > "$work/nr"
	kill "$user"
	wait "$user" || :
	pages 8 && [ "$(tail -n 1 "$work/mounted")" = umount ]
}

killed() {
	begin
	user 1 1000 || return 1
	until [ -s "$work/job" ]; do sleep 0.05; done
	kill -KILL "$user" "$(cat "$work/job")"
	wait "$user" || :
	pages 15 && user 2 1000 && pages 15 || return 1
	kill "$user"
	wait "$user" || :
	pages 5 && [ "$(tail -n 1 "$work/mounted")" = umount ]
}

# What is free and nobody has asked for is enough.
spare() {
	begin
	sed -i 's/Free: 0/Free: 12/' "$work/info"
	user 1 1000 && first=$user && pages 5 && user 2 1000 && pages 13 || return 1
	kill "$first" "$user"
	wait "$first" || :
	wait "$user" || :
	pages 5
}

perf_waits() {
	mkdir -p build
	flock build/perf.lock timeout 3 app/perf.sh --quick /etc/passwd > "$logs/perf-waits" 2>&1 &&
		return 1
	cat "$logs/perf-waits"
	[ "$(cat "$logs/perf-waits")" = \
		"perf: another app/perf.sh runs in $PWD; waiting for its end" ]
}

check "hugepages are given back at the end" by_itself
check "hugepages are given back after SIGHUP" ended HUP 129
check "hugepages are given back after SIGINT" ended INT 130
check "hugepages are given back after SIGTERM" ended TERM 143
check "hugepages are given back after SIGKILL, by the next script" killed
check "hugepages of two scripts do not meet" two
check "hugepages that are free are taken once" spare
check "app/perf.sh waits for another one" perf_waits
exit "$failed"
