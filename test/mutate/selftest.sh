#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# The mutation tool on a tree of which each mutant's end is known: noticed, not noticed, never run,
# no other code, and those that hang, take all memory or fill the disk.
# Prints "ok NAME" or "not ok NAME" for each; ends with 1 if one is not ok.
#
# usage: test/mutate/selftest.sh

set -eu

top=$(realpath "$(dirname "$0")/../..")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM

cp -r "$top/test/mutate/selftest/tree/." "$dir"
mkdir -p "$dir/config" "$dir/test/mutate"
cp "$top/config/build.sh" "$dir/config/"
cp "$top/test/mutate.sh" "$dir/test/"
cp "$top"/test/mutate/*.py "$top"/test/mutate/*.c "$dir/test/mutate/"
echo "# none" > "$dir/test/mutate/equivalent.txt"
printf '/build/\n__pycache__/\n' > "$dir/.gitignore"
git init -q "$dir"

before=$(cksum "$dir/lib/sample/sample.c")
status=0
"$dir/test/mutate.sh" --count 0 --jobs 2 --plain --grace 1.5 --memory 64 --disk 32 \
	"$dir/lib/sample/sample.c" > "$dir/log" 2>&1 || status=$?

bad=0
# tell NAME TEST-COMMAND...
tell() {
	name=$1
	shift
	if "$@"; then
		echo "ok mutate: $name"
	else
		echo "not ok mutate: $name"
		bad=1
	fi
}

# ended FUNCTION KIND RESULT EXECUTED TEST WHY: so many of the mutants ended like this.
ended() {
	awk -F '\t' -v function_="$1" -v kind="$2" -v result="$3" -v executed="$4" -v test_="$5" \
		-v why="$6" '$5 == function_ && $6 == kind && $7 == result && $8 == executed &&
		$9 == test_ && $10 ~ why { n++ } END { exit !n }' "$dir/build/mutate/results.tsv"
}

absent() {
	! cut -f 5,6 "$dir/build/mutate/results.tsv" | grep -q "$1"
}

tell "a bound that is tested" ended sample_tight comparison killed run bounds "status 1"
tell "one that is not" ended sample_loose comparison survived run "" ""
tell "a function that nobody calls" ended sample_unused comparison survived "never executed" "" ""
tell "a give-back that is counted" ended sample_give_back "give-back dropped" killed run \
	give-back "status 1"
tell "what changes no code does not count" absent "sample_same.*assignment dropped"
tell "it hangs" ended sample_hang "break dropped" killed run ends "^time$"
tell "it takes all memory" ended sample_memory "break dropped" killed run ends "^memory$"
tell "it fills the disk" ended sample_disk "break dropped" killed run ends "^disk$"
tell "survivors are an error" [ "$status" -eq 1 ]
tell "their diff is shown" grep -q '^-	return n < SAMPLE_MAX;$' "$dir/log"
tell "the tree itself is not touched" [ "$(cksum "$dir/lib/sample/sample.c")" = "$before" ]
[ "$bad" -eq 0 ] || {
	sed 's/^/  | /' "$dir/log"
	[ ! -f "$dir/build/mutate/results.tsv" ] || sed 's/^/  | /' "$dir/build/mutate/results.tsv"
}
exit "$bad"
