#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# The ring's memory order against the architecture's own model of arm64 (herd7 of herdtools7, in a
# chroot of sid), and against the instructions that were compiled.
#
# usage: test/litmus/run.sh [LIBRARY [X86-LIBRARY]]
#   LIBRARY      the driver built for arm64; default: that of build/arm64
#   X86-LIBRARY  the same for x86-64; default: that of build, where this machine is one
#
# Every *.litmus stands for the C lines that its comment names. Its last line is the bad end, which
# the model must never allow. Further lines in the comment:
#   mutant NAME: SED      a barrier taken out: now the model must allow the bad end
#   binary FUNCTION: A; B the function's arm64 code must have instructions that begin like these,
#                         in this order; a $ stands for the end of one. "A; !S; B": with none
#                         like S in between. Without any one of its ordering instructions (ldar,
#                         stlr, dmb, calls) the line must not hold: it names as many as there are.
#                         "A+": one of the source that the compiler may have made several of
#   x86 FUNCTION: A; B    the same of its x86-64 code: fences that only C's model tells from weaker
#                         ones on arm64, and that are all that x86 needs

set -eu

# shellcheck source=../../config/usage.sh
. "$(dirname "$0")/../../config/usage.sh"
usage_take 0 2 "" "$@"

cd "$(dirname "$0")/../.."
library=${1:-build/arm64/drivers/librte_compress_hisi_zip.so}
x86=${2:-}
if [ -z "$x86" ] && [ "$(uname -m)" = x86_64 ]; then
	x86=build/drivers/librte_compress_hisi_zip.so
fi
work=build/litmus
# shellcheck source=code.sh
. test/litmus/code.sh

die() {
	echo "litmus: $*" >&2
	exit 2
}
[ -f "$library" ] || die "no $library; config/arm64.sh builds it"
[ -z "$x86" ] || [ -f "$x86" ] || die "no $x86; config/build.sh builds it"

# What each test file asks for.
for f in test/litmus/*.litmus; do
	name=$(basename "$f" .litmus)
	echo "plan $name"
	field mutant "$f" | sed "s/^\([^:]*\):.*/plan $name+\1/"
	for what in binary ${x86:+x86}; do
		field "$what" "$f" | sed "s/^\([^:]*\): \(.*\)/plan $name, $what, \2 in \1()/"
	done
done
for name in "an instruction that is not there" "a function that is not there" \
	"instructions in another order" "a store in between" "one that is there twice" \
	"both of them" "one, with no store behind it"; do
	echo "plan $name"
done

config/chroot.sh sid herdtools7
rm -rf "$work"
mkdir -p "$work"

# All in one run of the chroot.
for f in test/litmus/*.litmus; do
	name=$(basename "$f" .litmus)
	cp "$f" "$work/"
	field mutant "$f" | while IFS=: read -r mutant script; do
		# Its comment, which the mutation must not reach, is not copied.
		sed '/^(\*$/,/^\*)$/d' "$f" | sed "1s/.*/AArch64 $name+$mutant/; $script" \
			> "$work/$name+$mutant.litmus"
	done
done
# shellcheck disable=SC2016 # for the shell inside
config/chroot.sh --run sid sh -c 'exec herd7 -model aarch64.cat "$0"/*.litmus' "$work" \
	> "$work/herd.log" 2>&1 || {
	tail -n 20 "$work/herd.log"
	die "herd7 failed (all of it: $work/herd.log)"
}

for f in "$work"/*.litmus; do
	name=$(basename "$f" .litmus)
	expected=Never
	[ "$name" = "${name#*+}" ] || expected=Sometimes
	tell "$name" "$(sed -n "s/^Observation $name \([A-Z][a-z]*\) .*/\1/p" "$work/herd.log")" \
		"$expected"
done

code aarch64-linux-gnu-objdump "$library"
lines binary
if [ -n "$x86" ]; then
	code objdump "$x86"
	lines x86
fi

# The check itself must be able to fail.
printf 'f %s\n' "stlr w0, [x1]" "str w2, [x3]" "dmb oshst" "stlr x4, [x5]" "dmb oshst" \
	"str w6, [x7]" "stlr x8, [x9]" > "$work/code"
tell "an instruction that is not there" "$(check f "dmb nosuch")" missing
tell "a function that is not there" "$(check g "dmb oshst")" missing
tell "instructions in another order" "$(check f "stlr x; stlr w")" missing
tell "a store in between" "$(check f "str w6; !dmb; stlr x; !st; dmb")" missing
tell "one that is there twice" "$(check f "dmb oshst")" \
	"also without the dmb oshst that is item 1"
tell "both of them" "$(check f "dmb oshst; dmb oshst")" present
tell "one, with no store behind it" "$(check f "dmb oshst; !st; stlr x")" present
exit "$bad"
