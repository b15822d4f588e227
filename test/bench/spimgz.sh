#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# spimgz, by a service, beside gzip, pigz and libdeflate-gzip: each compresses a tree of this
# machine's own files; gzip tests every output, and the program itself expands it again.
#
# usage: test/bench/spimgz.sh [MIB [LEVEL]]
#   MIB    size of the tree; default 1024. Twice that is needed in TMPDIR.
#   LEVEL  default 6
# Ends with 1 if an output is refused or differs. Installs pigz and libdeflate-tools.

set -eu

# shellcheck source=../../config/usage.sh
. "$(dirname "$0")/../../config/usage.sh"
usage_take 0 2 "" "$@"

cd "$(dirname "$0")/../.."
mib=${1:-1024}
level=${2:-6}
usage_number MIB "$mib"
usage_number LEVEL "$level"
config/setup.sh
config/build.sh
command -v pigz > /dev/null && command -v libdeflate-gzip > /dev/null || {
	apt-get -qq update
	DEBIAN_FRONTEND=noninteractive apt-get -qq -y install pigz libdeflate-tools > /dev/null
}

work=$(mktemp -d)
service=
cleanup() {
	[ -z "$service" ] || kill "$service" 2> /dev/null || :
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' HUP INT TERM

# So many MiB, in the order in which find comes by; gzip leaves alone what is called .gz, has other
# names, or runs as somebody else.
mkdir "$work/tree"
find /usr -xdev -type f -size +0 ! -name '*.gz' -printf '%s %p\n' |
	awk -v most="$mib" '{ n += $1; sub(/^[0-9]+ /, ""); print } n >= most * 2 ^ 20 { exit }' |
	tar -c --no-recursion -T - 2> /dev/null | tar -x -C "$work/tree"
find "$work/tree" -type f \( -links +1 -o -perm /6000 \) -delete
bytes() {
	find "$1" -type f -printf '%s\n' | awk '{ n += $1 } END { printf "%d", n }'
}
plain=$(bytes "$work/tree")
echo "spimgz: $(find "$work/tree" -type f | wc -l) files, $((plain >> 20)) MiB, level $level"

build/app/spimdevd --listen "$work/zip" > "$work/log" 2>&1 &
service=$!
tries=0
until [ -S "$work/zip" ]; do
	tries=$((tries + 1))
	[ "$tries" -lt 100 ] || {
		cat "$work/log" >&2
		exit 1
	}
	sleep 0.1
done

# each COMMAND...: with all files, in as few calls as may be.
each() {
	find "$work/copy" -type f -print0 | xargs -0 "$@"
}

# run LABEL COMMAND...: takes -LEVEL, and -d.
run() {
	label=$1
	shift
	cp -a "$work/tree" "$work/copy"
	start=$(date +%s%N)
	each "$@" "-$level"
	packed_ms=$((($(date +%s%N) - start) / 1000000))
	packed=$(bytes "$work/copy")
	each gzip -t
	start=$(date +%s%N)
	each "$@" -d
	plain_ms=$((($(date +%s%N) - start) / 1000000))
	diff -r "$work/tree" "$work/copy"
	rm -rf "$work/copy"
	awk -v label="$label" -v a="$packed_ms" -v b="$plain_ms" -v plain="$plain" \
		-v packed="$packed" 'BEGIN {
		printf "%-16s %8.1f s %7.1f MB/s %8.1f s %7.1f MB/s %7.2f %%\n", label, a / 1000,
			plain / 1000 / a, b / 1000, plain / 1000 / b, 100 * packed / plain }'
}

printf "%-16s %21s %23s %9s\n" program compress expand size
run "spimgz, service" build/app/spimgz -q -s "unix:$work/zip"
run gzip gzip
run pigz pigz
run libdeflate-gzip libdeflate-gzip
echo "spimgz: gzip accepts every output, all trees are equal again"
