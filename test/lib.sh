# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# What the groups share, and other scripts of several tests. Sourced by each with the top of the
# tree as current folder. Whoever has several tests, in whatever language, says on standard output
# which ones, before the first of them runs, and then what came out, a line for each:
#   plan NAME
#   ok NAME [(FIGURES)]
#   not ok NAME [(WHY)]
# A program ends with 1 if one has failed, else with 0; a group, which run.sh counts by its lines,
# with 0 all the same. What is left out on purpose:
#   not run: NAME: WHY
# A script that sources this has its plan said by it: the script is run once more beforehand, with
# TEST_PLAN set, and what is below then names a test instead of running it. Whatever else a script
# does beside its tests it must not do while it is planning.

. test/limited.sh

# shellcheck disable=SC2034 # used by those who source this
{
	top=$(pwd)
	build=$top/build
	logs=$build/test-logs
	so=$build/drivers/librte_compress_hisi_zip.so
	dma_so=$build/drivers/librte_dma_hisi_udma.so
	common=$build/drivers/librte_common_hisi.so
	jobs=$(getconf _NPROCESSORS_ONLN)
	# Further builds take DPDK's driver headers from the first one, if it is there.
	sdk=
	[ ! -f "$build/config/dpdk-sdk/stamp" ] || sdk=-Ddpdk_source=build/config/dpdk-sdk
	# Whether any test has failed: what a script of tests ends with.
	failed=0
}
mkdir -p "$logs"
# For config/build.sh: each build has the test programs.
export BUILD_OPTIONS=-Dtests=true

# planning: succeeds while the script only says its plan.
planning() {
	[ -n "${TEST_PLAN:-}" ]
}

# tell NAME WHY [FIGURES]: reports a test, which has failed if there is a reason.
tell() {
	if [ -z "$2" ]; then
		echo "ok $1${3:+ ($3)}"
	else
		echo "not ok $1 ($2)"
		# shellcheck disable=SC2034 # likewise
		failed=1
	fi
}

log_of() {
	echo "$logs/$(echo "$1" | tr -c 'A-Za-z0-9._\n' '-').log"
}

# check NAME COMMAND...: one test, which fails as the command does, or if it takes too long
# (limited.sh). Its output goes to a log, and is shown if it fails. A last line "figures: FIGURES"
# is always shown.
check() {
	check_name=$1
	shift
	if planning; then
		echo "plan $check_name"
		return
	fi
	check_log=$(log_of "$check_name")
	check_status=0
	limited "$@" > "$check_log" 2>&1 || check_status=$?
	if [ "$check_status" -eq 0 ]; then
		tell "$check_name" "" "$(sed -n '$s/^figures: //p' "$check_log")"
	else
		tell "$check_name" "$(how_ended "$check_status")"
		echo "  \$ $*"
		tail -n 40 "$check_log" | sed 's/^/  | /'
		echo "  (all of it: $check_log)"
	fi
}

# need NAME COMMAND...: a test without which those behind it are not worth running.
need() {
	check "$@"
	planning || [ "$check_status" -eq 0 ] || exit 1
}

# ends_with STATUS TEXT COMMAND...: for check; succeeds if that is what the command ends with, and
# it has printed this. So a program must have got as far as its last line; and what is to be
# refused is refused for this reason, not for another.
ends_with() {
	ends_want=$1
	ends_text=$2
	shift 2
	ends_status=0
	ends_said=$("$@" 2>&1) || ends_status=$?
	printf '%s\n' "$ends_said"
	if [ "$ends_status" -ne "$ends_want" ]; then
		echo "status $ends_status; expected $ends_want"
		return 1
	fi
	case $ends_said in
	*"$ends_text"*) ;;
	*)
		echo "did not print '$ends_text'"
		return 1
		;;
	esac
}

# has_symbol NAME FILE: for check; what was compiled has something of that name.
has_symbol() {
	nm "$2" | grep " $1\$"
}

# bad_access COMPILER [COMMAND...]: for ends_with; a program that reads behind its memory, compiled
# by that, run by the command.
bad_access() {
	printf '%s\n' '#include <stdlib.h>' 'int main(int argc, char **argv) {' \
		'int *p = malloc(4), v = p[argc];' '(void)argv;' 'free(p);' \
		'return v == 12345;' '}' > "$logs/bad_access.c"
	rm -f "$logs/bad_access"
	# shellcheck disable=SC2086 # a list of words on purpose
	$1 -o "$logs/bad_access" "$logs/bad_access.c" || return
	shift
	"$@" "$logs/bad_access"
}

