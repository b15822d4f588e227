#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Cycles that the driver alone takes for an op: the engine only copies, in a thread on a CPU of
# its own, and DPDK's benchmark counts what enqueue and dequeue take of the worker's.
# Ends with 1 if their sum is over the bound.
#
# usage: test/bench/cyclecount.sh [--runs N] [--bound CYCLES] [--vdev NAME[,DEVARGS]]
#   --runs   default 9, of which the median counts
#   --bound  default 100

set -eu

# shellcheck source=../../config/usage.sh
. "$(dirname "$0")/../../config/usage.sh"
usage_take 0 0 "--runs=N --bound=N --vdev=" "$@"

cd "$(dirname "$0")/../.."
config/setup.sh
config/build.sh
# shellcheck source=../../config/hugepages.sh
. config/hugepages.sh
trap hugepages_restore EXIT
hugepages_reserve 512
hugepages_run /usr/bin/python3 test/bench/cyclecount.py "$@"
