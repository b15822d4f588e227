# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# The build that everything after uses, its unit tests, and its installation.

set -eu
. test/lib.sh

need "gcc builds without a warning" config/build.sh build -Ddocs=enabled
unit_tests gcc build "" --timeout-multiplier 3

# What EAL needs to find the driver by itself.
installed() {
	dest=$(mktemp -d) || return 1
	DESTDIR=$dest meson install -C build --no-rebuild || return 1
	find "$dest" -name '*hisi*' | sort
	pmds=$(find "$dest" -type d -name 'pmds-*')
	abi=${pmds##*pmds-}
	for name in librte_common_hisi.so librte_compress_hisi_zip.so librte_dma_hisi_udma.so; do
		for link in "$name" "$name.${abi%%.*}" "$name.$abi"; do
			target=$(readlink "$pmds/$link") || return 1
			[ -f "$dest$target" ] || return 1
		done
		objdump -p "$dest$target" | grep -q "SONAME *$name.${abi%%.*}\$" || return 1
	done
	# EAL opens what the link points to; no path of ours is looked at but that folder.
	objdump -p "$dest$target" | grep 'PATH' | grep -qv 'R.*PATH *.ORIGIN/*$' && return 1
	ldd "$dest$target" | grep "librte_common_hisi.so.${abi%%.*} => $dest" || return 1
	rm -rf "$dest"
}
check "meson install puts the drivers where EAL looks" installed

# Symbols of ours must not meet those of an application or of another driver.
exports_its_version() {
	symbols=$(nm -D --defined-only "$1") || return 1
	echo "$symbols"
	echo "$symbols" | grep -q ' A DPDK_' && ! echo "$symbols" | grep -qv ' A DPDK_'
}
check "the driver exports nothing but its ABI version" exports_its_version "$so"
check "the dma driver exports nothing but its ABI version" exports_its_version "$dma_so"

# The library is for drivers of the same build, and they have no copy of what is in it.
exports_for_drivers() {
	symbols=$(nm -D --defined-only "$common") || return 1
	echo "$symbols"
	echo "$symbols" | grep -q ' T hisi_.*@@INTERNAL$' || return 1
	echo "$symbols" | grep -qv ' A INTERNAL$\| T hisi_.*@@INTERNAL$' && return 1
	symbols=$(nm "$so" "$dma_so") || return 1
	! echo "$symbols" | grep ' [Tt] \(spim_\|hisi_qm_qp_\|qm_dev_\|hisi_hwq_\|hisi_dev_\)'
}
check "the library exports to drivers only, which have no copy of it" exports_for_drivers

finds_library() {
	cd / && ldd "$1" | grep "librte_common_hisi.so.* => $build/drivers/"
}
check "the driver finds the library beside it, whatever folder is the current one" \
	finds_library "$so"
check "the dma driver finds the library beside it, whatever folder is the current one" \
	finds_library "$dma_so"

check "the example of the DMA guide" ends_with 0 "65536 bytes filled and copied" \
	"$build/doc/hisi_udma_example" --no-huge -m 256 --no-pci --no-telemetry \
	--file-prefix=dma_example -d "$dma_so" --vdev dma_hisi_udma
planning || rm -rf /var/run/dpdk/dma_example
