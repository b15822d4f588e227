# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# DPDK's own dpdk-test-compress-perf over a matrix of settings, and the main job on a small input.

set -eu
. test/lib.sh

need "gcc build is there" config/build.sh build
within 1800 reports matrix test/stock/perf.sh
reports beside test/perf/beside.sh

# Without hugepages it says so and goes on.
perf_quick() {
	app/perf.sh --quick /usr/share/common-licenses/GPL-3 > build/test-logs/perf-quick 2>&1 || {
		cat build/test-logs/perf-quick
		return 1
	}
	cat build/test-logs/perf-quick
	! grep -q "without hugepages" build/test-logs/perf-quick &&
		tail -n 1 build/test-logs/perf-quick |
			grep -qx 'perf: no conclusion: GPL-3: less than 1024 KiB'
}
check "app/perf.sh --quick ends with its closing line" perf_quick
check "app/perf.sh rejects a wrong number before it builds" \
	ends_with 2 "--runs 'x', expected a number from 1" app/perf.sh --runs x
check "app/perf.sh rejects a missing file" \
	ends_with 2 "build/no-such-file: expected a readable file that is not empty" \
	app/perf.sh --quick build/no-such-file

silicon() {
	app/silicon.sh --quick local,ext=off > build/test-logs/silicon-quick || return 1
	cat build/test-logs/silicon-quick
	[ "$(tail -n 1 build/test-logs/silicon-quick)" = "silicon: done" ] &&
		grep -q '^path comp_raw: on, ' build/test-logs/silicon-quick &&
		grep -q 'gzip: produced counts 8 bytes' build/test-logs/silicon-quick &&
		! grep -q "$(hostname)" build/test-logs/silicon-quick &&
		silicon_pci
}

# The same lines with the name that a function on PCI has, and lines of others.
silicon_pci() {
	recorded=build/test-logs/silicon-recorded
	{
		echo "EAL: Multi-process socket /nowhere/dpdk/mp_socket"
		sed 's/^/HISI_ZIP: 0000:75:00.1: /' <<-'END'
			dev=0000:75:00.1 revision 0x30, 64 queues, features 0x0
			known answers of type 0 took 812 us
			path comp_raw: on, trailer 0, lengths count 0 of it, checksum in dw31 none
			path comp_gzip: on, trailer 8, lengths count 8 of it, checksum in dw31 plain
			path stream_comp: off, no answer in time, trailer 0, lengths count 0 of it
			/dev/vfio/7 could not be opened (-13)
		END
	} > "$recorded"
	(
		. app/silicon_log.sh
		[ "$(known_answers "$recorded" | wc -l)" -eq 5 ] &&
			[ "$(known_answers "$recorded" | head -n 1)" = \
				"dev=FUNCTION revision 0x30, 64 queues, features 0x0" ] &&
			[ "$(answer "$recorded" comp_gzip 1)" = 8 ] &&
			[ "$(answer "$recorded" comp_gzip 2)" = plain ] &&
			[ -z "$(answer "$recorded" stream_comp 1)" ] &&
			[ "$(path_state "$recorded" stream_comp)" = "off, no answer in time" ] &&
			[ "$(other_lines "$recorded" | tail -n 1)" = \
				"HISI_ZIP: FUNCTION: PATH could not be opened (-13)" ] &&
			! other_lines "$recorded" | grep -q -e 75:00 -e /
	)
}
check "app/silicon.sh says what known answers have shown" silicon
check "app/silicon.sh rejects an unknown option" \
	ends_with 2 "unknown option -x; see app/silicon.sh --help" app/silicon.sh -x
