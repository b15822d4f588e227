#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Brings a build folder to these meson arguments and builds it. Quick when nothing changed.
#
# usage: config/build.sh [DIR [MESON-ARGUMENT...]]
# In the environment: BUILD_TARGETS, only those targets of meson's, not all; BUILD_OPTIONS, meson
# options beside the arguments, by which test/lib.sh asks for -Dtests=true.
# DIR is meant from the top of the tree; default: build.

set -eu

# shellcheck source=usage.sh
. "$(dirname "$0")/usage.sh"
usage_take 0 "$#" "..." "$@"

cd "$(dirname "$0")/.."
dir=${1:-build}
[ $# -eq 0 ] || shift

# meson puts ccache in front of the compiler where it is installed (setup.sh --tests does so), but
# not of one that CC names. What another clone has compiled is the same, but for the path in its
# debug information.
export CCACHE_BASEDIR="$PWD" CCACHE_NOHASHDIR=1
if [ -n "${CC:-}" ] && command -v ccache > /dev/null; then
	export CC="ccache $CC"
fi

log=$dir/build.log
# What it was asked for last: meson takes its time to find out that nothing changed.
options="${BUILD_OPTIONS:-}${*:+ $*}"
mkdir -p "$dir"

# Says how far it is, every 10 s, while the build takes longer than that.
said=0
while sleep 1 && kill -0 $$ 2> /dev/null; do
	said=$((said + 1))
	[ $((said % 10)) -ne 0 ] || echo "build: $dir: $said s, $(tail -n 1 "$log" | cut -c 1-60)"
done &
saying=$!
trap 'kill "$saying" 2> /dev/null || :' EXIT
{
	# shellcheck disable=SC2086 # a list of options on purpose
	if ! [ -f "$dir/build.ninja" ]; then
		meson setup "$dir" ${BUILD_OPTIONS:-} "$@"
	elif [ -n "$options" ] && [ "$options" != "$(cat "$dir/build.options" 2> /dev/null)" ]; then
		meson configure "$dir" ${BUILD_OPTIONS:-} "$@"
	fi && if [ -n "$options" ]; then
		echo "$options" > "$dir/build.options"
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
