#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Line and branch coverage of the unit, pmd and service tests, by component and by file, and the
# functions that never run. Each test is run by itself; doc/guides/testing_mutation.rst.
#
# usage: test/coverage.sh [--bounds] [--jobs N] [--tests REGEX]

set -eu

case " $* " in
*" -h "* | *" --help "*) ;;
*) [ "$(id -u)" -eq 0 ] || {
	echo "test/coverage.sh: must run as root: it runs tests in namespaces" >&2
	exit 1
} ;;
esac
export BUILD_OPTIONS="${BUILD_OPTIONS--Dtests=true}"
exec python3 "$(dirname "$0")/mutate/coverage_report.py" "$@"
