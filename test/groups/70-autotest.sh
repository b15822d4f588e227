# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# DPDK's own compressdev_autotest and dmadev_autotest. For plain silicon (ext=off) the former is
# completed in software, if that is allowed; it has no queue for the latter.

set -eu
. test/lib.sh

need "gcc build is there" config/build.sh build
times=${AUTOTEST_TIMES:-2}
zip=test/stock/autotest.sh
dma="test/stock/autotest.sh --vdev dma_hisi_udma"
# Most of their time is sleep.
beside reports autotest $zip --times "$times" no-huge workers=1 workers=2 rev=v2 ext=off \
	rev=v2,ext=off
beside reports "bare autotest" $zip --least 20 ext=off,sw=off rev=v2,ext=off,sw=off
# The gate must be able to fail, and for what the driver does: the zlib driver executes 8 of 27.
beside check "the autotest gate rejects compress_zlib" \
	ends_with 1 "not ok no-huge 1/1 (executed 8, passed 8, unsupported 19, " \
	$zip --vdev compress_zlib no-huge
# shellcheck disable=SC2086 # a list of words on purpose
beside reports "dma autotest" $dma --times "$times" no-huge workers=1 workers=2 rev=v2 service
# The driver of which they all are a test: it has no error to tell of, and fills nothing.
beside check "the dma autotest gate rejects dma_skeleton" \
	ends_with 1 "not ok no-huge 1/1 (copy burst_capacity status 0; " \
	$zip --vdev dma_skeleton no-huge
together

# Hugepages are taken, counted and given back by one at a time.
reports "autotest with hugepages" $zip --times "$times" huge
# shellcheck disable=SC2086 # a list of words on purpose
reports "dma autotest with hugepages" $dma --times "$times" huge
