# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# The driver with DPDK 24.11 and 25.11, in chroots of the Debian releases that have them. The
# first run downloads some 600 MB.

set -u
. test/lib.sh

test/versions.sh trixie sid
