#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Sets up, builds, runs every test. The last line says "N passed, N failed".
#
# usage: test/run.sh [GROUP...]
# A group is a script in test/groups, named without its number and .sh; without any, all run, in
# the order of their numbers, but those with a line "# by name only: REASON". What a group names in
# lines "# beforehand: COMMAND" starts at once, beside the groups before it. Full logs are in
# build/test-logs.
#
# A group has failed with any of its tests, and also if it plans none, if one that it planned does
# not report (lib.sh), if it ends with another status than 0, which says that it broke down, takes
# longer than GROUP_LIMIT seconds, or leaves processes behind. What is not run on purpose is named
# before the last line.

set -eu

# shellcheck source=../config/usage.sh
. "$(dirname "$0")/../config/usage.sh"
usage_take 0 "$#" "" "$@"

cd "$(dirname "$0")/.."
. test/limited.sh

[ "$(id -u)" -eq 0 ] || {
	echo "test/run.sh: must run as root: it installs packages and reserves hugepages" >&2
	exit 1
}

config/setup.sh --tests

groups=
names=
left=
for f in test/groups/*.sh; do
	name=$(basename "$f" .sh | sed 's/^[0-9]*-//')
	names="$names $name"
	why=$(sed -n 's/^# by name only: //p' "$f")
	if [ $# -eq 0 ] && [ -n "$why" ]; then
		left="$left
not run: $name: $why"
		continue
	fi
	case " ${*:-$name} " in
	*" $name "*) groups="$groups $f" ;;
	esac
done
for name; do
	case "$names " in
	*" $name "*) ;;
	*)
		echo "test/run.sh: no such group: $name; there are:$names" >&2
		exit 1
		;;
	esac
done

mkdir -p build/test-logs
# Chroots and the like are minutes of waiting for the network and for dpkg, on one CPU. The group
# runs the same command itself, so that it waits for the end of it here, or sees why it fails.
# shellcheck disable=SC2086 # a list of words on purpose
sed -n 's/^# beforehand: //p' $groups > build/test-logs/beforehand.sh
nice -n 19 setsid sh -x build/test-logs/beforehand.sh > build/test-logs/beforehand.log 2>&1 \
	< /dev/null &
beforehand=$!
# What it has started ends too, and so does the group of tests.
ended() {
	kill -- "-$beforehand" 2> /dev/null || :
	# shellcheck disable=SC2046 # lists of words on purpose
	[ -z "${limited_pid:-}" ] || end_processes $(tree "$limited_pid") $(session "$limited_pid")
}
trap ended EXIT
trap 'exit 130' HUP INT TERM

# session PID: the processes of the session that it has begun. names_in PID: what they are. Those
# that end meanwhile cannot be read.
session() {
	sed -n "s/^\([0-9]*\) (.*) [^Z] [0-9]* [0-9]* $1 .*/\1/p" /proc/[0-9]*/stat \
		2> /dev/null || :
}
names_in() {
	sed -n "s/^[0-9]* (\(.*\)) [^Z] [0-9]* [0-9]* $1 .*/\1/p" /proc/[0-9]*/stat \
		2> /dev/null || :
}

# run_group NAME FILE: in a session of its own, which must be empty when the group has ended.
run_group() {
	# More than the limits inside of any group, so that it is the test which is named as late.
	limit=${GROUP_LIMIT:-10800}
	group_status=0
	limited setsid sh "$2" > "$log" 2>&1 || group_status=$?
	group_left=$(session "$limited_last")
	group_until=$(($(date +%s) + 5))
	while [ -n "$group_left" ] && [ "$(date +%s)" -lt "$group_until" ]; do
		sleep 0.1
		group_left=$(session "$limited_last")
	done
	{
		awk -f test/plan.awk "$log"
		grep -q '^plan ' "$log" || echo "not ok $1 (planned no test)"
		[ "$group_status" -eq 0 ] || echo "not ok $1 ($(how_ended "$group_status"))"
		if [ -n "$group_left" ]; then
			echo "not ok $1 (left behind: $(names_in "$limited_last" | tr '\n' ' '))"
			# shellcheck disable=SC2086 # a list of words on purpose
			end_processes $group_left
		fi
	} > "$log.plan"
	cat "$log.plan" >> "$log"
	# A group that broke down says least about it by its tests.
	! grep -q "^not ok $1 (" "$log.plan" || tail -n 20 "$log" | sed 's/^/  | /'
}

passed=0
failed=0
n=0
# shellcheck disable=SC2086 # a list of words on purpose
total=$(set -- $groups && echo $#)
for f in $groups; do
	n=$((n + 1))
	name=$(basename "$f" .sh | sed 's/^[0-9]*-//')
	log=build/test-logs/group-$name.log
	start=$(date +%s)
	echo "[$n/$total] $name"
	run_group "$name" "$f"
	p=$(grep -c '^ok ' "$log" || :)
	q=$(grep -c '^not ok ' "$log" || :)
	grep -A 45 '^not ok ' "$log" | grep -v -e '^ok ' -e '^plan ' | sed 's/^/  /' || :
	echo "    $p passed, $q failed ($(($(date +%s) - start)) s)"
	passed=$((passed + p))
	failed=$((failed + q))
	left="$left
$(sed -n "s/^not run: /&$name: /p" "$log")"
done

echo "$left" | sed '/^$/d'
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
