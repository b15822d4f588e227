#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Builds the Debian packages of this tree, in a chroot of the release that they are for, and looks
# at them with lintian. They are for the DPDK of that release: its ABI is part of the driver
# package's name.
#
# usage: config/deb.sh [SUITE [ARCH]]
#   SUITE  default: this machine's release
#   ARCH   amd64 or arm64; default: this machine's. The other one is cross-built.
# Leaves them in build/deb/SUITE-ARCH. If build/dpdk-source/SUITE is there, it is taken for a DPDK
# source tree of that release series, which the driver's headers come from; else they come from the
# suite's source package.

set -eu

cd "$(dirname "$0")/.."
top=$PWD
native=$(dpkg --print-architecture)
suite=${1:-$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)}
arch=${2:-$native}
out=build/deb/$suite-$arch

die() {
	echo "deb: $*" >&2
	exit 1
}

case $arch in
amd64 | arm64) ;;
*) die "architecture '$arch', expected amd64 or arm64" ;;
esac

# The second half: inside the chroot, where the packages to build with are.
if [ "${SPIMDEV_DEB_INSIDE:-}" = 1 ]; then
	if [ "$arch" != "$native" ]; then
		dpkg --add-architecture "$arch"
		apt-get -qq update
	fi
	abi=$(apt-cache show libdpdk-dev | sed -n 's/.*librte-compressdev\([0-9][0-9]*\).*/\1/p' |
		head -n 1)
	dpdk=$(apt-cache show libdpdk-dev | sed -n 's/^Version: \([0-9]*\.[0-9]*\).*/\1/p' |
		head -n 1)
	[ -n "$abi" ] && [ -n "$dpdk" ] || die "no ABI in the dependencies of $suite's libdpdk-dev"
	# An earlier run may have been interrupted.
	dpkg --configure -a
	cd "$out/source"
	sed "s/@ABI@/$abi/g; s/@DPDK@/$dpdk/g" debian/control.in > debian/control
	crossbuild=
	[ "$arch" = "$native" ] || crossbuild="--host-architecture $arch -P cross,nocheck"
	# shellcheck disable=SC2086 # two options on purpose
	apt-get -qq -y -o Dpkg::Use-Pty=0 --no-install-recommends $crossbuild build-dep ./
	given=
	[ ! -e "$top/build/dpdk-source/$suite" ] || given=$top/build/dpdk-source/$suite
	triplet=$(dpkg-architecture -a "$arch" -q DEB_HOST_MULTIARCH)
	PKG_CONFIG_LIBDIR=/usr/lib/$triplet/pkgconfig:/usr/share/pkgconfig \
		sh config/dpdk-sdk.sh "$top/$out/dpdk-sdk" ${given:+"$given"}
	DPDK_SOURCE=$top/$out/dpdk-sdk DEB_BUILD_OPTIONS="nocheck parallel=$(nproc)" \
		dpkg-buildpackage -us -uc -a "$arch"
	lintian --allow-root --fail-on error,warning ../*.changes
	exit
fi

# What is installed for another architecture does not go with all that is there for this one.
chroot=$suite
compiler=build-essential
if [ "$arch" != "$native" ]; then
	chroot=$suite.$arch
	compiler="build-essential crossbuild-essential-$arch"
fi
# shellcheck disable=SC2086 # two packages on purpose
config/chroot.sh "$chroot" $compiler debhelper dpkg-dev lintian
# Two at once take turns.
mkdir -p build/deb
exec 8> "build/deb/$suite-$arch.lock"
flock 8
# DPDK's driver headers may stay: they know of which version they are.
mkdir -p "$out"
find "$out" -mindepth 1 -maxdepth 1 ! -name dpdk-sdk -exec rm -rf {} +
mkdir "$out/source"
tar -c --exclude=./.git --exclude='./build*' --exclude=__pycache__ . | tar -x -C "$out/source"
log=$out/build.log
config/chroot.sh --run "$chroot" env SPIMDEV_DEB_INSIDE=1 "config/deb.sh" "$suite" "$arch" \
	> "$log" 2>&1 || {
	tail -n 30 "$log" | cut -c 1-200 >&2
	die "$suite $arch: failed (all of it: $log)"
}
rm -rf "$out/source"
echo "deb: $(find "$out" -name '*.deb' -printf '%f ')in $out"
