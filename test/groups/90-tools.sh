# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# What DPDK's own tools show of the driver, and gzip's own tests of spimgz.

set -eu
. test/lib.sh

need "gcc build is there" config/build.sh build

pmdinfo=build/test-logs/pmdinfo.json
read_pmdinfo() {
	dpdk-pmdinfo.py "$so" "$dma_so" > "$pmdinfo"
	cat "$pmdinfo"
}
need "dpdk-pmdinfo reads the driver" ends_with 0 '"name": "compress_hisi_zip"' read_pmdinfo

# shown NAME FILTER: something is so of the driver of that name. By jq's word, for its status says
# little of a file that is empty.
shown() {
	ends_with 0 true jq --arg name "$1" ".[] | select(.name == \$name) | $2" "$pmdinfo"
}
for param in "dev=local|unix:<path>|device:<name>" workers= rev= ext= engine= sw= verify= timeout= \
	socket_id=; do
	check "dpdk-pmdinfo shows the parameter ${param%%=*}" \
		shown compress_hisi_zip ".params | contains(\"$param\")"
done

# It takes VFs only, and wants vfio-pci. dpdk-devbind and packagers read this.
check "dpdk-pmdinfo shows the PCI driver" shown compress_hisi_zip_pci \
	'.pci_ids == [{"vendor": "19e5", "device": "a251"}] and .kmod == "* vfio-pci"'
for param in class= sw= verify= timeout= socket_id=; do
	check "dpdk-pmdinfo shows the PCI driver's parameter ${param%%=*}" \
		shown compress_hisi_zip_pci ".params | contains(\"$param\")"
done

for param in "dev=local|unix:<path>|device:<name>" workers= rev= ext= timeout= socket_id=; do
	check "dpdk-pmdinfo shows the dma driver's parameter ${param%%=*}" \
		shown dma_hisi_udma ".params | contains(\"$param\")"
done
check "dpdk-pmdinfo shows the dma driver on PCI" shown dma_hisi_udma_pci \
	'.pci_ids == [{"vendor": "19e5", "device": "a251"}] and (.params | contains("class="))'

check "dpdk-telemetry lists and runs our commands" \
	ends_with 0 '"hw_bad_data"' sh test/stock/telemetry.sh

reports "gzip's tests of spimgz" sh test/stock/gzip_suite.sh
