#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Tests of the software function as a PCI device of virtual machines: served by spimdevd, attached
# by QEMU, driven by Linux's own hisi_zip and, through vfio-pci, by our driver.
#
# usage: test/vm/run.sh [--full] [TEST...]
#   --full  everything on both kernels, in the numbers that are promised (about an hour); without,
#           a choice of it in some minutes
# Tests are the functions test_* below, named without that; without any, all run.
# Sets up what it needs (test/vm/setup.sh). Logs of guests and of the service are in build/vm/run.

set -eu

cd "$(dirname "$0")/../.."
# shellcheck source=vm.sh
. test/vm/vm.sh

full=
kernels="6.1 6.12"
# How often, and on which kernels what is not about kernels runs.
times_handover=2
times_kill=5
times_again=1
times_reset=1
one_kernel=6.12
ways_again=crash
if [ "${1:-}" = --full ]; then
	full=yes
	times_handover=20
	times_kill=100
	times_again=5
	times_reset=10
	one_kernel=$kernels
	ways_again="reboot crash"
	shift
fi

all=$(sed -n 's/^test_\([a-z_]*\)() {.*/\1/p' "$0")
for t; do
	echo "$all" | grep -qx -- "$t" || {
		echo "vm: no test '$t'; expected some of:" "$all" >&2
		exit 2
	}
done

[ -x build/app/spimdevd ] && [ -e build/drivers/librte_compress_hisi_zip.so ] &&
	[ -x build/test/vm/vm_pressure ] || {
	echo "vm: not built; config/build.sh does it" >&2
	exit 2
}
trap vm_cleanup EXIT
trap 'exit 130' INT TERM
test/vm/setup.sh
for kernel in $kernels; do
	test/vm/pack.sh "$kernel"
done

bad=0

# report NAME COMMAND...: one test. What it says is shown, indented.
report() {
	report_name=$1
	shift
	report_log=$vm_run/report.log
	report_start=$(date +%s)
	report_status=0
	"$@" > "$report_log" 2>&1 || report_status=$?
	if [ "$report_status" -eq 0 ]; then
		echo "ok vm $report_name ($(($(date +%s) - report_start)) s)"
		sed -n 's/^VM: /  /p' "$report_log" | grep -v '^  guest \|^  PASS '
	else
		echo "not ok vm $report_name"
		sed 's/^/  | /' "$report_log"
		bad=1
		vm_cleanup
	fi
	vm_device=no
	vm_trace=no
}

# served REQUESTS OPTIONS SECONDS KERNEL TEST [ARG...]: a guest test on a function of a service that
# is started and ended for it. So many requests at least must have reached the service.
served() {
	served_want=$1
	served_options=$2
	shift 2
	# shellcheck disable=SC2086 # a list of words on purpose
	service_start dev $served_options || return 1
	vm_device=yes
	vm_boot "$@" || {
		echo "vm: the service said:"
		tail -n 20 "$vm_service_log"
		return 1
	}
	served_requests=$(service_requests) || return 1
	echo "VM: requests that reached the service: $served_requests"
	[ "$served_requests" -ge "$served_want" ] || {
		echo "vm: expected at least $served_want"
		return 1
	}
	service_stop
}

test_infra() {
	for k in $kernels; do
		report "guest $k by itself" vm_boot 300 "$k" infra
	done
}

test_probe() {
	for k in $kernels; do
		report "hisi_zip of $k probes V3" served 6 "--rev v3" 300 "$k" probe v3
		report "hisi_zip of $k probes V2" served 0 "--rev v2" 300 "$k" probe v2
	done
}

test_zswap() {
	for k in $one_kernel; do
		vm_iommu=pt
		report "zswap on $k" served 51200 "--rev v3" 900 "$k" zswap 144 1
		vm_iommu=strict
		[ -z "$full" ] ||
			report "zswap on $k, each buffer mapped" \
				served 51200 "--rev v3" 3000 "$k" zswap 160 3
	done
}

