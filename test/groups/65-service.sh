# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# The service and its clients, over raw bytes of the protocol; again under sanitizers, whose
# builds the groups before this have made.

set -eu
. test/lib.sh

need "gcc build is there" config/build.sh build
for sanitizer in asan tsan; do
	need "the build of the group $sanitizer is there" \
		test -x "build/$sanitizer/app/spimdevd"
done
for t in test/service/test_*.py; do
	beside reports "$(basename "$t" .py)" python3 "$t"
done

# sanitized NAME: the tests of clients on the build with that sanitizer. One that says in a line
# "# not sanitized: WHY" is left out.
sanitized() {
	for t in test/service/test_*.py; do
		label="$1, $(basename "$t" .py)"
		why=$(sed -n 's/^# not sanitized: //p' "$t")
		if [ -z "$why" ]; then
			beside reports "$label" env "SPIMDEVD=$PWD/build/$1/app/spimdevd" \
				SPIMDEVD_ARGS="--sandbox off" python3 "$t"
		elif ! planning; then
			echo "not run: $label: $why"
		fi
	done
}
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=1
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1:abort_on_error=1
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
sanitized asan
sanitized tsan
together

# The guide's client, on bytes that are not text.
example() {
	"$build/doc/client_example" local < "$so" > "$logs/example" && python3 -c 'import sys, zlib
packed, plain = (open(name, "rb").read() for name in sys.argv[1:])
sys.exit(not 0 < len(packed) < len(plain) or zlib.decompress(packed, -15) != plain)' \
		"$logs/example" "$so"
}
check "the example of the guide for clients" example
