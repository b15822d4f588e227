#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Stands in for each program that a group of tests runs, by the name that it is called by: does what
# the group takes for success; or, if PLANT says so and PLANTED has its name, fails in that way.

set -eu

self=${STAND_FOR:-$0}
folder=${self%/*}
key=${folder##*/}/${self##*/}

# What the library of unit tests prints for two of them.
both='[==========] Running 2 test(s).\n[       OK ] a\n[       OK ] b\n[  PASSED  ] 2 test(s).\n'
half='[==========] Running 2 test(s).\n[       OK ] a\n[  PASSED  ] 2 test(s).\n'

# meson_results DIR RESULT TEXT: of each unit test.
meson_results() {
	mkdir -p "$1/meson-logs"
	for name in $UNIT_NAMES; do
		printf '{"name": "spimdev / %s", "result": "%s", "stdout": "%s"}\n' \
			"$name" "$2" "$3"
	done > "$1/meson-logs/testlog.json"
}

meson_installs() {
	pmds=$DESTDIR/usr/lib/dpdk/pmds-23.0
	mkdir -p "$pmds"
	for so in librte_common_hisi.so librte_compress_hisi_zip.so librte_dma_hisi_udma.so; do
		: > "$DESTDIR/usr/lib/$so.23.0"
		for link in "$so" "$so.23" "$so.23.0"; do
			ln -s "/usr/lib/$so.23.0" "$pmds/$link"
		done
	done
}

# planted ARGUMENT...
planted() {
	case ${PLANT#build-} in
	dies) exit 3 ;;
	signal) kill -SEGV $$ ;;
	hangs) exec sleep 1000 ;;
	silent) exit 0 ;;
	esac
	case $key in
	bin/meson) ;;
	*)
		printf 'plan %s one\nplan %s two\nok %s one\n' "$key" "$key" "$key"
		case $PLANT in
		fewer) exit 0 ;;
		twice) printf 'ok %s one\nok %s two\n' "$key" "$key" ;;
		nonzero)
			echo "ok $key two"
			exit 1
			;;
		esac
		exit 0
		;;
	esac
	case " $* " in
	*" test "*" --list "*) return ;;
	*" test "*) ;;
	*) return ;;
	esac
	case ${PLANT#build-} in
	fewer)
		meson_results "$3" OK "$both"
		sed -i 1d "$3/meson-logs/testlog.json"
		;;
	nonzero)
		meson_results "$3" OK "$both"
		exit 1
		;;
	expectedfail) meson_results "$3" EXPECTEDFAIL "$both" ;;
	skips) meson_results "$3" SKIP "$both" ;;
	runs-none) meson_results "$3" OK "" ;;
	runs-half) meson_results "$3" OK "$half" ;;
	esac
	exit 0
}

# As each script (check_usage.sh).
case ${1:-} in
--help)
	echo "usage: $key"
	exit 0
	;;
--no-such-option)
	echo "unknown option $1"
	exit 2
	;;
esac

! grep -qx "$key" "$PLANTED" || planted "$@"

# shellcheck disable=SC2086 # a list of words on purpose
case $key in
bin/meson)
	case " $* " in
	*" install "*) meson_installs ;;
	*" --list "*) printf 'spimdev / %s\n' $UNIT_NAMES ;;
	*) meson_results "$3" OK "$both" ;;
	esac
	;;
bin/nm)
	case $* in
	*librte_common_hisi.so*) printf '0 A INTERNAL\n0 T hisi_a@@INTERNAL\n' ;;
	*) echo "0 A DPDK_23" ;;
	esac
	[ "$1" = -D ] || printf '0 T %s\n' __asan_init __ubsan_handle_out_of_bounds __tsan_init
	;;
bin/objdump)
	name=$(basename "$2")
	echo "  SONAME               ${name%.*}"
	;;
bin/ldd) echo "librte_common_hisi.so.23 => $(dirname "$1")/librte_common_hisi.so.23" ;;
bin/gcc | bin/clang)
	# A program with a bad access, under a sanitizer or before valgrind, which stands in, too.
	while [ "$1" != -o ]; do shift; done
	printf '#!/bin/sh\necho AddressSanitizer: heap-buffer-overflow\nexit 134\n' > "$2"
	chmod +x "$2"
	;;
