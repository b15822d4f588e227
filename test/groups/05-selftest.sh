# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# The groups themselves: none of them hides a failure. And the mutation tool: it tells the truth.

set -eu
. test/lib.sh

reports selftest test/selftest.sh
reports mutate test/mutate/selftest.sh
