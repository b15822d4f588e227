# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Hostile clients of the service with a victim beside them, against the normal build and the
# one with sanitizers. HOSTILE_SECONDS is how long each attack takes that could go on for
# ever, the fuzzers among them; doc/guides/security.rst says how to give them their time.

set -eu
. test/lib.sh

HOSTILE_SECONDS=${HOSTILE_SECONDS:-0.3}

# attacked LABEL SPIMDEVD [ARGUMENT...]
attacked() {
	label=$1
	shift
	within $((900 + 50 * ${HOSTILE_SECONDS%.*})) reports "hostile, $label" \
		build/test/service/hostile -s "$HOSTILE_SECONDS" "$@"
	reports "hostile at once, $label" build/test/service/hostile -a -b 4 -s 8 "$@"
}

need "gcc build is there" config/build.sh build
attacked normal build/app/spimdevd

need "the build of the group asan is there" test -x build/asan/app/spimdevd
export ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:abort_on_error=1
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1:abort_on_error=1
attacked asan build/asan/app/spimdevd --sandbox off
