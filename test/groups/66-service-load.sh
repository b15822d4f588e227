# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# The service under load, in short forms; doc/guides/testing_service.rst has the full ones.
# Bounds of time are for a machine that does nothing else: SLACK is what is allowed here, in
# percent of them.

set -u
. test/lib.sh

check "gcc build is there" config/build.sh build || exit 1
service=$build/app/spimdevd
load=$build/test/service/load
slack=${SLACK:-2000}

check "64 processes share 32 queues" timeout 120 "${load}_swarm" --service "$service"
check "first completion, kill of a busy client" timeout 120 "${load}_latency" \
	--service "$service" --slack "$slack"
check "shares of clients" timeout 180 "${load}_fairness" --service "$service" --cost 5 \
	--slack "$slack"
check "8 DPDK processes at once" timeout 180 python3 test/service/swarm_pmd.py
for sw in off on; do
	check "8 DPDK processes at once with 4 queues, sw=$sw" timeout 180 \
		python3 test/service/swarm_pmd.py --queues 4 --sw "$sw"
done

export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
if [ -x build/tsan/app/spimdevd ]; then
	check "tsan: 48 processes share 16 queues" timeout 300 "${load}_swarm" \
		--service "$build/tsan/app/spimdevd --sandbox off" \
		--procs 48 --queues 16 --rounds 30 --kib 4096
else
	echo "not ok tsan: no build/tsan/app/spimdevd; the group tsan makes it"
fi

for sw in off on; do
	check "service killed every second under 4 DPDK clients, sw=$sw" timeout 180 \
		python3 test/service/restart.py --client "${load}_restart_client" --sw "$sw"
done
