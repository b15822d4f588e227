# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Memory order: the rings against arm64's model, and the barriers in the compiled code.
# beforehand: config/chroot.sh sid herdtools7

set -eu
. test/lib.sh

within 1800 need "gcc builds for arm64" config/arm64.sh build/arm64
need "gcc build is there" config/build.sh build
within 3600 reports litmus test/litmus/run.sh
