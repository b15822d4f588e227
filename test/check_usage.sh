#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Runs each script of a tree with --help, which must say how it is used, and with an option that
# does not exist, which must be refused by its name; neither may do anything else. So they run in a
# copy of the scripts, which must be as it was.
#
# usage: check_usage.sh TOP

set -eu

# shellcheck source=../config/usage.sh
. "$(dirname "$0")/../config/usage.sh"
usage_take 1 1 "" "$@"

cd "$1"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/tree"
find . \( -name .git -o -name 'build*' -o -name __pycache__ \) -prune -o -type f \
	\( -name '*.sh' -o -name '*.py' \) -print > "$work/all"
[ ! -e .ci/run ] || echo .ci/run >> "$work/all"
tar -c -T "$work/all" | tar -x -C "$work/tree"
cd "$work/tree"
export PYTHONDONTWRITEBYTECODE=1

state() {
	find . -printf '%p %s %T@\n'
}
find . -name '*.sh' -exec chmod +x {} +
state > "$work/before"
bad=0
complain() {
	echo "$*"
	bad=1
}

# said SCRIPT ARGUMENT STATUS TEXT
said() {
	status=0
	timeout -k 1 20 "$1" "$2" > "$work/said" 2>&1 < /dev/null || status=$?
	[ "$status" -eq "$3" ] || complain "$1 $2: ends with $status; expected $3"
	grep -q -e "$4" "$work/said" || complain "$1 $2: does not say '$4'"
}

# What is run by its name. One stands in for programs, with their arguments.
while read -r script; do
	case $script in
	./test/selftest/stand_in.sh) continue ;;
	./config/*.sh | ./app/*.sh | ./test/*.sh | .ci/run) ;;
	*) continue ;;
	esac
	head -n 1 "$script" | grep -q '^#!' || continue
	said "$script" --help 0 '^usage: '
	said "$script" --no-such-option 2 '--no-such-option'
	state > "$work/after"
	cmp -s "$work/before" "$work/after" ||
		complain "$script: does something before it refuses"
	mv "$work/after" "$work/before"
done < "$work/all"
exit "$bad"
