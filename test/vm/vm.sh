# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Starts and ends virtual machines, and the service that they attach to. To be sourced, with the
# top of the tree as current folder; the caller traps EXIT to vm_cleanup.
#
# SLACK: the times that are allowed, in percent of those for a machine that does little else; 100 by
# default. A guest gets nowhere while hundreds of processes want the CPUs.
#
# Everything lies in build/vm/run: sockets, logs, QEMU's process id. Socket paths stay relative to
# the top, for a socket's address holds no more than 107 characters.

vm_run=build/vm/run
vm_service=
vm_service_log=
vm_qemu=
# Process ids of what else uses the service.
vm_others=
vm_slack=${SLACK:-100}

mkdir -p "$vm_run"

# service_start NAME OPTION...: runs spimdevd on the socket build/vm/run/NAME.sock.
service_start() {
	vm_socket=$vm_run/$1.sock
	vm_service_log=$vm_run/$1.service.log
	shift
	[ -x build/app/spimdevd ] || {
		echo "vm: no build/app/spimdevd; build first" >&2
		return 1
	}
	rm -f "$vm_socket"
	build/app/spimdevd --listen "$vm_socket" "$@" > "$vm_service_log" 2>&1 < /dev/null &
	vm_service=$!
	vm_tries=0
	while kill -0 "$vm_service" 2> /dev/null && [ "$vm_tries" -lt 50 ]; do
		[ ! -S "$vm_socket" ] || return 0
		vm_tries=$((vm_tries + 1))
		sleep 0.2
	done
	echo "vm: spimdevd does not listen on $vm_socket:" >&2
	cat "$vm_service_log" >&2
	return 1
}

# service_holds: what the service has at the moment, "threads N fds N kB N".
service_holds() {
	echo "threads $(find "/proc/$vm_service/task" -mindepth 1 -maxdepth 1 | wc -l)" \
		"fds $(find "/proc/$vm_service/fd" -mindepth 1 | wc -l)" \
		"kB $(awk '/^RssAnon:/ { print $2 }' "/proc/$vm_service/status")"
}

# service_returns_to HELD: waits until the service has noticed that its clients are gone and holds
# no more than before, as service_holds said. Memory may differ by what an allocator keeps.
service_returns_to() {
	vm_tries=0
	until vm_holds=$(service_holds) && echo "$1 $vm_holds" | {
		read -r _ t1 _ f1 _ m1 _ t2 _ f2 _ m2
		[ "$t2" -le "$t1" ] && [ "$f2" -le "$f1" ] && [ "$m2" -le $((m1 + 512)) ]
	}; do
		vm_tries=$((vm_tries + 1))
		[ "$vm_tries" -lt 150 ] || {
			echo "vm: the service held '$1' before, '$vm_holds' 30 s later"
			return 1
		}
		sleep 0.2
	done
}

# service_requests: how many requests all its functions have executed, by its report.
service_requests() {
	vm_report=' connections, .* \([0-9][0-9]*\) requests, '
	vm_reports=$(grep -c "$vm_report" "$vm_service_log" || :)
	kill -USR1 "$vm_service"
	vm_tries=0
	while [ "$(grep -c "$vm_report" "$vm_service_log" || :)" -le "$vm_reports" ]; do
		vm_tries=$((vm_tries + 1))
		[ "$vm_tries" -lt 50 ] || {
			echo "vm: spimdevd did not report upon SIGUSR1" >&2
			return 1
		}
		sleep 0.1
	done
	sed -n "s/.*$vm_report.*/\1/p" "$vm_service_log" | tail -n 1
}

# service_stop: by SIGTERM, upon which it must end with 0 and leave no socket.
service_stop() {
	kill -TERM "$vm_service"
	vm_status=0
	wait "$vm_service" || vm_status=$?
	vm_service=
	[ "$vm_status" -eq 0 ] || {
		echo "vm: spimdevd ended with $vm_status; expected 0" >&2
		tail -n 20 "$vm_service_log" >&2
		return 1
	}
	[ ! -e "$vm_socket" ] || {
		echo "vm: spimdevd left $vm_socket" >&2
		return 1
	}
}

