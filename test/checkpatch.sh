#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Runs DPDK's devtools/checkpatches.sh over drivers/, a patch for each file that adds the whole of
# it. A finding is a failure, unless test/checkpatch_exceptions.txt names it.
#
# usage: test/checkpatch.sh TOP [SDK]
#   TOP  the tree that drivers/ and the exceptions are in
#   SDK  what config/dpdk-sdk.sh has left of the DPDK whose rules hold; default: build's
# The kernel's checkpatch.pl, which DPDK's script runs, is in Debian's package linux-source and in
# no smaller one; what is used of it is unpacked to build/checkpatch. DPDK's expressions are gawk's.
# Both packages are installed by config/setup.sh --tests.

set -eu

# shellcheck source=../config/usage.sh
. "$(dirname "$0")/../config/usage.sh"
usage_take 1 2 "" "$@"

top=$(realpath "$1")
cd "$(dirname "$0")/.."
sdk=$(realpath "${2:-build/config/dpdk-sdk}")
tools=$PWD/build/checkpatch
exceptions=$top/test/checkpatch_exceptions.txt

die() {
	echo "checkpatch: $*" >&2
	exit 2
}

# unpack_tools: fills $tools, quick when that was done before.
unpack_tools() {
	[ ! -e "$tools/complete" ] || return 0
	linux=$(dpkg-query -L "$(dpkg-query -W -f '${Depends}' linux-source | cut -d ' ' -f 1)" |
		grep '\.tar\.xz$') || die "no linux-source; config/setup.sh --tests installs it"
	gawk=$(command -v gawk) || die "no gawk; config/setup.sh --tests installs it"
	rm -rf "$tools"
	mkdir -p "$tools/bin"
	echo "checkpatch: unpacking a part of $linux"
	tar -xJf "$linux" -C "$tools" --strip-components 2 --wildcards '*/scripts/checkpatch.pl' \
		'*/scripts/spelling.txt' '*/scripts/const_structs.checkpatch'
	ln -s "$gawk" "$tools/bin/awk"
	touch "$tools/complete"
}

# patch_of FILE: a patch that adds it. The message is there because one without is a finding.
patch_of() {
	printf 'From: X <x@example.org>\nSubject: [PATCH] %s\n\nIt is new.\n\n' "$1"
	printf 'Signed-off-by: X <x@example.org>\n---\ndiff --git a/%s b/%s\n' "$1" "$1"
	echo "new file mode 100644"
	diff --label /dev/null --label "b/$1" -u /dev/null "$top/$1" || [ $? -eq 1 ]
}

# findings < REPORT: a line "FILE[:LINE]: TYPE: TEXT" or "FILE: TEXT" for each finding, of the
# kernel's script or of DPDK's. Fails if the kernel's counted more than are there.
findings() {
	# shellcheck disable=SC2016 # awk's own
	"$tools/bin/awk" '
	/^### \[PATCH\] / { file = $3; next }
	# The part of the kernel: three lines or more each, and the sum.
	/^(ERROR|WARNING|CHECK):[A-Z0-9_]+: / {
		kernel = 1
		found++
		text = substr($0, index($0, ":") + 1)
		next
	}
	text != "" {
		if (match($0, /FILE: [^:]*:[0-9]+:/))
			print substr($0, RSTART + 6, RLENGTH - 7) ": " text
		else
			print file ": " text
		text = ""
		next
	}
	/^total: .* lines checked$/ {
		for (i = 2; i < NF; i++)
			if ($(i + 1) ~ /^(errors|warnings|checks),$/)
				found -= $i
		kernel = 0
		next
	}
	# The part of DPDK: where, if it says so, and what.
	kernel || /^$/ || /^Warning in .*:$/ || /valid patch(es)?$/ { next }
	{ print file ": " $0 }
	END { exit found != 0 || kernel }'
}

# excepted FINDINGS: those that are not excepted. Each exception is "FILE | BEGINNING | REASON"; a
# file may be a folder, which ends with a slash.
excepted() {
	# shellcheck disable=SC2016 # likewise
	"$tools/bin/awk" -F ' [|] ' '
	FNR == NR {
		if ($0 !~ /^#/ && NF == 3 && $3 != "")
			what[$1] = what[$1] "\n" $2
		else if ($0 !~ /^(#|$)/)
			print "checkpatch_exceptions.txt:" FNR ": not FILE | BEGINNING | REASON"
		next
	}
	{
		split($0, where, ":")
		text = $0
		sub(/^[^:]*(:[0-9]+)?: /, "", text)
		for (file in what) {
			if (where[1] != file && !(file ~ /\/$/ && index($0, file) == 1))
				continue
			n = split(what[file], begin, "\n")
			for (i = 2; i <= n; i++)
				if (index(text, begin[i]) == 1)
					next
		}
		print
	}' "$exceptions" "$1"
}

[ -f "$sdk/devtools/checkpatches.sh" ] ||
	die "no devtools in $sdk; expected what config/dpdk-sdk.sh leaves of a DPDK source"
unpack_tools
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
find "$top/drivers" -type f | sed "s|^$top/||" | sort > "$work/files"
mkdir "$work/patches"
while read -r f; do
	patch_of "$f" > "$work/patches/$(echo "$f" | tr / _).patch"
done < "$work/files"

# In the DPDK, whose version it looks for. Whatever a user has configured does not count.
status=0
(cd "$sdk" && PATH=$tools/bin:$PATH HOME=$work DPDK_CHECKPATCH_PATH=$tools/checkpatch.pl \
	DPDK_CHECKPATCH_CODESPELL=off DPDK_CHECKPATCH_LINE_LENGTH='' DPDK_CHECKPATCH_OPTIONS='' \
	sh devtools/checkpatches.sh "$work"/patches/*.patch) > "$work/report" 2>&1 || status=$?
cat "$work/report"
files=$(grep -c . "$work/files")
grep -q "^[0-9]*/$files valid patch" "$work/report" ||
	die "DPDK's script did not come to an end with $files files"
findings < "$work/report" > "$work/findings" || die "the report has findings that were not read"
bad=$(cut -d : -f 1 "$work/findings" | sort -u | grep -c . || :)
[ "$bad" -eq "$status" ] || die "findings in $bad files, but DPDK's script says $status"
excepted "$work/findings" > "$work/left"
echo
cat "$work/left"
echo "$files files, $(grep -c . "$work/findings" || :) findings," \
	"$(grep -c . "$work/left" || :) of them not excepted," \
	"by DPDK $(cat "$sdk/VERSION")"
! [ -s "$work/left" ]
