#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Runs DPDK's own dpdk-test-compress-perf, as installed, with our driver over a matrix of
# settings. Every run must end with 0, print a row for each level and worker, and no error;
# the program compares what it decompressed with its input before it measures.
#
# usage: test/stock/perf.sh [--full] [--vdev NAME[,DEVARGS]] [--levels LOW:STEP:HIGH] [--file FILE]
#   --full  every combination (about an hour) instead of every value in some

set -eu

# shellcheck source=../../config/usage.sh
. "$(dirname "$0")/../../config/usage.sh"
usage_take 0 0 "--full --vdev= --levels= --file=" "$@"

cd "$(dirname "$0")/../.."
# shellcheck source=../../config/hugepages.sh
. config/hugepages.sh
trap hugepages_restore EXIT
hugepages_reserve 512
hugepages_run /usr/bin/python3 test/stock/perf_matrix.py "$@"
