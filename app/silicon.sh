#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# A report from a machine with the accelerator: what was found, what known answers say of the
# function, DPDK's own tests, throughput. Text that can be pasted into a bug report; nothing in it
# identifies the machine or its owner. Sets up and builds first.
#
# usage: app/silicon.sh [--quick] [FUNCTION]
#   --quick   without DPDK's tests and throughput
#   FUNCTION  PCI address of a function of the accelerator that is bound to vfio-pci; or
#             local[,DEVARGS]: a software function. Default: the first one bound to vfio-pci.
# With SPIMDEV_SETUP=none in the environment, what it needs is there already.

set -eu

# shellcheck source=../config/usage.sh
. "$(dirname "$0")/../config/usage.sh"
usage_take 0 1 "--quick" "$@"

quick=
if [ "${1:-}" = --quick ]; then
	quick=yes
	shift
fi
function=${1:-}

cd "$(dirname "$0")/.."
[ "${SPIMDEV_SETUP:-}" = none ] || {
	config/setup.sh > /dev/null
	config/build.sh > /dev/null
}
# shellcheck source=../config/hugepages.sh
. config/hugepages.sh
# shellcheck source=silicon_log.sh
. app/silicon_log.sh

log=$(mktemp)
data=$(mktemp)
finish() {
	rm -f "$log" "$data"
	hugepages_restore
}
trap finish EXIT
trap 'exit 130' HUP INT TERM

section() {
	printf '\n%s\n%s\n' "$1" "$(echo "$1" | sed 's/./-/g')"
}
not_tried() {
	echo "not tried: $*"
	left="${left:-}${left:+; }$*"
}

# A file of sysfs, or what stands for it.
value() {
	[ -r "$1" ] && cat "$1" || echo "?"
}

# ---- What is there ----

echo "spimdev report, $(git log -1 --format=%h 2> /dev/null || echo "no revision")"
section "Machine"
# Behind the number there may be a name of somebody's.
echo "kernel $(uname -r | sed 's/[^0-9.].*//'), $(uname -m)"
sed -n 's/^\(model name\|CPU implementer\|CPU part\)[[:space:]]*: */\1 /p' /proc/cpuinfo | sort |
	uniq -c | sed 's/^ *\([0-9]*\) /\1 CPUs: /'
# count FOLDER PATTERN: how many there are.
count() {
	find "$1" -mindepth 1 -maxdepth 1 -name "$2" 2> /dev/null | wc -l
}
echo "NUMA nodes: $(count /sys/devices/system/node 'node[0-9]*')"
echo "IOMMU groups: $(count /sys/kernel/iommu_groups '*')"
echo "DPDK $(pkg-config --modversion libdpdk 2> /dev/null || echo "of an unknown release")"

