# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# The driver with DPDK 24.11 and 25.11, in chroots of the Debian releases that have them. The
# first run downloads some 600 MB.
#
# by name only: takes DPDK's source from trixie and sid, or build/dpdk-source/SUITE; nightly
#
# A mirror need not have these sources: the one that this was written with had the binary
# packages only, and a tree of the same release series did instead (see versions.sh).

set -eu
. test/lib.sh

for suite in trixie sid; do
	within 3600 reports "$suite" test/versions.sh "$suite"
done
