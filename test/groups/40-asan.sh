# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Address and undefined-behaviour sanitizers over the unit tests, then over fuzzed input: 15 s
# for each fuzzer, from the corpus in test/fuzz/corpus/<fuzzer>.

set -u
. test/lib.sh

export ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:abort_on_error=1
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1:abort_on_error=1

check "clang builds with ASAN, UBSAN and the fuzzers" env CC=clang \
	config/build.sh build/asan ${sdk:+"$sdk"} \
	-Db_sanitize=address,undefined -Db_lundef=false -Dfuzz=true || exit 1
unit_tests asan build/asan --timeout-multiplier 5

fuzz() {
	fuzzer=$1
	name=$(basename "$fuzzer")
	mkdir -p "build/fuzz/$name"
	corpus=test/fuzz/corpus/$name
	[ -d "$corpus" ] || corpus=
	# What it finds on the way goes to the first folder, which is not the repository's.
	"$fuzzer" -max_total_time="${FUZZ_SECONDS:-15}" -rss_limit_mb=4096 -timeout=20 \
		-artifact_prefix="build/fuzz/$name-" -print_final_stats=1 \
		"build/fuzz/$name" ${corpus:+"$corpus"}
}

fuzzers=$(find build/asan/test/fuzz -maxdepth 1 -name 'fuzz_*' -type f -perm -u+x)
[ -n "$fuzzers" ] || echo "not ok no fuzzer was built"
# One beside the other for each CPU: they are bound by time, not by work.
running=0
for f in $fuzzers; do
	check "fuzz $(basename "$f")" fuzz "$f" &
	running=$((running + 1))
	if [ "$running" -ge "$jobs" ]; then
		wait
		running=0
	fi
done
wait
