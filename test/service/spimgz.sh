#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# The tests of spimgz: a line "ok NAME" or "not ok NAME" for each. Ends with 1 if one has failed.
#
# usage: test/service/spimgz.sh BUILD

set -u

SPIMDEVD=$(realpath "$1")/app/spimdevd
export SPIMDEVD
cd "$(dirname "$0")" || exit 1
status=0
for t in spimgz spimgz_bad; do
	timeout 300 python3 "test_$t.py" || status=1
done
exit "$status"
