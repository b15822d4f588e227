#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Runs compressdev_autotest of DPDK's own dpdk-test, as installed, with our driver, and holds it
# to 27 tests executed and passed, none unsupported. Of a driver for dmadev it is dmadev_autotest:
# each of its tests that is for such a device must run and pass.
#
# usage: test/stock/autotest.sh [--times N] [--least N] [--vdev NAME] [--installed] [MODE...]
#   MODE     no-huge: memory without hugepages; huge: with them; KEY=VALUE[,...]: without
#            hugepages, the rest being devargs; service: without hugepages, on an access point
#            of the service. Default: no-huge huge workers=1 workers=2
#   --times  each mode so often, one after the other; default 1
#   --least  so many of the 27 are enough, if the others are unsupported
#   --vdev   another driver than compress_hisi_zip: dma_hisi_udma, or one of the installed ones,
#            to see how it does
#   --installed  our driver too as it is installed, where EAL finds it by itself
# SPIMDEV_BUILD in the environment names another build folder than build.

set -eu

# shellcheck source=../../config/usage.sh
. "$(dirname "$0")/../../config/usage.sh"
usage_take 0 "$#" "--times=N --least=N --vdev= --installed" "$@"

cd "$(dirname "$0")/../.."
# shellcheck source=../../config/hugepages.sh
. config/hugepages.sh
# shellcheck source=dmadev_cases.sh
. test/stock/dmadev_cases.sh
build=$PWD/${SPIMDEV_BUILD:-build}
wanted=27

die() {
	echo "autotest: $*" >&2
	exit 2
}

times=1
least=$wanted
vdev=compress_hisi_zip
installed=
while [ $# -gt 0 ]; do
	case "$1" in
	--times) times=${2:?--times needs a number}; shift 2 ;;
	--least) least=${2:?--least needs a number}; shift 2 ;;
	--vdev) vdev=${2:?--vdev needs a name}; shift 2 ;;
	--installed) installed=1; shift ;;
	*) break ;;
	esac
done
[ $# -gt 0 ] || set -- no-huge huge workers=1 workers=2

command -v dpdk-test > /dev/null || die "no dpdk-test; config/setup.sh installs it"

suite=compressdev_autotest
case "$vdev" in
dma_*) suite=dmadev_autotest ;;
esac

# EAL refuses a driver below a world-writable folder, but not one that the dynamic linker finds.
plugin=
so=$build/drivers/librte_$vdev.so
if [ "$vdev" != "${vdev#*_hisi_}" ] && [ -z "$installed" ]; then
	[ -e "$so" ] || die "no $so; build first"
	plugin=$so
	folder=$so
	while [ "$folder" != / ]; do
		folder=$(dirname "$folder")
		[ -z "$(find "$folder" -maxdepth 0 -perm -o+w)" ] || {
			plugin=$(basename "$so")
			LD_LIBRARY_PATH=$(dirname "$so")
			export LD_LIBRARY_PATH
		}
	done
fi

prefix=spimdev-autotest-$$
log=$(mktemp)
sockets=$(mktemp -d)
service=
cleanup() {
	[ -z "$service" ] || kill "$service" 2> /dev/null || :
	rm -rf "$log" "$sockets" "/var/run/dpdk/$prefix"
	hugepages_restore
}
trap cleanup EXIT
trap 'exit 130' HUP INT TERM

# The number behind a label of the test suite's summary.
summary() {
	sed -n "s/^ + Tests $1 *: *\([0-9][0-9]*\).*/\1/p" "$log" | tail -n 1
}

# For the share of ops that our function has done, which each test ends with.
levels="--log-level=lib.eal:notice --log-level=pmd.compress.hisi_zip:debug"
share() {
	sed -n 's/.*the function has done \([0-9]*\) of \([0-9]*\) ops.*/\1 \2/p' "$log" |
		awk '{ f += $1; n += $2 }
			END { if (n) printf "; %d of %d ops by the function", f, n }'
}

# One run in one mode; what it found is in the log.
run() {
	mode=$1
	memory="--no-huge -m 1024"
	args=
	case "$mode" in
	no-huge) ;;
	huge) memory= ;;
	*=*) args=,$mode ;;
	service) args=,dev=unix:$sockets/socket ;;
	*) die "unknown mode $mode; expected no-huge, huge, service or KEY=VALUE" ;;
	esac
	# shellcheck disable=SC2086 # lists of words on purpose
	hugepages_run timeout 300 dpdk-test $levels $memory --no-pci --no-telemetry \
		--file-prefix "$prefix" ${plugin:+-d "$plugin"} --vdev "$vdev$args" "$suite" \
		> "$log" 2>&1 < /dev/null
}

# outcome MODE STATUS: sets found and expected.
outcome() {
	if [ "$suite" = dmadev_autotest ]; then
		found="$(dma_found "$vdev" "$log")status $2"
		# A service sees EAL's memory only.
		[ "$1" = service ] && sva= || sva=sva
		expected="$(dma_wanted "$(pkg-config --modversion libdpdk)" "$sva") status 0"
		return
	fi
	found="executed $(summary Executed), passed $(summary Passed),"
	found="$found unsupported $(summary Unsupported), failed $(summary Failed),"
	found="$found skipped $(summary Skipped), status $2"
	passed=$(summary Passed)
	[ "${passed:-0}" -ge "$least" ] || passed=$least
	expected="executed $passed, passed $passed,"
	expected="$expected unsupported $((wanted - passed)), failed 0, skipped 0, status 0"
}

# As test/lib.sh has it: first what is to come, then what came out.
for mode; do
	for n in $(seq "$times"); do
		echo "plan $mode $n/$times"
	done
done
bad=0
for mode; do
	if [ "$mode" = huge ]; then
		hugepages_reserve 512 || die "no hugepages for mode huge"
	fi
	if [ "$mode" = service ] && [ -z "$service" ]; then
		"$build/app/spimdevd" --listen "$sockets/socket" --control none --workers 1 \
			> /dev/null 2>&1 &
		service=$!
		for _ in $(seq 100); do
			[ ! -S "$sockets/socket" ] || break
			sleep 0.1
		done
	fi
	for n in $(seq "$times"); do
		status=0
		run "$mode" || status=$?
		outcome "$mode" "$status"
		if [ "$found" = "$expected" ]; then
			echo "ok $mode $n/$times ($found$(share))"
		else
			echo "not ok $mode $n/$times ($found; expected $expected)"
			tr '\r' '\n' < "$log" | grep -E \
				'TestCase.*(unsupported|failed|skipped)|ERR|line [0-9]+|hisi_' |
				tail -n 30 | sed 's/^/  | /' || :
			bad=1
		fi
	done
done
exit "$bad"
