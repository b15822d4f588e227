#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Sets up, builds, then measures our compressdev driver next to compress_isal and compress_zlib
# with DPDK's own benchmark program. Table on the screen; CSV and plot in build/perf.
#
# usage: app/perf.sh [--quick] [--runs N] [FILE...]
#   FILE     what to compress; default: a text and a binary corpus made of what the machine has
#   --quick  few settings, and one run of each, to see that everything works
#   --runs   measure every setting N times in turns and take the median; default 5, with --quick 1.
#            Fewer than 3 show no spread, so nothing is said of who leads.
# A second one in the same tree waits for the end of the first.

set -eu

# shellcheck source=../config/usage.sh
. "$(dirname "$0")/../config/usage.sh"

# The files are meant from where we were called.
quick=
runs=
n=$#
while [ "$n" -gt 0 ]; do
	n=$((n - 1))
	arg=$1
	shift
	case "$arg" in
	-h | --help) usage_take 0 0 "" "$arg" ;;
	--quick) quick=--quick ;;
	--runs)
		[ "$n" -gt 0 ] || usage_wrong "--runs without a value"
		usage_number --runs "$1"
		runs=--runs=$1
		shift
		n=$((n - 1))
		;;
	--runs=*)
		usage_number --runs "${arg#--runs=}"
		runs=$arg
		;;
	-*) usage_wrong "unknown option $arg" ;;
	*)
		[ -s "$arg" ] && [ -f "$arg" ] && [ -r "$arg" ] || {
			echo "app/perf.sh: $arg: expected a readable file that is not empty" >&2
			exit 2
		}
		set -- "$@" "$(realpath "$arg")"
		;;
	esac
done

cd "$(dirname "$0")/.."
mkdir -p build
exec 9> build/perf.lock
flock -n 9 || {
	echo "perf: another app/perf.sh runs in $PWD; waiting for its end"
	flock 9
}
config/setup.sh
echo "perf: building, which takes some minutes at the first time"
config/build.sh

# shellcheck source=../config/hugepages.sh
. config/hugepages.sh
trap hugepages_restore EXIT
hugepages=--hugepages
hugepages_reserve 512 || {
	hugepages=
	echo "perf: going on without hugepages, for all drivers alike"
}

# Debian's python3, which sees Debian's modules, also if another one comes first in the path.
hugepages_run /usr/bin/python3 app/perf/main.py ${quick:+"$quick"} ${runs:+"$runs"} \
	${hugepages:+"$hugepages"} --out build/perf -- "$@"
