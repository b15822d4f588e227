#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Runs test_pmd_newer of a build folder with each kind of function, as meson would.
#
# usage: test/pmd/newer.sh DIR

set -eu

# shellcheck source=../../config/usage.sh
. "$(dirname "$0")/../../config/usage.sh"
usage_take 1 1 "" "$@"

cd "$(dirname "$0")/../.."
. test/lib.sh

export MALLOC_PERTURB_=0
reports "usual" "$1/test/pmd/test_pmd_newer"
for args in workers=1 ext=off; do
	reports "$args" "$1/test/pmd/test_pmd_newer" -- --dev "$args" --count 60
done
# shellcheck disable=SC2154 # lib.sh has it
exit "$failed"
