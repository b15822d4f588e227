#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Builds the drivers for the DPDK of another Debian release, runs that DPDK's own programs with
# them: compressdev_autotest and dmadev_autotest, dpdk-test-compress-perf with every algorithm that
# it knows, and dpdk-test-dma-perf; and has its checkpatches.sh look at drivers/. All of it happens
# in a chroot in build/chroot, which is made at the first run; the build is in build/SUITE.
#
# usage: test/versions.sh SUITE
#   SUITE  trixie (DPDK 24.11), sid (25.11), or any other that Debian's mirrors have
# If build/dpdk-source/SUITE is there, it is taken for a DPDK source tree of that release series,
# which the driver's headers come from; else they come from the suite's source package.

set -eu

# shellcheck source=../config/usage.sh
. "$(dirname "$0")/../config/usage.sh"
usage_take 1 1 "" "$@"

cd "$(dirname "$0")/.."
. test/lib.sh
suite=$1

# in_suite COMMAND...: runs it in the chroot of the suite, on the build for it.
in_suite() {
	config/chroot.sh --run "$suite" env "SPIMDEV_BUILD=build/$suite" "$@"
}

# The test of what only newer releases have, besides the driver.
targets="rte_compress_hisi_zip:shared_library rte_dma_hisi_udma:shared_library spimdevd
	test_pmd_newer"

built() {
	source=
	[ ! -e "build/dpdk-source/$suite" ] || source=-Ddpdk_source=build/dpdk-source/$suite
	# The second makes it known to the chroot which packages the build needs.
	config/chroot.sh "$suite" && in_suite config/setup.sh --build &&
		in_suite env BUILD_TARGETS="$targets" BUILD_OPTIONS="$BUILD_OPTIONS" \
			config/build.sh "build/$suite" ${source:+"$source"}
}

algos() {
	version=$(in_suite pkg-config --modversion libdpdk) || return 2
	echo "DPDK $version"
	in_suite /usr/bin/python3 test/stock/algos.py "$version"
}

within 3600 need "the build" built
reports autotest in_suite test/stock/autotest.sh no-huge workers=1 ext=off
reports "dma autotest" in_suite test/stock/autotest.sh --vdev dma_hisi_udma \
	no-huge workers=1 service
reports "dma perf" in_suite test/stock/dma_perf.sh
reports perf algos
check "checkpatch" test/checkpatch.sh . "build/$suite/config/dpdk-sdk"
reports pmd_newer in_suite test/pmd/newer.sh "build/$suite"
exit "$failed"
