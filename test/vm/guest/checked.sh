# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# An application that compares every result (test/service/restart_client.c) uses the function for
# some time; whatever happens to the function, no op may fail and no byte be wrong. What went on
# meanwhile is told by lines of the driver that hold these words.
#
# usage: checked SECONDS OPS [DEVARG [WORD...]]
#   OPS   to be done in that time, at least

# shellcheck source=lib.sh
. /tests/lib.sh
seconds=$1
ops=$2
devarg=${3:-}
[ $# -lt 3 ] && shift 2 || shift 3
zip=$(zip_address)
use_vfio "$zip"

load_restart_client --no-telemetry --lcores 0@0 -m 256 -a "$zip${devarg:+,$devarg}" > "$out" 2>&1 &
client=$!
tries=0
until grep -q '^ready' "$out"; do
	tries=$((tries + 1))
	kill -0 "$client" 2> /dev/null && [ "$tries" -lt 6000 ] || {
		cat "$out"
		fail "the application is not ready"
	}
	usleep 100000
done
# The host may begin what it wants to do beside.
echo "VM: ready"
sleep "$seconds"
kill -TERM "$client"
status=0
wait "$client" || status=$?
sed -n 's/^HISI[_A-Z]*: /VM: /p' "$out"
[ "$status" -eq 0 ] || {
	tail -n 5 "$out"
	fail "the application ended with $status"
}
for word; do
	grep -q "^HISI_ZIP: .*$word" "$out" || fail "the driver did not say '$word'"
done
done=$(sed -n '$s/ .*//p' "$out")
echo "VM: $done ops done and compared"
[ "$done" -ge "$ops" ] || fail "expected at least $ops"
# Of a function that is gone the kernel has to say something.
case " $* " in
*" gone "*) ;;
*) clean_kernel_log ;;
esac
