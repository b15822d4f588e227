# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# DPDK's compressdev_autotest on the function, bound to vfio-pci, on hugepages.
#
# usage: autotest all|some [DEVARGS]
#   all   27 executed and passed, none unsupported
#   some  none failed, 20 passed; what the hardware alone cannot do is unsupported

# shellcheck source=lib.sh
. /tests/lib.sh
want=$1
devargs=${2:-}
zip=$(zip_address)
use_vfio "$zip"

run dpdk-test --no-telemetry -m 256 -a "$zip${devargs:+,$devargs}" compressdev_autotest
echo "VM: autotest: $(counts)"
case "$want" in
all)
	[ "$(counts)" = "executed 27 passed 27 unsupported 0 failed 0 skipped 0" ] || {
		grep -E 'TestCase|ERR|hisi_zip' "$out" | grep -v ' succeeded' | tail -n 30
		fail "expected 27 executed, 27 passed, 0 unsupported"
	} ;;
some)
	sed -n 's/^ *+ TestCase \[ *\([0-9]*\)\] : \([^ ]*\) \(.*\)/VM: | \1 | \2 | \3/p' "$out"
	[ "$(summary Failed)" = 0 ] && [ "$(summary Passed)" -ge 20 ] ||
		fail "expected none failed and 20 passed" ;;
esac
clean_kernel_log
