# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# The guest itself, without any device of ours: modules load, DPDK's programs run on hugepages.

# shellcheck source=lib.sh
. /tests/lib.sh

for m in vfio_iommu_type1 vfio-pci brd zsmalloc hisi_zip; do
	modprobe "$m" || fail "modprobe $m failed"
done
for m in hisi_qm hisi_zip vfio_pci; do
	grep "^$m " /proc/modules || fail "module $m is not there"
done
[ -n "$(ls /sys/kernel/iommu_groups)" ] || fail "no IOMMU group; is there a virtual IOMMU?"

run dpdk-test --no-pci --no-telemetry --vdev compress_zlib -m 256 compressdev_autotest
counts
[ "$(summary Failed)" = 0 ] && [ "$(summary Passed)" -gt 0 ] ||
	fail "compressdev_autotest on compress_zlib: $(counts)"
clean_kernel_log
