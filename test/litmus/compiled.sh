#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Of run.sh, what looks at the instructions of one library; for those who change its code often.
#
# usage: test/litmus/compiled.sh FIELD OBJDUMP LIBRARY
#   FIELD  binary for arm64, x86 for x86-64

set -eu

# shellcheck source=../../config/usage.sh
. "$(dirname "$0")/../../config/usage.sh"
usage_take 3 3 "" "$@"

library=$(realpath "$3")
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
# shellcheck source=code.sh
. test/litmus/code.sh

code "$2" "$library"
lines "$1"
exit "$bad"
