#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Brings a build folder to these meson arguments and builds it. Quick when nothing changed.
#
# usage: config/build.sh [DIR [MESON-ARGUMENT...]]
# BUILD_TARGETS in the environment: only those targets of meson's, not all.
# DIR is meant from the top of the tree; default: build.

set -eu

cd "$(dirname "$0")/.."
dir=${1:-build}
[ $# -eq 0 ] || shift

log=$dir/build.log
mkdir -p "$dir"
{
	if ! [ -f "$dir/build.ninja" ]; then
		meson setup "$dir" "$@"
	elif [ $# -gt 0 ]; then
		meson configure "$dir" "$@"
	fi && if [ -n "${BUILD_TARGETS:-}" ]; then
		# First what meson looks the names up in. They are a list of words on purpose.
		# shellcheck disable=SC2086
		ninja -C "$dir" build.ninja && meson compile -C "$dir" $BUILD_TARGETS
	else
		ninja -C "$dir"
	fi
} > "$log" 2>&1 || {
	tail -n 60 "$log" >&2
	echo "build: $dir failed (all of it: $log)" >&2
	exit 1
}
echo "build: $dir is up to date"
