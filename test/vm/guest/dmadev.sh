# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# DPDK's dmadev_autotest on the function, bound to vfio-pci, on hugepages: all its tests that are
# for such a device run and pass. Without UDMA queues the function has no device.
#
# usage: dmadev RELEASE yes|no
#   RELEASE  of DPDK
#   yes, no  whether the function has UDMA queues

# shellcheck source=lib.sh
. /tests/lib.sh
# shellcheck source=../../stock/dmadev_cases.sh
. /tests/dmadev_cases.sh
release=$1
udma=$2
zip=$(zip_address)
use_vfio "$zip"

if [ "$udma" = yes ]; then
	run dpdk-test --no-telemetry -m 256 -a "$zip,class=dma" dmadev_autotest
	found=$(dma_found "$zip" "$out")
	echo "VM: dmadev_autotest: $found"
	[ "$found" = "$(dma_wanted "$release") " ] || {
		tr '\r' '\n' < "$out" | tail -n 40
		fail "expected $(dma_wanted "$release")"
	}
else
	dpdk-test --no-telemetry -m 256 -a "$zip,class=dma" dmadev_autotest > "$out" 2>&1 || :
	sed -n 's/^HISI[_A-Z]*: /VM: /p' "$out"
	grep -q 'the function has no UDMA: features' "$out" || fail "the device is not refused"
	! grep -qF "[$zip]" "$out" || fail "there is a device"
fi
clean_kernel_log