# vm_start KERNEL TEST [ARG...]: boots a guest in the background that runs the test. Variables:
#   vm_memory    MiB of the guest; default 1024
#   vm_pages     hugepages of 2 MiB in it; default 192
#   vm_iommu     strict (default: each DMA buffer is mapped on its own) or pt
#   vm_device    yes to attach a function of vm_socket; default no
#   vm_reboot    yes to let the guest reboot; default no: then QEMU ends instead
#   vm_cpus      default 1
#   vm_trace     yes to write what the guest does to the device to build/vm/run/trace
vm_start() {
	vm_kernel=$1
	vm_test=$2
	shift 2
	vm_args=$(echo "$*" | tr ' ' ',')
	vm_log=$vm_run/$vm_test-$vm_kernel${vm_args:+-$vm_args}.log
	vm_log=$(echo "$vm_log" | tr -c 'A-Za-z0-9./_\n-' '_')
	vm_mib=${vm_memory:-1024}
	# A busy machine emulates the timer too slowly for the kernel's checks of it, and to measure
	# the frequency of its TSC by: time would run at some other pace.
	vm_append="console=ttyS0 quiet panic=-1 mitigations=off intel_iommu=on no_timer_check"
	vm_append="$vm_append tsc=unstable clocksource=acpi_pm nosoftlockup"
	vm_append="$vm_append hugepages=${vm_pages:-192}"
	[ "${vm_iommu:-strict}" = strict ] || vm_append="$vm_append iommu=$vm_iommu"
	vm_append="$vm_append vmtest=$vm_test${vm_args:+ vmargs=$vm_args}"
	set -- -accel tcg -M q35 -cpu max -smp "${vm_cpus:-1}" -m "${vm_mib}M" \
		-object "memory-backend-memfd,id=m0,size=${vm_mib}M,share=on" \
		-machine memory-backend=m0 -nodefaults -display none -serial stdio \
		-device intel-iommu,caching-mode=on,intremap=on \
		-kernel "build/vm/$vm_kernel/vmlinuz" -initrd "build/vm/$vm_kernel/initrd.cpio" \
		-pidfile "$vm_run/qemu.pid" -append "$vm_append"
	[ "${vm_reboot:-no}" = yes ] || set -- "$@" -no-reboot
	if [ "${vm_device:-no}" = yes ]; then
		set -- "$@" -device "{\"driver\":\"vfio-user-pci\",
			\"socket\":{\"type\":\"unix\",\"path\":\"$vm_socket\"}}"
	fi
	if [ "${vm_trace:-no}" = yes ]; then
		for vm_event in vfio_region_write vfio_region_read vfio_pci_write_config \
			vfio_msi_interrupt vfio_user_dma_map vfio_user_dma_unmap; do
			set -- "$@" -trace "$vm_event"
		done
		set -- "$@" -D "$vm_run/trace"
	fi
	rm -f "$vm_run/qemu.pid" "$vm_run/trace"
	nice -n 5 config/chroot.sh --run trixie qemu-system-x86_64 "$@" \
		> "$vm_log" 2>&1 < /dev/null &
	vm_qemu=$!
}

# vm_wait SECONDS: for the guest to turn itself off. Fails, with the end of its log, unless the
# test in it passed.
vm_wait() {
	vm_allowed=$(($1 * vm_slack / 100))
	vm_deadline=$(($(date +%s) + vm_allowed))
	while kill -0 "$vm_qemu" 2> /dev/null; do
		if [ "$(date +%s)" -ge "$vm_deadline" ]; then
			echo "vm: $vm_test did not end within $vm_allowed s"
			vm_kill
			break
		fi
		sleep 0.2
	done
	wait "$vm_qemu" 2> /dev/null || :
	vm_qemu=
	# The guest's own words; what firmware and kernel said is in the log.
	tr -d '\r' < "$vm_log" | sed -n '/^VM: guest/,$p'
	tr -d '\r' < "$vm_log" | grep -qx "VM: PASS $vm_test" || {
		echo "vm: $vm_test on $vm_kernel did not pass (all of it: $vm_log)"
		# A guest that did not get as far as its own words.
		grep -q '^VM: FAIL' "$vm_log" || tail -n 40 "$vm_log"
		return 1
	}
}

# vm_kill: as a crash of QEMU or of its host would end it.
vm_kill() {
	[ ! -s "$vm_run/qemu.pid" ] || kill -KILL "$(cat "$vm_run/qemu.pid")" 2> /dev/null || :
	wait "$vm_qemu" 2> /dev/null || :
}

# vm_boot SECONDS KERNEL TEST [ARG...]: both.
vm_boot() {
	vm_seconds=$1
	shift
	vm_start "$@" && vm_wait "$vm_seconds"
}

vm_cleanup() {
	[ -z "$vm_qemu" ] || vm_kill
	vm_qemu=
	if [ -n "$vm_service" ]; then
		kill -KILL "$vm_service" 2> /dev/null || :
		# Until then it listens.
		wait "$vm_service" 2> /dev/null || :
	fi
	vm_service=
	# shellcheck disable=SC2086 # a list of words on purpose
	[ -z "$vm_others" ] || kill -KILL $vm_others 2> /dev/null || :
	vm_others=
}
