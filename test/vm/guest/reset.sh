# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Function level reset, by the kernel's own means: of a function nobody uses, and of one that DPDK
# has just used. The next user finds a working device.
#
# usage: reset TIMES

# shellcheck source=lib.sh
. /tests/lib.sh
zip=$(zip_address)
dev=/sys/bus/pci/devices/$zip
modprobe hisi_zip

grep -qw flr "$dev/reset_method" ||
	fail "$zip offers the reset methods '$(cat "$dev/reset_method")'; expected flr among them"
echo flr > "$dev/reset_method"
n=0
while [ "$n" -lt "$1" ]; do
	n=$((n + 1))
	bind "$zip" hisi_zip
	hisi_zip_wait_selftest
	echo "$zip" > "$dev/driver/unbind"
	echo 1 > "$dev/reset"
	use_vfio "$zip"
	perf_verify "$zip"
	echo 1 > "$dev/reset"
	perf_verify "$zip"
done
echo "VM: reset $((2 * n)) times"
clean_kernel_log
