# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# The build that everything after uses, its unit tests, and its installation.

set -eu
. test/lib.sh

need "gcc builds without a warning" config/build.sh build -Ddocs=enabled
unit_tests gcc build ""

# What EAL needs to find the driver by itself.
installed() {
	dest=$(mktemp -d) || return 1
	DESTDIR=$dest meson install -C build --no-rebuild || return 1
	find "$dest" -name '*hisi_zip*' | sort
	pmds=$(find "$dest" -type d -name 'pmds-*')
	abi=${pmds##*pmds-}
	so=librte_compress_hisi_zip.so
	for link in "$so" "$so.${abi%%.*}" "$so.$abi"; do
		target=$(readlink "$pmds/$link") || return 1
		[ -f "$dest$target" ] || return 1
	done
	objdump -p "$dest$target" | grep -q "SONAME *$so.${abi%%.*}\$" || return 1
	rm -rf "$dest"
}
check "meson install puts the driver where EAL looks" installed

# Symbols of ours must not meet those of an application or of another driver.
exports_its_version() {
	symbols=$(nm -D --defined-only "$so") || return 1
	echo "$symbols"
	echo "$symbols" | grep -q ' A DPDK_' && ! echo "$symbols" | grep -qv ' A DPDK_'
}
check "the driver exports nothing but its ABI version" exports_its_version
