# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# DPDK's own dpdk-test-compress-perf over a matrix of settings, and the main job on a small input.

set -eu
. test/lib.sh

need "gcc build is there" config/build.sh build
within 1800 reports matrix test/stock/perf.sh

# Without hugepages it says so and goes on.
perf_quick() {
	app/perf.sh --quick /usr/share/common-licenses/GPL-3 > build/test-logs/perf-quick 2>&1 || {
		cat build/test-logs/perf-quick
		return 1
	}
	cat build/test-logs/perf-quick
	! grep -q "without hugepages" build/test-logs/perf-quick &&
		tail -n 1 build/test-logs/perf-quick |
			grep -q '^perf: compression: lead in .*decompression: '
}
check "app/perf.sh --quick ends with its closing line" perf_quick
check "app/perf.sh rejects a missing file" \
	ends_with 2 "build/no-such-file: expected a readable file that is not empty" \
	app/perf.sh --quick build/no-such-file

silicon() {
	app/silicon.sh --quick local,ext=off > build/test-logs/silicon-quick || return 1
	cat build/test-logs/silicon-quick
	[ "$(tail -n 1 build/test-logs/silicon-quick)" = "silicon: done" ] &&
		grep -q '^path comp_raw: on, ' build/test-logs/silicon-quick &&
		grep -q 'gzip: produced counts 8 bytes' build/test-logs/silicon-quick &&
		! grep -q "$(hostname)" build/test-logs/silicon-quick
}
check "app/silicon.sh says what known answers have shown" silicon
check "app/silicon.sh rejects an unknown option" \
	ends_with 2 "unknown option -x; expected a PCI address or local" app/silicon.sh -x
