# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Use of what was never written, which no sanitizer above sees. Tests of the suite "slow" would
# take too long under it.

set -u
. test/lib.sh

check "gcc build is there" config/build.sh build || exit 1
unit_tests valgrind build --timeout-multiplier 20 --no-suite slow \
	--wrap "valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite"
