# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# kill -9 of a DPDK process that keeps the function busy, and start again.
#
# usage: kill TIMES

# shellcheck source=lib.sh
. /tests/lib.sh
times=$1
zip=$(zip_address)
use_vfio "$zip"

n=0
while [ "$n" -lt "$times" ]; do
	n=$((n + 1))
	perf_busy "$zip"
	# Somewhere else in its bursts each time.
	usleep $((n * 7919 % 100000))
	kill -KILL "$busy"
	wait || :
done
echo "VM: killed $n times"
perf_verify "$zip"
clean_kernel_log