section "Functions"
found=0
for dev in /sys/bus/pci/devices/*; do
	[ "$(value "$dev/vendor")" = 0x19e5 ] || continue
	case "$(value "$dev/device")" in
	0xa250 | 0xa251) ;;
	*) continue ;;
	esac
	found=$((found + 1))
	driver=none
	[ ! -e "$dev/driver" ] || driver=$(basename "$(readlink "$dev/driver")")
	echo "$(value "$dev/device"), revision $(value "$dev/revision"), class" \
		"$(value "$dev/class"), subsystem $(value "$dev/subsystem_vendor"):$(value \
		"$dev/subsystem_device"), driver $driver, VFs $(value "$dev/sriov_numvfs") of" \
		"$(value "$dev/sriov_totalvfs")"
	for bar in 0 1 2 3 4 5; do
		[ ! -e "$dev/resource$bar" ] ||
			echo "  BAR $bar: $(stat -c %s "$dev/resource$bar") bytes"
	done
	if [ -z "$function" ] && [ "$driver" = vfio-pci ]; then
		function=$(basename "$dev")
	fi
done
[ "$found" -gt 0 ] || echo "none: 19e5:a250 or 19e5:a251 is not on the PCI bus"
for u in /sys/class/uacce/*; do
	[ -e "$u/api" ] || continue
	echo "uacce: api $(value "$u/api"), flags $(value "$u/flags"), instances" \
		"$(value "$u/available_instances"), algorithms $(value "$u/algorithms" |
		tr '\n' ' ')"
done

case "$function" in
"")
	section "Nothing could be asked"
	echo "No function is bound to vfio-pci. Make a VF (sriov_numvfs of the PF), bind it, and"
	echo "call this again; or see what this does: app/silicon.sh local,ext=off"
	exit 1
	;;
local*)
	bus="--no-pci --vdev"
	name=compress_hisi_zip
	args=${function#local}
	rest=${args#,}
	;;
*)
	bus=-a
	name=$function
	rest=
	;;
esac

# run SECONDS PROGRAM EAL-ARGUMENT DEVARGS [ARGUMENT...]: with the function; its output is in $log.
so=$PWD/build/drivers/librte_compress_hisi_zip.so
LD_LIBRARY_PATH=$(dirname "$so")
export LD_LIBRARY_PATH
run() {
	seconds=$1
	program=$2
	eal=$3
	devargs=$name${rest:+,$rest}${4:+,$4}
	shift 4
	# shellcheck disable=SC2086 # lists of words on purpose
	hugepages_run timeout "$seconds" "$program" $eal $memory --no-telemetry \
		--file-prefix "spimdev-silicon-$$" -d "$(basename "$so")" \
		--log-level=pmd.compress.hisi_zip:debug $bus "$devargs" "$@" \
		> "$log" 2>&1 < /dev/null
}
memory="--no-huge -m 1024"
case "$bus" in
-a)
	hugepages_reserve 512 || not_tried "anything: no hugepages, which DMA needs"
	memory="-m 512"
	;;
esac

# ---- Known answers ----

section "Known answers (${rest:-as it is})"
run 60 dpdk-test "" sw=auto quit < /dev/null || :
known_answers "$log" || {
	not_tried "known answers: the function was not found"
	other_lines "$log" | tail -n 5
}

section "Questions of doc/hw/unknown.rst that it answers"
for kind in zlib gzip; do
	echo "U16, $kind: produced counts $(answer "$log" "comp_$kind" 1) bytes of the trailer," \
		"consumed $(answer "$log" "decomp_$kind" 1)"
	echo "U17, $kind: checksum in dw31 $(answer "$log" "comp_$kind" 2) compressing," \
		"$(answer "$log" "decomp_$kind" 2) decompressing"
done
for path in comp_raw decomp_raw stream_comp stream_decomp; do
	echo "$path: $(path_state "$log" "$path")"
done
echo "(empty: the path is off, or was not tried)"

# ---- DPDK's own tests ----

[ -z "$quick" ] || {
	echo "silicon: done"
	exit 0
}
section "compressdev_autotest (DPDK's)"
for sw in auto off; do
	if run 300 dpdk-test "" "sw=$sw" compressdev_autotest; then status=0; else status=$?; fi
	printf 'sw=%s: ' "$sw"
	for label in Executed Passed Unsupported Failed; do
		printf '%s %s, ' "$label" \
			"$(sed -n "s/^ + Tests $label *: *\([0-9]*\).*/\1/p" "$log" | tail -n 1)"
	done
	sed -n 's/.*the function has done \([0-9]*\) of \([0-9]*\) ops.*/\1 \2/p' "$log" |
		awk '{ f += $1; n += $2 } END { printf "%d of %d ops by the function", f, n }'
	echo ", status $status"
	tr '\r' '\n' < "$log" |
		sed -n 's/^ + TestCase \[ *\([0-9]*\)\] : \([^ ]*\) failed/  failed: \1 \2/p'
done

# ---- Throughput ----

section "Throughput (dpdk-test-compress-perf, one queue pair, blocks of 8 KiB, sw=off)"
for file in /usr/share/common-licenses/* /usr/share/perl/*/*.pod /usr/lib/python3*/*.py; do
	[ ! -f "$file" ] || cat "$file"
done | head -c 1000000 > "$data"
[ -s "$data" ] || head -c 1000000 "$(command -v dpdk-test)" > "$data"
lcores="0@0,1@0"
[ "$(nproc)" -eq 1 ] || lcores="0,1"
echo "burst  compress Gbps  decompress Gbps  ratio %"
for burst in 1 8 32 70; do
	if run 300 dpdk-test-compress-perf "--lcores $lcores" sw=off -- --ptest throughput \
		--driver-name compress_hisi_zip --input-file "$data" --seg-sz 8192 \
		--max-num-sgl-segs 1 --burst-sz "$burst" --num-iter 50 --operation comp_and_decomp \
		--huffman-enc dynamic --compress-level 1; then
		grep '^ *[0-9][0-9]* *[0-9][0-9]* *[0-9][0-9]* *[0-9]' "$log" | tail -n 1 |
			awk -v b="$burst" '{
				printf "%5d  %13s  %15s  %7s\n", b, $(NF - 1), $NF, $(NF - 2)
			}'
	else
		not_tried "throughput at burst $burst: dpdk-test-compress-perf ended with $?"
		break
	fi
done
echo "UADK's published figures (Kunpeng 920, 2019, compression of 8 KB blocks, MB/s by depth):"
echo "1: 556, 10: 1381, 20: 3134, 30: 4317, 40: 5618, 50: 6715, 70: 7271; Gbps: 0.008 times that."

section "End"
echo "${left:+not tried: $left}"
echo "silicon: done"