bin/valgrind)
	echo "Invalid read of size 4"
	exit 99
	;;
bin/shellcheck)
	case $1 in
	/*)
		echo SC2086
		exit 1
		;;
	esac
	;;
test/checkpatch.sh)
	case $1 in
	/*)
		if ! grep -q excepted "$1/test/checkpatch_exceptions.txt"; then
			echo "drivers/compress/a/a.c:4: SPACING: "
			echo "drivers/compress/a/a.c: Using __sync_xxx builtins"
			echo "checkpatch_exceptions.txt:1: not FILE | BEGINNING | REASON"
			exit 1
		fi
		;;
	esac
	;;
bin/dpdk-pmdinfo.py)
	keys="dev=local|unix:<path>|device:<name> workers=<N> rev=<S> ext=<S> engine=<S>"
	keys="$keys quirk=<S> sw=<S> verify=<N> timeout=<N> socket_id=<N>"
	echo "[{\"name\": \"compress_hisi_zip\", \"params\": \"$keys\"},"
	echo '{"name": "compress_hisi_zip_pci", "kmod": "* vfio-pci",'
	echo '"params": "class=<S> sw=<S> verify=<N> timeout=<N> socket_id=<N>",'
	echo '"pci_ids": [{"vendor": "19e5", "device": "a251"}]},'
	echo "{\"name\": \"dma_hisi_udma\", \"params\": \"$keys\"},"
	echo '{"name": "dma_hisi_udma_pci", "params": "class=<S>",'
	echo '"pci_ids": [{"vendor": "19e5", "device": "a251"}]}]'
	;;
fuzz/fuzz_*) echo "stat::number_of_executed_units: 100000" ;;
app/spimdevd)
	echo listening
	trap 'exit 0' TERM
	while :; do sleep 0.02; done
	;;
app/perf.sh)
	if [ -e "$2" ]; then
		echo "perf: no conclusion: GPL-3: less than 1024 KiB"
	elif [ "$1" = --runs ]; then
		echo "app/perf.sh: --runs '$2', expected a number from 1; see app/perf.sh --help"
		exit 2
	else
		echo "app/perf.sh: $2: expected a readable file that is not empty"
		exit 2
	fi
	;;
app/silicon.sh)
	if [ "$1" = --quick ]; then
		echo "path comp_raw: on, trailer 0"
		echo "gzip: produced counts 8 bytes of the trailer"
		echo "silicon: done"
	else
		echo "app/silicon.sh: unknown option $1; see app/silicon.sh --help"
		exit 2
	fi
	;;
doc/hisi_udma_example) echo "65536 bytes filled and copied" ;;
doc/client_example) exec python3 -c 'import sys, zlib
z = zlib.compressobj(wbits=-15)
sys.stdout.buffer.write(z.compress(sys.stdin.buffer.read()) + z.flush())' ;;
service/load_swarm) echo "     descriptors of the service per connection: 9, threads: 9" ;;
service/load_latency) echo "     queues of the service in use: 0  (at most 0)" ;;
service/load_fairness) echo "     wait of small ops beside 1024 KiB ops, p99: 1 us (at most 2)" ;;
service/swarm_pmd.py) echo "     8 DPDK processes, 8 at the same time" ;;
service/restart.py) echo "     5 kills, 0 failed, 0 wrong;" ;;
stock/telemetry.sh) echo '{"hw_bad_data": 0}' ;;
config/chroot.sh)
	[ "$1" != --fresh ] || printf 'plan %s one\nok %s one\n' "$key" "$key"
	;;
config/*.sh | bin/ninja) ;;
*)
	case " $* " in
	*" compress_zlib "*)
		echo "not ok no-huge 1/1 (executed 8, passed 8, unsupported 19, failed 0)"
		exit 1
		;;
	*" dma_skeleton "*)
		echo "not ok no-huge 1/1 (copy burst_capacity status 0; expected more)"
		exit 1
		;;
	*:none\ *)
		echo "deb: architecture 'none', expected amd64 or arm64"
		exit 1
		;;
	esac
	# All that reports its tests.
	printf 'plan %s one\nplan %s two\nok %s one\nok %s two (2 s)\n' "$key" "$key" "$key" "$key"
	;;
esac
