# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# How a run of DPDK's dmadev_autotest is judged. To be sourced, here and in guests (test/vm).

# dma_wanted RELEASE [sva]: what it has of a device that copies and fills: by release of DPDK, as
# each has more. sva_copy is of memory that EAL does not know, for a device that says sva.
dma_wanted() {
	case "$1" in
	22.*) echo "copy burst_capacity error_handling fill" ;;
	23.* | 24.*) echo "copy stop_start burst_capacity error_handling fill" ;;
	*) echo "copy ${2:+sva_copy }stop_start burst_capacity error_handling fill" ;;
	esac
}

# dma_found DEVICE LOG: of those, the ones that ran on this device and were not skipped, as the log
# has them: those of older releases in words, of newer ones twice. Lines of progress end with
# carriage returns.
dma_found() {
	tr '\r' '\n' < "$2" | sed -n "/^### Test dmadev instance .*\[$1\]/,/^### /{
		s/^DMA Dev [0-9]*: Running \(.*\) Tests.*/\1/p
		s/^ + TestCase \[ *[0-9]*\] : \(.*\) succeeded.*/\1/p
	}" | uniq | tr ' ' '_' | tr '\n' ' '
	grep -q '^Test OK' "$2" || echo "no Test OK "
}
