# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Swaps under memory pressure through zswap, compressor deflate, which is Linux's driver on the
# function. Every page that comes back is compared.
#
# usage: zswap MEGABYTES PASSES

# shellcheck source=lib.sh
. /tests/lib.sh
megabytes=$1
passes=$2
# What the process may hold; the rest has to be swapped out.
limit=32

modprobe hisi_zip
# Each page that does not get smaller is a line of the driver's; thousands of them take longer than
# the test. The log is looked at in the test of the probe.
dmesg -n 1
modprobe zsmalloc 2> /dev/null || :
modprobe brd rd_nr=1 rd_size=$(((megabytes + 32) * 1024))
zswap=/sys/module/zswap/parameters
echo deflate > "$zswap/compressor"
[ ! -e "$zswap/zpool" ] || echo zsmalloc > "$zswap/zpool"
echo 60 > "$zswap/max_pool_percent"
echo Y > "$zswap/enabled"
[ "$(cat "$zswap/compressor")" = deflate ] || fail "zswap did not take the compressor deflate"
hisi_zip_wait_selftest
mkswap /dev/ram0 > "$out"
swapon /dev/ram0

mount -t cgroup2 none /sys/fs/cgroup
echo +memory > /sys/fs/cgroup/cgroup.subtree_control
mkdir /sys/fs/cgroup/t
echo $((limit * 1024 * 1024)) > /sys/fs/cgroup/t/memory.max

count() {
	awk -v name="$1" '$1 == name { print $2 }' /proc/vmstat
}
out_before=$(count zswpout)
in_before=$(count zswpin)
sh -c 'echo $$ > /sys/fs/cgroup/t/cgroup.procs; exec vm_pressure "$@"' sh "$megabytes" "$passes" ||
	fail "vm_pressure ended with $?"
swapped_out=$(($(count zswpout) - out_before))
swapped_in=$(($(count zswpin) - in_before))
echo "VM: zswap: $swapped_out pages out, $swapped_in pages in; rejected" \
	"$(cat /sys/kernel/debug/zswap/reject_compress_poor 2> /dev/null)" \
	"$(cat /sys/kernel/debug/zswap/reject_compress_fail 2> /dev/null)"
want=$((100 * 256))
[ "$swapped_out" -ge "$want" ] && [ "$swapped_in" -ge "$want" ] ||
	fail "expected at least $want pages each way, 100 MiB"
swapoff /dev/ram0
if dmesg | grep -E 'WARNING:|BUG:|Oops|Call Trace|nobody cared|hung task'; then
	fail "the kernel log has warnings"
fi
