# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# The service and its clients, over raw bytes of the protocol; again under sanitizers, whose
# builds the groups before this have made.

set -u
. test/lib.sh

check "gcc build is there" config/build.sh build || exit 1
for t in life clients spimctl control; do
	timeout 300 python3 "test/service/test_$t.py"
done

# sanitized NAME: the tests of clients on the build with that sanitizer, names in front.
sanitized() {
	name=$1
	[ -x "build/$name/app/spimdevd" ] || {
		echo "not ok $name: no build/$name/app/spimdevd; the group $name makes it"
		return
	}
	for t in clients spimctl control; do
		SPIMDEVD=$PWD/build/$name/app/spimdevd SPIMDEVD_ARGS="--sandbox off" \
			timeout 600 python3 "test/service/test_$t.py" |
			sed "s/^\(not \)*ok /&$name: /"
	done
}
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=1
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1:abort_on_error=1
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
sanitized asan
sanitized tsan

# Programs without DPDK: the C interface by the shared library, and spimgz.
test/service/spimgz.sh build

# pmd_by_service TEST COUNT: a test of the driver over the service.
pmd_by_service() {
	socket=$logs/service-$$
	"$build/app/spimdevd" --listen "$socket" --workers 1 > "$logs/service-pmd" 2>&1 &
	server=$!
	tries=0
	until grep -q listening "$logs/service-pmd" || [ "$tries" -ge 500 ]; do
		tries=$((tries + 1))
		sleep 0.01
	done
	status=0
	timeout 300 "$build/test/pmd/test_pmd_$1" -- --dev "dev=unix:$socket" --count "$2" ||
		status=$?
	kill "$server"
	wait "$server"
	return "$status"
}
# Half of the chains have external memory, which the service cannot see.
check "the driver over the service, with memory of all kinds" pmd_by_service stateless 100
check "the driver over the service, with memory that is mapped" pmd_by_service extmem 20

# The guide's client, on bytes that are not text.
example() {
	"$build/doc/client_example" local < "$so" > "$logs/example" && python3 -c 'import sys, zlib
packed, plain = (open(name, "rb").read() for name in sys.argv[1:])
sys.exit(zlib.decompress(packed, -15) != plain)' "$logs/example" "$so"
}
check "the example of the guide for clients" example
