# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors

set -eu
. test/lib.sh

need "clang builds without a warning" env CC=clang config/build.sh build/clang \
	${sdk:+"$sdk"}
# The others run with clang in the groups asan and tsan.
unit_tests clang build/clang "" --no-suite slow --no-suite native --no-suite speed \
	--timeout-multiplier 3
