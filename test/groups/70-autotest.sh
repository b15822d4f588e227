# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# DPDK's own compressdev_autotest. Plain silicon (ext=off) answers it by completing in software.

set -u
. test/lib.sh

check "gcc build is there" config/build.sh build || exit 1
test/stock/autotest.sh --times "${AUTOTEST_TIMES:-2}" \
	no-huge huge workers=1 workers=2 rev=v2 ext=off

# The gate must be able to fail: the zlib driver executes 8 of 27.
check "the autotest gate rejects compress_zlib" \
	rejects test/stock/autotest.sh --vdev compress_zlib no-huge
