# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Finds a working device, keeps it busy, and then goes down with it: by reboot, or by a crash of the
# kernel, in turns. Never ends by itself: each boot says what it found, and the host counts.
#
# usage: again reboot|crash

# shellcheck source=lib.sh
. /tests/lib.sh
zip=$(zip_address)

modprobe hisi_zip
hisi_zip_wait_selftest
use_vfio "$zip"
perf_verify "$zip"
echo "VM: found a working device"
perf_busy "$zip"
case "$1" in
reboot) reboot -f ;;
crash) echo c > /proc/sysrq-trigger ;;
esac
sleep 1000
