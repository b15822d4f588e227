# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# What the groups of tests share. Sourced by each with the top of the tree as current folder.
# A group says what it found on standard output, one line per test, which test/run.sh counts:
#   ok NAME
#   not ok NAME

# shellcheck disable=SC2034 # used by those who source this
{
	top=$(pwd)
	build=$top/build
	logs=$build/test-logs
	so=$build/drivers/librte_compress_hisi_zip.so
	jobs=$(getconf _NPROCESSORS_ONLN)
	# Further builds take DPDK's driver headers from the first one, if it is there.
	sdk=
	[ ! -f "$build/config/dpdk-sdk/stamp" ] || sdk=-Ddpdk_source=build/config/dpdk-sdk
}
mkdir -p "$logs"

# check NAME COMMAND...: one test. Its output goes to a log, and is shown if it fails.
check() {
	check_name=$1
	shift
	check_log=$logs/$(echo "$check_name" | tr -c 'A-Za-z0-9._\n' '-').log
	if "$@" > "$check_log" 2>&1 < /dev/null; then
		echo "ok $check_name"
	else
		echo "not ok $check_name"
		echo "  \$ $*"
		tail -n 40 "$check_log" | sed 's/^/  | /'
		echo "  (all of it: $check_log)"
		return 1
	fi
}

# rejects COMMAND...: succeeds if the command fails.
rejects() {
	! "$@"
}

# unit_tests LABEL DIR [MESON-TEST-ARGUMENT...]: runs a build folder's tests, each one counting.
# A test that skips itself has failed.
unit_tests() {
	unit_label=$1
	unit_dir=$2
	shift 2
	rm -f "$unit_dir"/meson-logs/testlog*.json
	meson test -C "$unit_dir" --print-errorlogs --num-processes "$jobs" "$@" \
		> "$logs/unit-$unit_label.log" 2>&1 < /dev/null || :
	unit_json=$(find "$unit_dir/meson-logs" -name 'testlog*.json')
	if ! [ -s "$unit_json" ]; then
		echo "not ok $unit_label: no unit test ran"
		tail -n 40 "$logs/unit-$unit_label.log" | sed 's/^/  | /'
		return 1
	fi
	jq -r --arg where "$unit_label" '
		if .result == "OK" or .result == "EXPECTEDFAIL" then "ok \($where): \(.name)"
		else "not ok \($where): \(.name) (\(.result))\n" +
			"\((.stdout // "") + (.stderr // "") | split("\n") | .[-40:] |
			map("  | " + .) | join("\n"))"
		end' "$unit_json" || {
		echo "not ok $unit_label: cannot read $unit_json"
		return 1
	}
	# A run that was cut short has results too.
	unit_want=$(meson test -C "$unit_dir" --no-rebuild --list "$@" \
		2> "$logs/list-$unit_label.log" | wc -l)
	unit_have=$(wc -l < "$unit_json")
	if [ "$unit_have" -ne "$unit_want" ]; then
		echo "not ok $unit_label: $unit_have tests ended; expected $unit_want"
		return 1
	fi
}
