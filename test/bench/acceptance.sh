#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Medians of paired runs next to the peers, held against the bounds that the driver must keep.
# Ends with 1 if one is not kept.
#
# usage: test/bench/acceptance.sh [--pairs N] [--only WORD]
#   --pairs  default 5
#   --only   bounds with that in their name

set -eu

# shellcheck source=../../config/usage.sh
. "$(dirname "$0")/../../config/usage.sh"
usage_take 0 0 "--pairs=N --only=" "$@"

cd "$(dirname "$0")/../.."
config/setup.sh
config/build.sh
# shellcheck source=../../config/hugepages.sh
. config/hugepages.sh
trap hugepages_restore EXIT
hugepages_reserve 512
hugepages_run /usr/bin/python3 test/bench/acceptance.py "$@"