# autotest_on NAME REQUESTS OPTIONS all|some|none [DEVARGS]
autotest_on() {
	autotest_name=$1
	autotest_requests=$2
	autotest_options=$3
	shift 3
	for k in $one_kernel; do
		report "autotest $k $autotest_name" \
			served "$autotest_requests" "$autotest_options" 400 "$k" autotest "$@"
	done
}

# V2 silicon has none of compressdev's algorithms: everything is done in software, or nothing.
test_autotest() {
	autotest_on "V3 with the extension" 1 "--rev v3" all
	autotest_on "V3 with isolated doorbells" 1 "--rev v3 --isolation on" all
	autotest_on "V2 plain" 0 "--rev v2 --ext off" all
	if [ -n "$full" ]; then
		autotest_on "V3 plain" 1 "--rev v3 --ext off" all
		autotest_on "V3 plain, sw=off" 1 "--rev v3 --ext off" some sw=off
		autotest_on "V2 plain, sw=off" 0 "--rev v2 --ext off" none sw=off
	fi
}

test_perf() {
	for k in $one_kernel; do
		report "perf $k V3 with the extension" served 1 "--rev v3" 600 "$k" perf
		[ -n "$full" ] || continue
		report "perf $k V3 plain" served 1 "--rev v3 --ext off" 600 "$k" perf
		report "perf $k V2 plain" served 0 "--rev v2 --ext off" 600 "$k" perf
	done
}

# counted OPTIONS KERNEL
counted() {
	vm_trace=yes
	served 1 "$1" 600 "$2" counts 4 20 || return 1
	vm_trace=no
	awk -v few=4 -v many=20 -f test/vm/counts.awk "$vm_run/trace"
}

test_counts() {
	for k in $one_kernel; do
		report "accesses and maps of ops on $k" counted "--rev v3" "$k"
	done
}

test_handover() {
	for k in $one_kernel; do
		report "handover $k, $times_handover times" served 1 "--rev v3" \
			$((300 + times_handover * 20)) "$k" handover "$times_handover"
	done
}

test_kill() {
	for k in $one_kernel; do
		report "kill -9 on $k, $times_kill times" served 1 "--rev v3" \
			$((300 + times_kill * 20)) "$k" kill "$times_kill"
	done
}

test_reset() {
	for k in $one_kernel; do
		report "function level reset on $k" served 1 "--rev v3" \
			$((300 + times_reset * 40)) "$k" reset "$times_reset"
	done
}

# lives KERNEL WAY: a guest that goes down and comes up again, and in the end a QEMU that is killed.
# The same service for all of it; afterwards it holds what it held before.
lives() {
	lives_kernel=$1
	lives_way=$2
	service_start dev --rev v3 || return 1
	vm_device=yes
	# The first guest makes the service take what it keeps from then on.
	vm_boot 300 "$lives_kernel" probe v3 || return 1
	sleep 1
	lives_before=$(service_holds)
	vm_reboot=yes
	vm_start "$lives_kernel" again "$lives_way"
	vm_reboot=no
	lives_deadline=$(($(date +%s) + 300 + times_again * 120))
	while [ "$(grep -c '^VM: found a working device' "$vm_log")" -le "$times_again" ]; do
		if ! kill -0 "$vm_qemu" 2> /dev/null || grep -q '^VM: FAIL' "$vm_log" ||
			[ "$(date +%s)" -ge "$lives_deadline" ]; then
			echo "vm: expected $((times_again + 1)) boots; the end of $vm_log:"
			tail -n 30 "$vm_log"
			return 1
		fi
		sleep 0.5
	done
	# Busy by now, or about to be.
	sleep 1
	vm_kill
	vm_qemu=
	vm_boot 300 "$lives_kernel" probe v3 || return 1
	vm_device=no
	service_returns_to "$lives_before" || return 1
	echo "VM: went down $times_again times by $lives_way, then by kill -9 of QEMU;" \
		"the service held $lives_before before, $(service_holds) after"
	service_stop
}

test_again() {
	for k in $one_kernel; do
		for way in $ways_again; do
			report "$way of the guest $k" lives "$k" "$way"
		done
	done
}

# shellcheck disable=SC2086 # a list of words on purpose
[ $# -gt 0 ] || set -- $all
for t; do
	"test_$t"
done
exit "$bad"
