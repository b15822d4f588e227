# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Address and undefined-behaviour sanitizers over the unit tests, then over fuzzed input: 15 s
# for each fuzzer, from the corpus in test/fuzz/corpus/<fuzzer>.

set -eu
. test/lib.sh

export ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:abort_on_error=1
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1:abort_on_error=1

need "clang builds with ASAN, UBSAN and the fuzzers" env CC=clang \
	config/build.sh build/asan ${sdk:+"$sdk"} \
	-Db_sanitize=address,undefined -Db_lundef=false -Dfuzz=true
check "address sanitizer is in it" has_symbol __asan_init build/asan/app/spimdevd
check "undefined-behaviour sanitizer is in it" \
	has_symbol __ubsan_handle_out_of_bounds build/asan/app/spimdevd
check "a bad access is found" ends_with 134 "AddressSanitizer: heap-buffer-overflow" \
	bad_access "clang -fsanitize=address,undefined"
unit_tests asan build/asan "" --timeout-multiplier 5

# fuzz_on NAME OPTION...: runs a fuzzer; adds what it has executed to $runs.
fuzz_on() {
	fuzz_name=$1
	shift
	# What it finds on the way goes to the first folder, which is not the repository's.
	"build/asan/test/fuzz/$fuzz_name" "$@" -rss_limit_mb=4096 -timeout=20 \
		-artifact_prefix="build/fuzz/$fuzz_name-" -print_final_stats=1 \
		"build/fuzz/$fuzz_name" "test/fuzz/corpus/$fuzz_name" \
		> "$logs/$fuzz_name.stats" 2>&1 || {
		cat "$logs/$fuzz_name.stats"
		return 1
	}
	fuzz_runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$logs/$fuzz_name.stats")
	runs=$((runs + ${fuzz_runs:-0}))
}

# fuzz NAME: for so many seconds, and so many executions.
fuzz() {
	mkdir -p "build/fuzz/$1"
	corpus=$(find "test/fuzz/corpus/$1" -type f | wc -l)
	# Each input of the repository, and some that it has made of them.
	least=$((corpus + 100))
	[ "$1" != fuzz_vfio_user_message ] || least=100000
	runs=0
	fuzz_on "$1" -max_total_time="${FUZZ_SECONDS:-15}" || return 1
	[ "$runs" -ge "$least" ] || fuzz_on "$1" -runs=$((least - runs)) || return 1
	echo "figures: $corpus inputs of the repository, $runs executions"
	[ "$corpus" -gt 0 ] && [ "$runs" -ge "$least" ]
}

# One beside the other for each CPU: they are bound by time, not by work.
running=0
for f in test/fuzz/fuzz_*.c; do
	name=$(basename "$f" .c)
	check "fuzz $name" fuzz "$name" &
	running=$((running + 1))
	if [ "$running" -ge "$jobs" ]; then
		wait
		running=0
	fi
done
wait