# reports LABEL COMMAND...: runs what reports tests itself, and puts the label in front of their
# names. It is a test too: that it ended in time, and as its tests say, and that all that it had
# planned has reported.
reports() {
	report_label=$1
	shift
	if planning; then
		echo "plan $report_label"
		return
	fi
	report_log=$(log_of "all of $report_label")
	report_status=0
	limited "$@" > "$report_log" 2>&1 || report_status=$?
	awk -f test/plan.awk "$report_log" > "$report_log.plan"
	cat "$report_log.plan" >> "$report_log"
	report_bad=$(grep -c '^not ok ' "$report_log") || :
	report_count=$(grep -c '^plan ' "$report_log") || :
	# As awk knows no option to take a backslash as it is.
	LABEL=$report_label awk '/^(plan|ok|not ok|not run:) / {
		match($0, /^(plan|ok|not ok|not run:) /)
		print substr($0, 1, RLENGTH) ENVIRON["LABEL"] ": " substr($0, RLENGTH + 1)
		next
	}
	{ print }' "$report_log"
	report_why=
	if [ "$report_status" -gt "$((report_bad > 0))" ]; then
		report_why=$(how_ended "$report_status")
	elif [ "$report_count" -eq 0 ]; then
		report_why="planned no test"
	elif [ "$report_bad" -ne 0 ]; then
		report_why="$report_bad failures"
		[ "$report_status" -ne 0 ] || report_why="$report_why, but ended with status 0"
	fi
	tell "$report_label" "$report_why" "$report_count tests"
	# Its tests say more, if they have failed.
	[ -z "$report_why" ] || [ "$report_bad" -ne 0 ] ||
		tail -n 20 "$report_log" | sed 's/^/  | /'
}

# beside COMMAND...: runs what reports tests beside other such, $places at a time. What one says is
# printed when it has ended. together waits for all.
places=$jobs
beside() {
	if planning; then
		"$@"
		return
	fi
	if [ -z "${beside_all:-}" ]; then
		# A pipe that has a line for each that may run.
		beside_all=$logs/beside.$$
		beside_count=0
		mkdir "$beside_all"
		mkfifo "$beside_all/free"
		exec 9<> "$beside_all/free"
		seq "$places" >&9
	fi
	read -r beside_place <&9
	beside_count=$((beside_count + 1))
	{
		trap beside_end EXIT
		"$@" > "$beside_all/$beside_count" 2>&1 9>&-
	} &
}
# What one that beside has started ends with, however it ends.
beside_end() {
	echo "$beside_place" >&9
	flock "$beside_all" cat "$beside_all/$beside_count"
}
together() {
	! planning || return 0
	wait
	# shellcheck disable=SC2034 # as tell does
	! cat "$beside_all"/[0-9]* | grep -q '^not ok ' || failed=1
	exec 9>&-
	rm -r "$beside_all"
	beside_all=
}

# unit_tests LABEL DIR NAMES [MESON-TEST-ARGUMENT...]: runs a build folder's tests, as reports does;
# those with these names, or all if there are none.
unit_tests() {
	# Each test has its own limit, too, which meson knows.
	within 1800 reports "$1" meson_tests "$@"
}

# meson_tests: what unit_tests runs.
meson_tests() {
	unit_dir=$2
	unit_names=$3
	unit_log=$(log_of "unit-$1")
	shift 3
	unit_all=$(meson_list) || return
	if [ -z "$unit_names" ]; then
		unit_names=$(meson_list "$@") || return
	fi
	# shellcheck disable=SC2086 # a list of words on purpose
	printf 'plan %s\n' $unit_names
	for unit_name in $unit_names; do
		case " $(echo "$unit_all" | tr '\n\t' '  ') " in
		*" $unit_name "*) ;;
		*) echo "no test $unit_name in $unit_dir; there are: $unit_all" | tr '\n' ' ' ;;
		esac
	done
	unit_left=
	for unit_name in $unit_all; do
		case " $(echo "$unit_names" | tr '\n\t' '  ') " in
		*" $unit_name "*) ;;
		*) unit_left="$unit_left $unit_name" ;;
		esac
	done
	[ -z "$unit_left" ] || echo "not run: left out by the group:$unit_left"
	rm -f "$unit_dir"/meson-logs/testlog*.json
	unit_status=0
	# It ends before the group's limit does, so that what has run by then is reported.
	unit_limit=$(echo "$limit" | awk '{ print $1 * 0.9 }')
	# shellcheck disable=SC2086 # likewise
	CMOCKA_MESSAGE_OUTPUT=STDOUT env --default-signal=INT,QUIT \
		timeout --foreground "$unit_limit" meson test -C "$unit_dir" \
		--no-rebuild --num-processes "$jobs" "$@" $unit_names > "$unit_log" 2>&1 ||
		unit_status=$?
	unit_json=$(find "$unit_dir/meson-logs" -name 'testlog*.json')
	# shellcheck disable=SC2086 # there may be none
	unit_results=$(jq -r -f test/unit_results.jq $unit_json < /dev/null) || return
	echo "$unit_results"
	[ "$unit_status" -eq 0 ] || tail -n 20 "$unit_log" | sed 's/^/  | /'
	# What meson has not seen is seen in the results.
	[ "$unit_status" -eq 0 ] && ! echo "$unit_results" | grep -q '^not ok '
}

meson_list() {
	meson test -C "$unit_dir" --no-rebuild --list "$@" > "$unit_log" 2>&1 || {
		sed 's/^/  | /' "$unit_log" >&2
		return 2
	}
	sed 's|.* / ||' "$unit_log"
}

# The script's own place, if it has changed the folder before it sourced this.
self=$0
[ -e "$self" ] || self=$OLDPWD/$0
planning || TEST_PLAN=1 sh "$self" "$@" < /dev/null || {
	echo "not ok $(basename "$0") (cannot say its plan)"
	exit 1
}
