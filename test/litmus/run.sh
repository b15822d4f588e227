#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# The ring's memory order against the architecture's own model of arm64 (herd7 of herdtools7, in a
# chroot of sid), and against the instructions that were compiled.
#
# usage: test/litmus/run.sh [LIBRARY]
#   LIBRARY  the driver built for arm64; default: that of build/arm64
#
# Every *.litmus stands for the C lines that its comment names. Its last line is the bad end, which
# the model must never allow. Further lines in the comment:
#   mutant NAME: SED      a barrier taken out: now the model must allow the bad end
#   binary FUNCTION: A; B the function's arm64 code must have instructions that begin like these,
#                         in this order; a $ stands for the end of one

set -eu

cd "$(dirname "$0")/../.."
library=${1:-build/arm64/drivers/librte_compress_hisi_zip.so}
work=build/litmus
bad=0

die() {
	echo "litmus: $*" >&2
	exit 2
}
[ -f "$library" ] || die "no $library; config/arm64.sh builds it"
config/chroot.sh sid herdtools7
rm -rf "$work"
mkdir -p "$work"

# tell NAME FOUND EXPECTED
tell() {
	if [ "$2" = "$3" ]; then
		echo "ok litmus $1: $2"
	else
		echo "not ok litmus $1: $2; expected $3"
		bad=1
	fi
}

# field NAME FILE: the rest of the lines of that name in a test's comment.
field() {
	sed -n "s/^$1 //p" "$2"
}

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

# has FUNCTION "A; B": the instructions are there, in this order.
has() {
	aarch64-linux-gnu-objdump -d --no-show-raw-insn --disassemble="$1" "$library" |
		sed -n 's/^ *[0-9a-f]*:[[:space:]]*//p' | tr '\t' ' ' |
		awk -v wanted="$2" '
			BEGIN { n = split(wanted, want, "; *"); at = 1 }
			at <= n && index($0 "$", want[at]) == 1 { at++ }
			END { exit at <= n }'
}

for f in test/litmus/*.litmus; do
	field binary "$f" | sed "s/^/$(basename "$f" .litmus) /"
done > "$work/binary"
while read -r name function instructions; do
	found=missing
	! has "${function%:}" "$instructions" || found=present
	tell "$name, $instructions in ${function%:}()" "$found" present
done < "$work/binary"
# The check itself must be able to fail.
found=missing
! has hisi_zip_enqueue_burst "dmb nosuch" || found=present
tell "the check of instructions rejects one that is not there" "$found" missing
exit "$bad"
