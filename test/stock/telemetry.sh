#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Asks a running stock benchmark, through DPDK's own dpdk-telemetry.py, for each telemetry command
# of our driver.
#
# usage: test/stock/telemetry.sh

set -eu

# shellcheck source=../../config/usage.sh
. "$(dirname "$0")/../../config/usage.sh"
usage_take 0 0 "" "$@"

cd "$(dirname "$0")/../.."
prefix=spimdev-telemetry-$$
out=$(mktemp -d)
app=
cleanup() {
	[ -z "$app" ] || kill "$app" 2> /dev/null || :
	rm -rf "$out" "/var/run/dpdk/$prefix"
}
trap cleanup EXIT
trap 'exit 130' HUP INT TERM

die() {
	echo "telemetry: $*" >&2
	tail -n 20 "$out/app" >&2
	exit 1
}

# EAL's rule about world-writable folders: see plugin_args in app/perf/stock.py.
LD_LIBRARY_PATH=$PWD/build/drivers dpdk-test-compress-perf \
	-d librte_compress_hisi_zip.so --vdev compress_hisi_zip --no-huge -m 512 --no-pci \
	--file-prefix "$prefix" --lcores 0@0,1@0 -- --driver-name compress_hisi_zip \
	--input-file /usr/share/common-licenses/GPL-3 --num-iter 1000000000 \
	> "$out/app" 2>&1 < /dev/null &
app=$!

n=0
until [ -S "/var/run/dpdk/$prefix/dpdk_telemetry.v2" ]; do
	n=$((n + 1))
	[ "$n" -lt 100 ] && kill -0 "$app" 2> /dev/null || die "the benchmark opened no socket"
	sleep 0.1
done
# The queue pair is set up after the socket is there.
sleep 1

# ask COMMAND: the answer as JSON.
ask() {
	echo "$1" | dpdk-telemetry.py -f "$prefix"
}

# holds FILTER FILE [ARGUMENT...]: by its word, for jq -e is content with a file that is empty.
holds() {
	holds_filter=$1
	holds_file=$2
	shift 2
	[ "$(jq "$@" "$holds_filter" "$holds_file")" = true ]
}

ask / > "$out/commands"
for name in list queues stats errors; do
	# shellcheck disable=SC2016 # $c is jq's
	holds '.["/"] | index($c) != null' "$out/commands" --arg c "/compress_hisi_zip/$name" ||
		die "no command /compress_hisi_zip/$name among $(cat "$out/commands")"
done

ask /compress_hisi_zip/list > "$out/list"
holds '.[] | length > 0' "$out/list" || die "list is empty: $(cat "$out/list")"
for name in queues stats errors; do
	ask "/compress_hisi_zip/$name,0" > "$out/$name"
	holds '.[] | type == "object" and length > 0' "$out/$name" ||
		die "$name of device 0 is empty: $(cat "$out/$name")"
	# A device that does not exist has no answer, and harms nobody.
	ask "/compress_hisi_zip/$name,63" > "$out/none"
	holds '.[] == null or .[] == {}' "$out/none" ||
		die "$name of device 63 should be empty: $(cat "$out/none")"
done
kill -0 "$app" 2> /dev/null || die "the benchmark died meanwhile"
cat "$out/list" "$out/queues" "$out/stats" "$out/errors"
