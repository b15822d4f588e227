# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# What DPDK's own tools show of the driver.

set -u
. test/lib.sh

check "gcc build is there" config/build.sh build || exit 1

pmdinfo=build/test-logs/pmdinfo.json
dpdk-pmdinfo.py "$so" > "$pmdinfo"
check "dpdk-pmdinfo shows the driver" jq -e '.[] | select(.name == "compress_hisi_zip")' "$pmdinfo"
# shellcheck disable=SC2016 # $key is jq's
for key in dev workers rev ext engine sw; do
	check "dpdk-pmdinfo shows the parameter $key" jq -e --arg key "$key=" \
		'.[] | select(.name == "compress_hisi_zip") | .params | contains($key)' "$pmdinfo"
done

# It takes VFs only, and wants vfio-pci. dpdk-devbind and packagers read this.
check "dpdk-pmdinfo shows the PCI driver" jq -e '.[] | select(.name == "compress_hisi_zip_pci") |
	.pci_ids == [{"vendor": "19e5", "device": "a251"}] and .kmod == "* vfio-pci"' "$pmdinfo"

check "dpdk-telemetry lists and runs our commands" sh test/stock/telemetry.sh
