# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors

set -u
. test/lib.sh

check "clang builds without a warning" env CC=clang config/build.sh build/clang \
	${sdk:+"$sdk"} || exit 1
unit_tests clang build/clang
