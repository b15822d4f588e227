# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# One function, passed from Linux's driver to DPDK and back: each finds a working device.
#
# usage: handover TIMES

# shellcheck source=lib.sh
. /tests/lib.sh
times=$1
zip=$(zip_address)
modprobe hisi_zip
modprobe vfio_iommu_type1
modprobe vfio-pci

n=0
while [ "$n" -lt "$times" ]; do
	n=$((n + 1))
	bind "$zip" hisi_zip
	hisi_zip_wait_selftest
	bind "$zip" vfio-pci
	perf_verify "$zip"
	echo "VM: handover $n: self-test passed, DPDK verified"
done
bind "$zip" hisi_zip
hisi_zip_wait_selftest
clean_kernel_log
