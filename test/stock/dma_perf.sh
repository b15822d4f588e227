#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Runs dpdk-test-dma-perf (DPDK 23.11 and later), as installed, with our driver, with
# dma_skeleton, and with the CPU's own copies (rte_memcpy). Each must copy without an error; the
# figures are in the lines. It needs hugepages.
#
# usage: test/stock/dma_perf.sh
# SPIMDEV_BUILD in the environment names another build folder than build; SECONDS_EACH how long each
# copies.

set -eu

# shellcheck source=../../config/usage.sh
. "$(dirname "$0")/../../config/usage.sh"
usage_take 0 0 "" "$@"

cd "$(dirname "$0")/../.."
# shellcheck source=../../config/hugepages.sh
. config/hugepages.sh
build=$PWD/${SPIMDEV_BUILD:-build}
prefix=spimdev-dma-perf-$$
out=$(mktemp -d)
cleanup() {
	rm -rf "$out" "/var/run/dpdk/$prefix"
	hugepages_restore
}
trap cleanup EXIT
trap 'exit 130' HUP INT TERM

die() {
	echo "dma_perf: $*" >&2
	exit 2
}

command -v dpdk-test-dma-perf > /dev/null ||
	die "no dpdk-test-dma-perf; expected DPDK 23.11 or later"
hugepages_reserve 512 || die "no hugepages"

# How an lcore is given its device: since 24.11 with keys.
lcore_dma() {
	case "$(pkg-config --modversion libdpdk)" in
	23.* | 24.03* | 24.07*) echo "lcore_dma=lcore1@$1" ;;
	*) echo "lcore_dma0=lcore=1,dev=$1,dir=mem2mem" ;;
	esac
}

# config VDEV NAME: one case of the benchmark; without a NAME of a device the CPU copies.
config() {
	eal="--no-pci --in-memory --file-prefix=$prefix --lcores 0@0,1@0 ${2:+-d $plugin --vdev $1}"
	cat <<-END_CONFIG
		[case1]
		type=$([ -n "$2" ] && echo DMA || echo CPU)_MEM_COPY
		mem_size=10
		buf_size=64,16384,16,MUL
		dma_ring_size=1024
		kick_batch=32
		src_numa_node=0
		dst_numa_node=0
		cache_flush=0
		test_seconds=${SECONDS_EACH:-2}
		$([ -n "$2" ] && lcore_dma "$2" || echo lcore=1)
		eal_args=$eal
	END_CONFIG
}

plugin=librte_dma_hisi_udma.so
LD_LIBRARY_PATH=$build/drivers
export LD_LIBRARY_PATH

# measure LABEL VDEV NAME
measure() {
	config "$2" "$3" > "$out/config"
	status=0
	hugepages_run timeout 300 dpdk-test-dma-perf --config "$out/config" --result "$out/result" \
		> "$out/log" 2>&1 || status=$?
	figures=$(sed -n 's/.*Average Bandwidth: *\([0-9.]*\) *Gbps.*/\1/p' "$out/log" |
		tr '\n' ' ')
	if [ "$status" -eq 0 ] && [ -n "$figures" ] && ! grep -q "Error" "$out/log"; then
		echo "ok $1 (64, 1024 and 16384 bytes: $figures Gbit/s)"
	else
		echo "not ok $1 (status $status)"
		tail -n 30 "$out/log" | sed 's/^/  | /'
		failed=1
	fi
}

failed=0
for name in "dma_hisi_udma workers=0" "dma_hisi_udma workers=1" dma_skeleton rte_memcpy; do
	echo "plan $name"
done
measure "dma_hisi_udma workers=0" dma_hisi_udma,workers=0 dma_hisi_udma
measure "dma_hisi_udma workers=1" dma_hisi_udma,workers=1 dma_hisi_udma
measure dma_skeleton dma_skeleton dma_skeleton
measure rte_memcpy "" ""
exit "$failed"
