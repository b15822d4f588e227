# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# DPDK's own dpdk-test-compress-perf over a matrix of settings, and the main job on a small input.

set -u
. test/lib.sh

check "gcc build is there" config/build.sh build || exit 1
test/stock/perf.sh

perf_quick() {
	app/perf.sh --quick /usr/share/common-licenses/GPL-3 | tee build/test-logs/perf-quick
	tail -n 1 build/test-logs/perf-quick | grep '^perf: compression: lead in .*decompression: '
}
check "app/perf.sh --quick ends with its closing line" perf_quick
check "app/perf.sh rejects a missing file" rejects app/perf.sh --quick build/no-such-file
