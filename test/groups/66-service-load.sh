# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# The service under load, in short forms; doc/guides/testing_service.rst has the full ones.
# Bounds of time are for a machine that does nothing else: SLACK is what is allowed here, in
# percent of them.

set -eu
. test/lib.sh

need "gcc build is there" config/build.sh build
service=$build/app/spimdevd
load=$build/test/service/load
slack=${SLACK:-2000}

# A program must have got as far as its last figures.
check "64 processes share 32 queues" ends_with 0 "descriptors of the service per connection" \
	"${load}_swarm" --service "$service"
check "first completion, kill of a busy client" \
	ends_with 0 "queues of the service in use: 0 " "${load}_latency" \
	--service "$service" --slack "$slack"
check "shares of clients" ends_with 0 "wait of small ops beside 1024 KiB ops" \
	"${load}_fairness" --service "$service" --cost 5 --slack "$slack"
check "8 DPDK processes at once" ends_with 0 "8 DPDK processes, " \
	python3 test/service/swarm_pmd.py
for sw in off auto; do
	check "8 DPDK processes at once with 4 queues, sw=$sw" ends_with 0 "8 DPDK processes, " \
		python3 test/service/swarm_pmd.py --queues 4 --sw "$sw"
done

export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
tsan_swarm() {
	[ -x build/tsan/app/spimdevd ] || {
		echo "no build/tsan/app/spimdevd; the group tsan makes it"
		return 1
	}
	"${load}_swarm" --service "$build/tsan/app/spimdevd --sandbox off" \
		--procs 48 --queues 16 --rounds 30 --kib 4096
}
check "tsan: 48 processes share 16 queues" \
	ends_with 0 "descriptors of the service per connection" tsan_swarm

for sw in off auto; do
	check "service killed every second under 4 DPDK clients, sw=$sw" \
		ends_with 0 " 0 failed, 0 wrong;" python3 test/service/restart.py \
		--client "${load}_restart_client" --sw "$sw"
done
