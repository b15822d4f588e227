# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors

set -eu
. test/lib.sh

export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1

need "clang builds with TSAN" env CC=clang config/build.sh build/tsan \
	${sdk:+"$sdk"} -Db_sanitize=thread -Db_lundef=false
check "thread sanitizer is in it" has_symbol __tsan_init build/tsan/app/spimdevd
unit_tests tsan build/tsan "" --timeout-multiplier 5 --no-suite single
