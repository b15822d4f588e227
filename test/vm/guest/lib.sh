# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# What the tests inside a guest share.

# shellcheck disable=SC2034 # used by those who source this
zip_vendor=0x19e5
zip_vf=0xa251
text=/data/text
binary=/data/binary
# What a test wants to see later, and what is shown when it fails.
out=/tmp/out

fail() {
	echo "VM: $*"
	exit 1
}

# run COMMAND...: with its output in $out, shown if it fails.
run() {
	run_status=0
	"$@" > "$out" 2>&1 || run_status=$?
	[ "$run_status" -eq 0 ] || {
		tail -n 60 "$out"
		fail "'$*' ended with $run_status"
	}
}

# The address of the ZIP function.
zip_address() {
	for dev in /sys/bus/pci/devices/*; do
		if [ "$(cat "$dev/vendor") $(cat "$dev/device")" = "$zip_vendor $zip_vf" ]; then
			basename "$dev"
			return
		fi
	done
	fail "no ZIP function $zip_vendor:$zip_vf on the PCI bus"
}

# bind ADDRESS DRIVER: takes a function from the driver it has, gives it to another.
bind() {
	dev=/sys/bus/pci/devices/$1
	[ ! -e "$dev/driver" ] || echo "$1" > "$dev/driver/unbind"
	echo "$2" > "$dev/driver_override"
	echo "$1" > /sys/bus/pci/drivers_probe
	[ "$(basename "$(readlink "$dev/driver")")" = "$2" ] ||
		fail "$1 has driver '$(readlink "$dev/driver")'; expected $2"
}

use_vfio() {
	modprobe vfio_iommu_type1
	modprobe vfio-pci
	bind "$1" vfio-pci
}

# Nothing that a kernel developer would call a problem: warnings and worse from anywhere, errors
# from the drivers under test.
clean_kernel_log() {
	dmesg > /tmp/dmesg
	if grep -E 'WARNING:|BUG:|Oops|Call Trace|nobody cared|hung task' /tmp/dmesg ||
		grep -E 'DMAR:.*fault|(soft|hard) lockup' /tmp/dmesg; then
		fail "the kernel log has warnings"
	fi
	# Being built apart from the kernel is not their fault.
	if dmesg -r | grep -E '^<[0-4]>.*(hisi_zip|hisi_qm|vfio)' | grep -v 'taint'; then
		fail "the drivers under test have warnings in the kernel log"
	fi
}

# The number that a stock test program's summary has behind a label.
summary() {
	sed -n "s/^ + Tests $1 *: *\([0-9][0-9]*\).*/\1/p" "$out" | tail -n 1
}

# counts: the summary in one line.
counts() {
	echo "executed $(summary Executed) passed $(summary Passed)" \
		"unsupported $(summary Unsupported) failed $(summary Failed)" \
		"skipped $(summary Skipped)"
}

# hisi_zip_selftest: what /proc/crypto says of the driver's entry; nothing if there is none.
hisi_zip_selftest() {
	awk '$1 == "driver" { ours = $3 == "hisi-deflate-acomp" }
		ours && $1 == "selftest" { print $3 }' /proc/crypto
}

# The self-test runs when the algorithm is registered, in a thread of its own.
hisi_zip_wait_selftest() {
	tries=0
	while [ "$(hisi_zip_selftest)" != passed ]; do
		tries=$((tries + 1))
		[ "$tries" -lt 1200 ] || {
			grep -A 8 hisi-deflate /proc/crypto || :
			fail "hisi-deflate-acomp: self-test '$(hisi_zip_selftest)'; expected passed"
		}
		sleep 0.1
	done
}

# perf ADDRESS[,DEVARGS] ARGUMENT...: DPDK's dpdk-test-compress-perf on a bound function, with ops
# of 4 KiB in bursts of 32.
perf() {
	perf_dev=$1
	shift
	# Two lcores on one CPU: the first one only waits.
	dpdk-test-compress-perf --no-telemetry --lcores 0@0,1@0 -m 256 -a "$perf_dev" -- \
		--driver-name compress_hisi_zip --seg-sz 4096 --max-num-sgl-segs 1 --burst-sz 32 \
		--pool-sz 256 --huffman-enc dynamic --compress-level 1 "$@"
}

# perf_clean: the last run of perf, whose output is in $out, printed a result and no error.
perf_clean() {
	if grep -E '^(USER1|EAL|HISI|HISI_ZIP|COMPRESSDEV):' "$out" |
		grep -iE 'error|fail|not equal|mismatch|differ'; then
		fail "dpdk-test-compress-perf printed errors"
	fi
	grep -qE '^ *[0-9]+ +[0-9]+ +[0-9]' "$out" || {
		cat "$out"
		fail "dpdk-test-compress-perf printed no result"
	}
}

# perf_verify ADDRESS: compresses, decompresses and compares, quickly.
perf_verify() {
	run perf "$1" --ptest verify --num-iter 1 --input-file "$text" --extended-input-sz 131072
	perf_clean
}

# perf_busy ADDRESS: compresses and decompresses until somebody ends it; its process id is $busy.
perf_busy() {
	perf "$1" --ptest throughput --num-iter 100000000 --input-file "$text" \
		--extended-input-sz 131072 > "$out" 2>&1 &
	shell=$!
	tries=0
	# The last that it says before it starts.
	until grep -q 'bytes read from file' "$out"; do
		tries=$((tries + 1))
		kill -0 "$shell" 2> /dev/null && [ "$tries" -lt 12000 ] || {
			cat "$out"
			fail "dpdk-test-compress-perf did not start its work"
		}
		usleep 50000
	done
	usleep 500000
	busy=$(pidof dpdk-test-compress-perf) || {
		cat "$out"
		fail "dpdk-test-compress-perf ended by itself"
	}
}
