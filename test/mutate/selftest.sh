#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# The mutation tool on a tree of which each mutant's end is known: noticed, not noticed, never run,
# no other code, and those that hang, take all memory or fill the disk.
#
# usage: test/mutate/selftest.sh

set -eu

# shellcheck source=../../config/usage.sh
. "$(dirname "$0")/../../config/usage.sh"
usage_take 0 0 "" "$@"

cd "$(dirname "$0")/../.."
. test/lib.sh
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' HUP INT TERM

# mutated: the tool on a copy of the tree, all mutants of its one file.
mutated() {
	cp -r "$top/test/mutate/selftest/tree/." "$dir"
	mkdir -p "$dir/config" "$dir/test/mutate"
	cp "$top/config/build.sh" "$top/config/usage.sh" "$dir/config/"
	cp "$top/test/mutate.sh" "$dir/test/"
	cp "$top"/test/mutate/*.py "$top"/test/mutate/*.c "$dir/test/mutate/"
	echo "# none" > "$dir/test/mutate/equivalent.txt"
	printf '/build/\n__pycache__/\n' > "$dir/.gitignore"
	git init -q "$dir"
	cksum "$dir/lib/sample/sample.c" > "$dir/before"
	# Its tree has no options.
	export BUILD_OPTIONS=
	ends_with 1 "" "$dir/test/mutate.sh" --count 0 --jobs 2 --plain --grace 1.5 --memory 64 \
		--disk 32 "$dir/lib/sample/sample.c" > "$dir/log" 2>&1 &&
		[ -s "$dir/build/mutate/results.tsv" ] || {
		cat "$dir/log"
		return 1
	}
}

# ended FUNCTION KIND RESULT EXECUTED TEST WHY: so many of the mutants ended like this.
ended() {
	awk -F '\t' -v function_="$1" -v kind="$2" -v result="$3" -v executed="$4" -v test_="$5" \
		-v why="$6" '$5 == function_ && $6 == kind && $7 == result && $8 == executed &&
		$9 == test_ && $10 ~ why { n++ } END { exit !n }' "$dir/build/mutate/results.tsv"
}

untouched() {
	cksum "$dir/lib/sample/sample.c" | cmp - "$dir/before"
}

absent() {
	! cut -f 5,6 "$dir/build/mutate/results.tsv" | grep -q "$1"
}

need "survivors are an error" mutated
check "a bound that is tested" ended sample_tight comparison killed run bounds "status 1"
check "one that is not" ended sample_loose comparison survived run "" ""
check "a function that nobody calls" ended sample_unused comparison survived "never executed" "" ""
check "a give-back that is counted" ended sample_give_back "give-back dropped" killed run \
	give-back "status 1"
check "what changes no code does not count" absent "sample_same.*assignment dropped"
check "a limit, where both sides are equal" absent "sample_limit.*comparison"
check "the lesser one, likewise" absent "sample_lesser.*comparison"
check "stores that have nothing to do with each other" absent "sample_apart.*stores swapped"
check "a store before what clears it" ended sample_begin "stores swapped" survived \
	"never executed" "" ""
check "it hangs" ended sample_hang "break dropped" killed run ends "^time$"
check "it takes all memory" ended sample_memory "break dropped" killed run ends "^memory$"
check "it fills the disk" ended sample_disk "break dropped" killed run ends "^disk$"
for what in memory again late; do
	check "what the machine lacks is no end: $what" python3 test/mutate/selftest/crowded.py \
		"$what"
done
check "their diff is shown" grep -q '^-	return n < SAMPLE_MAX;$' "$dir/log"
check "the tree itself is not touched" untouched
exit "$failed"
