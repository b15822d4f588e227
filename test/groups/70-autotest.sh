# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# DPDK's own compressdev_autotest and dmadev_autotest. For plain silicon (ext=off) the former is
# completed in software, if that is allowed; it has no queue for the latter.

set -eu
. test/lib.sh

need "gcc build is there" config/build.sh build
reports autotest test/stock/autotest.sh --times "${AUTOTEST_TIMES:-2}" \
	no-huge huge workers=1 workers=2 rev=v2 ext=off rev=v2,ext=off
reports "bare autotest" test/stock/autotest.sh --least 20 \
	ext=off,sw=off rev=v2,ext=off,sw=off

# The gate must be able to fail, and for what the driver does: the zlib driver executes 8 of 27.
check "the autotest gate rejects compress_zlib" \
	ends_with 1 "not ok no-huge 1/1 (executed 8, passed 8, unsupported 19, " \
	test/stock/autotest.sh --vdev compress_zlib no-huge

reports "dma autotest" test/stock/autotest.sh --vdev dma_hisi_udma --times "${AUTOTEST_TIMES:-2}" \
	no-huge huge workers=1 workers=2 rev=v2 service
# The driver of which they all are a test: it has no error to tell of, and fills nothing.
check "the dma autotest gate rejects dma_skeleton" \
	ends_with 1 "not ok no-huge 1/1 (copy burst_capacity status 0; " \
	test/stock/autotest.sh --vdev dma_skeleton no-huge
