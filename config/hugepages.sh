# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Hugepages for the time of one script, also beside others that use this. To be sourced. A script
# that cannot be caught (SIGKILL) is cleaned up after by the next one.

hugepages_nr=/proc/sys/vm/nr_hugepages
hugepages_info=/proc/meminfo
hugepages_mounts=/proc/mounts
# A line for each script that has some: its process, when that began, how many pages it wanted, and
# how many it had the kernel make. Beside it, what is locked, and where hugetlbfs was mounted.
hugepages_state=/run/lock/spimdev-hugepages
hugepages_job=

# hugepages_reserve MEGABYTES: reserves at least that much, until the script ends, and mounts
# hugetlbfs if nobody has. The script then ends on SIGHUP, SIGINT and SIGTERM, with what
# hugepages_run has started. Fails, saying why, if this is not root or the memory is not there.
hugepages_reserve() {
	trap 'hugepages_stop 129' HUP
	trap 'hugepages_stop 130' INT
	trap 'hugepages_stop 143' TERM
	if [ "$(id -u)" -ne 0 ] || ! [ -w "$hugepages_nr" ]; then
		echo "hugepages: cannot write $hugepages_nr; expected to run as root" >&2
		return 1
	fi
	hugepages_locked hugepages_take "$1"
}

# Gives back what hugepages_reserve took; harmless if it took nothing or was never called. For the
# caller's trap on EXIT.
hugepages_restore() {
	[ ! -e "$hugepages_state" ] || hugepages_locked hugepages_sweep "$$"
}

# hugepages_run COMMAND...: runs it so that a signal to the script ends both, at once.
hugepages_run() {
	"$@" < /dev/null &
	hugepages_job=$!
	hugepages_status=0
	wait "$hugepages_job" || hugepages_status=$?
	hugepages_job=
	return "$hugepages_status"
}

hugepages_stop() {
	trap '' HUP INT TERM
	if [ -n "$hugepages_job" ]; then
		kill -TERM "$hugepages_job" 2> /dev/null || :
		wait "$hugepages_job" || :
	fi
	exit "$1"
}

# hugepages_locked COMMAND...: while all others wait.
hugepages_locked() {
	exec 7>> "$hugepages_state.lock"
	flock 7
	hugepages_status=0
	"$@" || hugepages_status=$?
	exec 7>&-
	return "$hugepages_status"
}

# hugepages_began PID: when, as its number may be another one's by now.
hugepages_began() {
	sed 's/.*) //' "/proc/$1/stat" 2> /dev/null | cut -d ' ' -f 20
}

# hugepages_sweep PID: gives back what this process took, and all that have ended.
hugepages_sweep() {
	hugepages_back=0
	: > "$hugepages_state.new"
	while read -r hugepages_pid hugepages_start hugepages_pages hugepages_made; do
		if [ "$hugepages_pid" != "$1" ] &&
			[ "$(hugepages_began "$hugepages_pid")" = "$hugepages_start" ]; then
			echo "$hugepages_pid $hugepages_start $hugepages_pages $hugepages_made" \
				>> "$hugepages_state.new"
		else
			hugepages_back=$((hugepages_back + hugepages_made))
		fi
	done < "$hugepages_state"
	mv "$hugepages_state.new" "$hugepages_state"
	if ! [ -s "$hugepages_state" ] && [ -e "$hugepages_state.mount" ]; then
		umount "$(cat "$hugepages_state.mount")" || :
		rm "$hugepages_state.mount"
	fi
	[ "$hugepages_back" -eq 0 ] || hugepages_set "-$hugepages_back"
}

# hugepages_set DIFFERENCE: that many more or less, not fewer than none.
hugepages_set() {
	hugepages_total=$(($(cat "$hugepages_nr") + $1))
	echo "$((hugepages_total > 0 ? hugepages_total : 0))" > "$hugepages_nr"
}

# hugepages_take MEGABYTES
hugepages_take() {
	touch "$hugepages_state"
	hugepages_sweep "$$"
	hugepages_kb=$(awk '/^Hugepagesize:/ { print $2 }' "$hugepages_info")
	[ -n "$hugepages_kb" ] || {
		echo "hugepages: this kernel has none" >&2
		return 1
	}
	hugepages_want=$((($1 * 1024 + hugepages_kb - 1) / hugepages_kb))
	# What others use does not count; nor does what they may have reserved and not used yet.
	hugepages_others=$(awk '{ n += $3 } END { print n + 0 }' "$hugepages_state")
	hugepages_free=$(awk '/^HugePages_Free:/ { print $2 }' "$hugepages_info")
	hugepages_spare=$((hugepages_free - hugepages_others))
	[ "$hugepages_spare" -gt 0 ] || hugepages_spare=0
	hugepages_made=$((hugepages_want - hugepages_spare))
	[ "$hugepages_made" -gt 0 ] || hugepages_made=0
	# Before it is done, so that whatever happens then it is given back.
	echo "$$ $(hugepages_began "$$") $hugepages_want $hugepages_made" >> "$hugepages_state"
	if [ "$hugepages_made" -gt 0 ]; then
		hugepages_set "$hugepages_made"
		hugepages_found=$(cat "$hugepages_nr")
		[ "$hugepages_found" -ge "$hugepages_total" ] || {
			echo "hugepages: wanted $hugepages_total pages of $hugepages_kb kB," \
				"the kernel found $hugepages_found" >&2
			hugepages_made=$((hugepages_made - hugepages_total + hugepages_found))
			hugepages_change "$((hugepages_made > 0 ? hugepages_made : 0))"
			hugepages_sweep "$$"
			return 1
		}
	fi
	if ! grep -q ' hugetlbfs ' "$hugepages_mounts"; then
		mkdir -p /dev/hugepages
		echo /dev/hugepages > "$hugepages_state.mount"
		mount -t hugetlbfs none /dev/hugepages || {
			rm "$hugepages_state.mount"
			hugepages_sweep "$$"
			return 1
		}
	fi
}

# hugepages_change PAGES: so many were made for this process after all.
hugepages_change() {
	sed -i "s/^\($$ .*\) [0-9]*\$/\1 $1/" "$hugepages_state"
}
