# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# The silicon's own architecture, under qemu-user: unit tests, also with ASAN, and the stock
# programs. It runs on this machine's memory order: what shows the order is the group litmus.
# beforehand: config/arm64.sh build/arm64

set -eu
. test/lib.sh

within 1800 need "gcc builds for arm64 without a warning" config/arm64.sh build/arm64
# Shares no factor with the number of levels or Huffman kinds: all of them still come by.
export ZIP_TEST_FEWER=7
# Native: a test that starts another program of the build, which an emulator would have to be told.
unit_tests arm64 build/arm64 "" --timeout-multiplier 5 \
	--no-suite slow --no-suite native --no-suite speed

within 1800 need "gcc builds for arm64 with ASAN" config/arm64.sh build/arm64-asan \
	-Ddpdk_source=build/arm64/config/dpdk-sdk -Db_sanitize=address -Db_lundef=false
# Leaks cannot be looked for under qemu-user: it has no ptrace.
export ASAN_OPTIONS=detect_leaks=0
export ZIP_TEST_FEWER=49
unit_tests arm64-asan build/arm64-asan "" --timeout-multiplier 10 \
	--no-suite slow --no-suite native --no-suite speed

export SPIMDEV_BUILD=build/arm64
PATH=$PWD/build/arm64-sysroot/wrap:$PATH
# shellcheck disable=SC2016 # for the shell inside
check "the stock programs are those for arm64" \
	sh -c 'file=build/arm64-sysroot/usr/bin/dpdk-test
		test "$(head -c 20 $file | tail -c 2 | od -An -tx1)" = " b7 00"'
reports "arm64 autotest" test/stock/autotest.sh no-huge workers=1
reports "arm64 perf" /usr/bin/python3 test/stock/perf_matrix.py --few
