#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Makes small mistakes in the C files of a change, one at a time, and lists those that no test
# notices. doc/guides/testing_mutation.rst says how to read it.
#
# usage: test/mutate.sh [--all | --base REV] [--seed N] [--count N] [--budget MINUTES] [--jobs N]
#                       [--grace SECONDS] [--memory MIB] [--disk MIB] [--plain]
#                       [--only ID] [FILE...]
# test/mutate.sh --help says what each is.

set -eu

case " $* " in
*" -h "* | *" --help "*) ;;
*) [ "$(id -u)" -eq 0 ] || {
	echo "test/mutate.sh: must run as root: it runs tests in namespaces" >&2
	exit 1
} ;;
esac
export BUILD_OPTIONS="${BUILD_OPTIONS--Dtests=true}"
exec python3 "$(dirname "$0")/mutate/mutate.py" "$@"
