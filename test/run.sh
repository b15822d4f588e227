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

set -eu

cd "$(dirname "$0")/.."

[ "$(id -u)" -eq 0 ] || {
	echo "test/run.sh: must run as root: it installs packages and reserves hugepages" >&2
	exit 1
}

config/setup.sh --tests

groups=
left=
for f in test/groups/*.sh; do
	name=$(basename "$f" .sh | sed 's/^[0-9]*-//')
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
[ -n "$groups" ] || {
	echo "test/run.sh: no such group: $*; there are:" test/groups/*.sh >&2
	exit 1
}

mkdir -p build/test-logs
# Chroots and the like are minutes of waiting for the network and for dpkg, on one CPU. The group
# runs the same command itself, so that it waits for the end of it here, or sees why it fails.
# shellcheck disable=SC2086 # a list of words on purpose
sed -n 's/^# beforehand: //p' $groups > build/test-logs/beforehand.sh
nice -n 19 setsid sh -x build/test-logs/beforehand.sh > build/test-logs/beforehand.log 2>&1 \
	< /dev/null &
beforehand=$!
# Its process group: what it has started ends too.
trap 'kill -- "-$beforehand" 2> /dev/null || :' EXIT
trap 'exit 130' INT TERM
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
	status=0
	sh "$f" > "$log" 2>&1 < /dev/null || status=$?
	p=$(grep -c '^ok ' "$log" || :)
	q=$(grep -c '^not ok ' "$log" || :)
	# A group that broke down before it could name a failure has failed too.
	if [ "$q" -eq 0 ] && { [ "$status" -ne 0 ] || [ "$p" -eq 0 ]; }; then
		q=1
		echo "not ok $name: ended with status $status after $p tests" >> "$log"
		tail -n 20 "$log" | sed 's/^/  | /'
	fi
	grep -A 45 '^not ok ' "$log" | grep -v '^ok ' | sed 's/^/  /' || :
	echo "    $p passed, $q failed ($(($(date +%s) - start)) s)"
	passed=$((passed + p))
	failed=$((failed + q))
done

[ -z "$left" ] || echo "$left" | sed 1d
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
