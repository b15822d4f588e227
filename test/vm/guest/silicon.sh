# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# The report from the field, app/silicon.sh, of the function bound to vfio-pci.
#
# usage: silicon quick|whole

# shellcheck source=lib.sh
. /tests/lib.sh
zip=$(zip_address)
use_vfio "$zip"

quick=
[ "$1" != quick ] || quick=--quick
mkdir -p /run/lock
run env SPIMDEV_SETUP=none sh /spimdev/app/silicon.sh $quick
sed 's/^/VM: | /' "$out"
[ "$(tail -n 1 "$out")" = "silicon: done" ] || fail "the report has no end"
grep -q '^path comp_raw: o' "$out" || fail "the report says nothing of comp_raw"
grep -q '^U16, gzip: produced counts [0-9]' "$out" || fail "the report does not answer U16"
grep -q 'driver vfio-pci' "$out" || fail "the report does not name the function's driver"
! grep "$zip" "$out" || fail "the report names the function's address"
if [ -z "$quick" ]; then
	grep -q '^sw=auto: Executed 27, Passed 27,' "$out" || fail "expected 27 passed with sw=auto"
	[ "$(grep -cE '^ +(1|8|32|70) +[0-9]' "$out")" -eq 4 ] || fail "expected 4 throughputs"
fi
clean_kernel_log
