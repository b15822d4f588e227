#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Collects what a DPDK driver needs beyond DPDK's public headers and what Debian does not install:
# seven driver-SDK headers and the pmdinfo generator; and devtools, if the source has it, which a
# test checks the drivers with. Taken, in this order, from
#   1. DIR, if given: an unpacked DPDK source tree of the installed release series, or an earlier
#      OUTDIR of this script;
#   2. the installed DPDK, if it was built with enable_driver_sdk (the headers; the generator
#      always comes from source);
#   3. the source package of exactly the installed version (source-package.sh).
#
# usage: config/dpdk-sdk.sh OUTDIR [DIR]
# For a cross-build, the environment says where "installed" is: PKG_CONFIG_LIBDIR finds the
# libdpdk in the sysroot DPDK_SYSROOT, DPDK_SOURCE_PACKAGE (NAME=VERSION) is what it was made of.
# Fills OUTDIR/include, OUTDIR/buildtools, OUTDIR/devtools and OUTDIR/VERSION; quick when that was
# done before.

set -eu

# shellcheck source=usage.sh
. "$(dirname "$0")/usage.sh"
usage_take 1 2 "" "$@"

headers="dev_driver.h bus_driver.h bus_vdev_driver.h bus_pci_driver.h
	rte_compressdev_pmd.h rte_compressdev_internal.h rte_dmadev_pmd.h"
tools="gen-pmdinfo-cfile.py pmdinfogen.py coff.py"

die() {
	echo "dpdk-sdk: $*" >&2
	exit 1
}

here=$(cd "$(dirname "$0")" && pwd)
out=$1
given=${2:-}

version=$(pkg-config --modversion libdpdk) ||
	die "pkg-config does not find libdpdk; config/setup.sh installs it"
libdpdk_include=${DPDK_SYSROOT:-}$(pkg-config --variable=includedir libdpdk)
stamp="$version ${given:-package}, with devtools and dmadev"

if [ "$(cat "$out/stamp" 2> /dev/null)" = "$stamp" ]; then
	echo "dpdk-sdk: driver headers and pmdinfogen of DPDK $version are in $out"
	exit 0
fi

# copy_from TREE DEST NAME...: each file, wherever below TREE it lies. Names are unique in DPDK.
copy_from() {
	tree=$1
	dest=$2
	shift 2
	for name; do
		path=$(find "$tree" -name "$name" -type f | head -n 1)
		[ -n "$path" ] || die "no $name below $tree; expected a DPDK $version source tree"
		cp "$path" "$dest/$name"
	done
}

# fetch_source_package WORKDIR: leaves the unpacked tree in WORKDIR/dpdk.
fetch_source_package() {
	work=$1
	pc=$(pkg-config --variable=pcfiledir libdpdk)/libdpdk.pc
	source=${DPDK_SOURCE_PACKAGE:-}
	if [ -z "$source" ]; then
		package=$(dpkg-query -S "$pc" 2> /dev/null | sed 's/: .*//' | head -n 1) || :
		[ -n "$package" ] ||
			die "DPDK $version ($pc) is not from a Debian package;" \
				"give its source tree with -Ddpdk_source=DIR"
		source=$(dpkg-query -W -f '${source:Package}=${source:Version}' "$package")
	fi

	echo "dpdk-sdk: fetching the source package $source"
	"$here/source-package.sh" "$source" "$work" ||
		die "no source of DPDK $version; upgrade it, or give -Ddpdk_source=DIR"
	[ -d "$work/dpdk" ] ||
		die "$source is not called dpdk; give its tree with -Ddpdk_source=DIR"
}

mkdir -p "$out"
out=$(cd "$out" && pwd)
rm -rf "$out/stamp" "$out/VERSION" "$out/include" "$out/buildtools" "$out/devtools" "$out/source"
mkdir -p "$out/include" "$out/buildtools" "$out/source"
trap 'rm -rf "$out/source"' EXIT

if [ -n "$given" ]; then
	[ -f "$given/VERSION" ] || die "$given has no VERSION file; expected a DPDK source tree"
	# What is taken does not change within a release series: 25.11.2 serves for 25.11.4.
	given_version=$(cat "$given/VERSION")
	[ "$(echo "$given_version" | cut -d . -f 1,2)" = "$(echo "$version" | cut -d . -f 1,2)" ] ||
		die "$given is DPDK $given_version; expected $version, the one installed," \
			"or another of its release series"
	tree=$given
else
	fetch_source_package "$out/source"
	tree=$out/source/dpdk
fi

header_tree=$tree
if [ -z "$given" ] && [ -f "$libdpdk_include/rte_compressdev_pmd.h" ]; then
	header_tree=$libdpdk_include
fi
# shellcheck disable=SC2086 # lists of words on purpose
{
	copy_from "$header_tree" "$out/include" $headers
	copy_from "$tree" "$out/buildtools" $tools
}
[ ! -d "$tree/devtools" ] || cp -r "$tree/devtools" "$out/devtools"
cp "$tree/VERSION" "$out/VERSION"
echo "$stamp" > "$out/stamp"
echo "dpdk-sdk: driver headers and pmdinfogen of DPDK $version are in $out"
