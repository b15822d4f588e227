# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# DPDK's dpdk-test-compress-perf on the function, bound to vfio-pci: verify and throughput on a
# text and on a program. Throughput says how the kernel, the IOMMU and the service were used.
#
# usage: perf [DEVARGS]

# shellcheck source=lib.sh
. /tests/lib.sh
zip=$(zip_address)
use_vfio "$zip"

for file in "$text" "$binary"; do
	for test in verify throughput; do
		run perf "$zip${1:+,$1}" --ptest "$test" --num-iter 4 --input-file "$file" \
			--extended-input-sz 262144
		echo "VM: perf $test $file:"
		perf_clean
		grep -E '^ *(lcore id|[0-9]+ +[0-9]+ )' "$out" | sed 's/^/VM: /'
	done
done
clean_kernel_log
