#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Sets up, builds, then measures our compressdev driver next to compress_isal and compress_zlib
# with DPDK's own benchmark program. Table on the screen; CSV and plot in build/perf.
#
# usage: app/perf.sh [--quick] [--runs N] [FILE...]
#   FILE     what to compress; default: a text and a binary corpus made of what the machine has
#   --quick  one run of few settings, to see that everything works
#   --runs   measure every setting N times in turns and take the median; default 5

set -eu

usage() {
	sed -n 's/^# \{0,1\}//; /^usage:/,/^$/p' "$0"
}

# The files are meant from where we were called.
quick=
runs=
n=$#
while [ "$n" -gt 0 ]; do
	n=$((n - 1))
	arg=$1
	shift
	case "$arg" in
	-h | --help)
		usage
		exit 0
		;;
	--quick) quick=--quick ;;
	--runs)
		runs=--runs=${1:?--runs needs a number}
		shift
		n=$((n - 1))
		;;
	--runs=*) runs=$arg ;;
	-*)
		echo "app/perf.sh: unknown option $arg" >&2
		usage >&2
		exit 2
		;;
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
config/setup.sh
config/build.sh

# shellcheck source=../config/hugepages.sh
. config/hugepages.sh
trap hugepages_restore EXIT
trap 'exit 130' INT TERM
hugepages=--hugepages
hugepages_reserve 512 || {
	hugepages=
	echo "perf: going on without hugepages, for all drivers alike"
}

# Debian's python3, which sees Debian's modules, also if another one comes first in the path.
/usr/bin/python3 app/perf/main.py ${quick:+"$quick"} ${runs:+"$runs"} \
	${hugepages:+"$hugepages"} --out build/perf -- "$@"
