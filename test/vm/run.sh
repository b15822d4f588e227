#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Tests of the software function as a PCI device of virtual machines: served by spimdevd, attached
# by QEMU, driven by Linux's own hisi_zip and, through vfio-pci, by our drivers.
#
# usage: test/vm/run.sh [--full] [--kernel KERNEL] [--dpdk SUITE] [TEST...]
#   --full    everything on both kernels, in the numbers that are promised (about an hour);
#             without, a choice of it in some minutes
#   --kernel  only on this one of them
#   --dpdk    guests run DPDK and our packages of that Debian (say trixie: DPDK 24.11) instead of
#             what is installed and built here; only the tests autotest, dmadev and perf can
# Tests are the functions test_* below, named without that; without any, all run.
# Sets up what it needs (test/vm/setup.sh). Logs of guests and of the service are in build/vm/run.

set -eu

# shellcheck source=../../config/usage.sh
. "$(dirname "$0")/../../config/usage.sh"
usage_take 0 "$#" "--full --kernel= --dpdk=" "$@"

cd "$(dirname "$0")/../.."
. test/lib.sh
# shellcheck source=vm.sh
. test/vm/vm.sh

full=
kernels="6.1 6.12"
# How often, and on which kernels what is not about kernels runs.
times_handover=1
times_kill=1
times_again=1
times_reset=1
old_kernel=6.1
new_kernel=6.12
ways_again=crash
if [ "${1:-}" = --full ]; then
	full=yes
	times_handover=20
	times_kill=100
	times_again=5
	times_reset=10
	old_kernel=$kernels
	new_kernel=$kernels
	ways_again="reboot crash"
	shift
fi
if [ "${1:-}" = --kernel ]; then
	case " $kernels " in
	*" ${2:-} "*) ;;
	*)
		echo "vm: no kernel '${2:-}'; expected one of: $kernels" >&2
		exit 2 ;;
	esac
	kernels=$2
	old_kernel=$2
	new_kernel=$2
	shift 2
fi

