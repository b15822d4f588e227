# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Two runs that differ in nothing but the number of ops. Before each and after the last, a byte in
# config space that no hardware looks at (interrupt line) tells whoever traces QEMU where it is.
#
# usage: counts FEW MANY

# shellcheck source=lib.sh
. /tests/lib.sh
zip=$(zip_address)
use_vfio "$zip"

# mark NUMBER
mark() {
	# shellcheck disable=SC2059 # an octal escape is the format
	printf "\\$(printf '%o' "$1")" |
		dd of="/sys/bus/pci/devices/$zip/config" bs=1 seek=60 conv=notrunc 2> /dev/null
}

# One burst of 32 each way in an iteration.
mark 161
for iterations; do
	run perf "$zip" --ptest throughput --num-iter "$iterations" --input-file "$text" \
		--extended-input-sz 131072
	perf_clean
	mark 162
done
