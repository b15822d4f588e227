# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Linux's own driver on the function: probes, passes the kernel's self-test where it offers an
# algorithm, unbinds, and does it again.
#
# usage: probe v2|v3

# shellcheck source=lib.sh
. /tests/lib.sh
rev=$1
zip=$(zip_address)

modprobe hisi_zip
for turn in 1 2 3; do
	[ "$(basename "$(readlink "/sys/bus/pci/devices/$zip/driver")")" = hisi_zip ] ||
		fail "hisi_zip did not take $zip"
	if [ "$rev" = v3 ]; then
		hisi_zip_wait_selftest
	else
		[ -z "$(hisi_zip_selftest)" ] ||
			fail "V2 offers an algorithm to the kernel; expected none"
	fi
	echo "VM: turn $turn: hisi_zip has $zip, self-test '$(hisi_zip_selftest)'"
	echo "$zip" > /sys/bus/pci/drivers/hisi_zip/unbind
	[ -z "$(hisi_zip_selftest)" ] || fail "hisi-deflate-acomp is still there after unbinding"
	[ "$turn" = 3 ] || echo "$zip" > /sys/bus/pci/drivers/hisi_zip/bind
done
rmmod hisi_zip hisi_qm
clean_kernel_log