suite=
if [ "${1:-}" = --dpdk ]; then
	suite=${2:?vm: --dpdk, expected the name of a Debian suite behind it}
	shift 2
	for t; do
		case $t in
		autotest | dmadev | perf) ;;
		*)
			echo "vm: --dpdk $suite with test '$t'; expected autotest, dmadev," \
				"perf" >&2
			exit 2 ;;
		esac
	done
	[ $# -gt 0 ] || set -- autotest dmadev perf
fi

all=$(sed -n 's/^test_\([a-z_]*\)() {.*/\1/p' "$0")
for t; do
	echo "$all" | grep -qx -- "$t" || {
		echo "vm: no test '$t'; expected some of:" "$all" >&2
		exit 2
	}
done

if ! planning; then
	[ -x build/app/spimdevd ] && [ -e build/drivers/librte_compress_hisi_zip.so ] &&
		[ -e build/drivers/librte_dma_hisi_udma.so ] &&
		[ -x build/test/vm/vm_pressure ] &&
		[ -x build/test/service/load_restart_client ] || {
		echo "vm: not built; config/build.sh does it" >&2
		exit 2
	}
	trap vm_cleanup EXIT
	trap 'exit 130' HUP INT TERM
	# shellcheck disable=SC2086 # none or one
	test/vm/setup.sh $suite
	for kernel in $kernels; do
		# shellcheck disable=SC2086 # likewise
		test/vm/pack.sh "$kernel" $suite
	done
fi

bad=0

# report NAME COMMAND...: one test. What it says is shown, indented.
report() {
	report_name=$1
	shift
	if planning; then
		echo "plan $report_name"
		return
	fi
	report_log=$vm_run/report.log
	report_start=$(date +%s)
	report_status=0
	"$@" > "$report_log" 2>&1 || report_status=$?
	if [ "$report_status" -eq 0 ]; then
		echo "ok $report_name ($(($(date +%s) - report_start)) s)"
		sed -n 's/^VM: /  /p' "$report_log" | grep -v '^  guest \|^  ready$\|^  PASS ' || :
	else
		echo "not ok $report_name"
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
	for k in $new_kernel; do
		report "hisi_zip of $k probes V3" served 6 "--rev v3" 300 "$k" probe v3
	done
	for k in $old_kernel; do
		report "hisi_zip of $k probes V2" served 0 "--rev v2" 300 "$k" probe v2
	done
}

test_zswap() {
	for k in $new_kernel; do
		vm_iommu=pt
		report "zswap on $k" served 51200 "--rev v3" 900 "$k" zswap 144 1
		vm_iommu=strict
		[ -z "$full" ] ||
			report "zswap on $k, each buffer mapped" \
				served 51200 "--rev v3" 3000 "$k" zswap 160 3
	done
}

# autotest_on "KERNEL..." NAME REQUESTS OPTIONS all|some [DEVARGS]
autotest_on() {
	autotest_kernels=$1
	autotest_name=$2
	autotest_requests=$3
	autotest_options=$4
	shift 4
	for k in $autotest_kernels; do
		report "autotest $k $autotest_name" \
			served "$autotest_requests" "$autotest_options" 900 "$k" autotest "$@"
	done
}

test_autotest() {
	autotest_on "$new_kernel" "V3 with the extension" 1 "--rev v3" all
	autotest_on "$old_kernel" "V3 plain" 1 "--rev v3 --ext off" all
	[ -n "$full" ] || return 0
	autotest_on "$kernels" "V3 with isolated doorbells" 1 "--rev v3 --isolation on" all
	autotest_on "$kernels" "V2 plain" 1 "--rev v2 --ext off" all
	autotest_on "$kernels" "V3 plain, sw=off" 1 "--rev v3 --ext off" some sw=off
	autotest_on "$kernels" "V2 plain, sw=off" 1 "--rev v2 --ext off" some sw=off
}

# dpdk_release: of the guest.
dpdk_release() {
	if [ -n "$suite" ]; then
		# shellcheck disable=SC2016 # dpkg-query's own
		config/chroot.sh --run "$suite.guest" \
			dpkg-query -W -f '${source:Upstream-Version}' dpdk
	else
		pkg-config --modversion libdpdk
	fi
}

# dmadev_on "KERNEL..." NAME REQUESTS OPTIONS yes|no: has the function UDMA?
dmadev_on() {
	dmadev_release=$(planning || dpdk_release)
	for k in $1; do
		report "dmadev_autotest $k $2" served "$3" "$4" 900 "$k" dmadev \
			"$dmadev_release" "$5"
	done
}

test_dmadev() {
	dmadev_on "$new_kernel" "V3 with the extension" 1 "--rev v3" yes
	[ -n "$full" ] || return 0
	dmadev_on "$kernels" "V3 with isolated doorbells" 1 "--rev v3 --isolation on" yes
	dmadev_on "$kernels" "V3 plain" 0 "--rev v3 --ext off" no
}

# silicon_on NAME OPTIONS quick|whole
silicon_on() {
	report "silicon ${new_kernel##* } $1" served 1 "$2" 1800 "${new_kernel##* }" silicon "$3"
}

test_silicon() {
	if [ -n "$full" ]; then
		silicon_on "V3 plain" "--rev v3 --ext off" whole
		silicon_on "V2 plain" "--rev v2 --ext off" whole
	else
		silicon_on "V2 plain" "--rev v2 --ext off" quick
	fi
}

test_perf() {
	for k in $new_kernel; do
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
	for k in $new_kernel; do
		report "accesses and maps of ops on $k" counted "--rev v3" "$k"
	done
}

test_handover() {
	for k in $new_kernel; do
		report "handover $k, $times_handover times" served 1 "--rev v3" \
			$((300 + times_handover * 20)) "$k" handover "$times_handover"
	done
}

test_kill() {
	for k in $new_kernel; do
		report "kill -9 on $k, $times_kill times" served 1 "--rev v3" \
			$((300 + times_kill * 20)) "$k" kill "$times_kill"
	done
}

test_reset() {
	for k in $new_kernel; do
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
	lives_deadline=$(($(date +%s) + (300 + times_again * 120) * vm_slack / 100))
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
	for k in $new_kernel; do
		for way in $ways_again; do
			report "$way of the guest $k" lives "$k" "$way"
		done
	done
}

# What a driver can see of the faults of lib/qm_dev/qm_dev_fault.h, one after the other.
faults=status=0x0a/97,aeq=cq_overflow@500,aeq=cqe_error@1000,aeq=eq_overflow@1500
faults=$faults,stall@2000

test_faults() {
	for k in $new_kernel; do
		report "injected faults on $k" served 2000 "--rev v3 --fault $faults" 900 "$k" \
			checked 60 3000 timeout=2000 silent
		# When the program has ended, the kernel waits minutes for a reset of it. The 500th
		# request is the one that it vanishes with.
		[ -z "$full" ] || report "function that vanishes on $k" \
			served 499 "--rev v3 --fault vanish@500" 900 "$k" \
			checked 20 1000 timeout=2000 gone
	done
}

# at_once KERNEL: a guest, DPDK programs and spimgz use the same service, all at the same time.
at_once() {
	service_start dev --rev v3 || return 1
	vm_device=yes
	vm_start "$1" checked 30 100
	at_once_deadline=$(($(date +%s) + 600 * vm_slack / 100))
	until grep -q '^VM: ready' "$vm_log"; do
		if ! kill -0 "$vm_qemu" 2> /dev/null ||
			[ "$(date +%s)" -ge "$at_once_deadline" ]; then
			echo "vm: the guest is not ready; the end of $vm_log:"
			tail -n 30 "$vm_log"
			return 1
		fi
		sleep 0.2
	done
	for n in 1 2; do
		build/test/service/load_restart_client --no-huge -m 64 --no-pci --no-telemetry \
			--lcores 0@0 --file-prefix "vm$$-$n" \
			--vdev "compress_hisi_zip,dev=unix:$vm_socket" > "$vm_run/host$n.log" 2>&1 &
		vm_others="$vm_others $!"
	done
	at_once_files=0
	at_once_busy=0
	while kill -0 "$vm_qemu" 2> /dev/null && ! grep -q '^VM: [0-9]* ops done' "$vm_log"; do
		build/app/spimgz -s "unix:$vm_socket" < build/app/spimdevd > "$vm_run/host.gz" &&
			gzip -dc "$vm_run/host.gz" | cmp - build/app/spimdevd || {
			echo "vm: spimgz made something else of a file"
			return 1
		}
		at_once_files=$((at_once_files + 1))
		[ "$at_once_files" -ne 2 ] || {
			service_requests > /dev/null || return 1
			at_once_busy=$(sed -n 's/.* \([0-9][0-9]*\) connections, .*/\1/p' \
				"$vm_service_log" | tail -n 1)
		}
	done
	n=0
	for at_once_pid in $vm_others; do
		n=$((n + 1))
		kill -TERM "$at_once_pid" && wait "$at_once_pid" || {
			cat "$vm_run/host$n.log"
			echo "vm: a program on the host did not end well"
			return 1
		}
		echo "VM: on the host: $(tail -n 1 "$vm_run/host$n.log" | cut -d ' ' -f 1) ops" \
			"done and compared"
	done
	vm_others=
	vm_wait 300 || return 1
	echo "VM: on the host: $at_once_files files compressed by spimgz, expanded by gzip;" \
		"$at_once_busy connections, $(service_requests) requests"
	[ "$at_once_busy" -ge 3 ] || {
		echo "vm: expected at least 3 connections at once"
		return 1
	}
	service_stop
}

test_shared() {
	for k in $new_kernel; do
		report "shared with programs on the host, $k" at_once "$k"
	done
}

# shellcheck disable=SC2086 # a list of words on purpose
[ $# -gt 0 ] || set -- $all
for t; do
	"test_$t"
done
exit "$bad"
