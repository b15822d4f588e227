# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Hostile clients of the service with a victim beside them, against the normal build and the
# one with sanitizers. HOSTILE_SECONDS is how long each attack takes that could go on for
# ever, the fuzzers among them; doc/guides/security.rst says how to give them their time.

set -u
. test/lib.sh

# attacked LABEL SPIMDEVD [ARGUMENT...]
attacked() {
	label=$1
	shift
	timeout $((900 + 50 * ${HOSTILE_SECONDS%.*})) build/test/service/hostile \
		-s "$HOSTILE_SECONDS" "$@" > "$logs/hostile-$label.log" 2>&1 || status=$?
	sed "s/^\(not \)*ok /&hostile, $label: /" "$logs/hostile-$label.log"
	# What it counts is one line at the end; a run that was cut short lacks it.
	grep -q "the service ends as it should" "$logs/hostile-$label.log" ||
		echo "not ok hostile, $label: cut short (status ${status:-0})"
}

HOSTILE_SECONDS=${HOSTILE_SECONDS:-0.3}
check "gcc build is there" config/build.sh build || exit 1
attacked normal build/app/spimdevd

[ -x build/asan/app/spimdevd ] || {
	echo "not ok hostile, asan: no build/asan/app/spimdevd; the group asan makes it"
	exit 1
}
export ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:abort_on_error=1
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1:abort_on_error=1
attacked asan build/asan/app/spimdevd --sandbox off
