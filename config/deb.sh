#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Builds the Debian packages of this tree, in a chroot of the release that they are for, and looks
# at them with lintian. First it gets what that release's packages of DPDK lack (dpdk-sdk.sh), and
# puts it into the source package: the build itself, of that source package, has no network.
#
# usage: config/deb.sh [SUITE [ARCH]]
#   SUITE  default: this machine's release
#   ARCH   amd64 or arm64; default: this machine's. The other one is cross-built.
# Leaves them in build/deb/SUITE-ARCH. If build/dpdk-source/SUITE is there, it is taken for a DPDK
# source tree of that release series, which the driver's headers come from; else they come from the
# suite's source package.

set -eu

# shellcheck source=usage.sh
. "$(dirname "$0")/usage.sh"
usage_take 0 2 "" "$@"

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
	# An earlier run may have been interrupted.
	dpkg --configure -a
	cd "$out/spimdev"
	crossbuild=
	[ "$arch" = "$native" ] || crossbuild="--host-architecture $arch -P cross,nocheck"
	# shellcheck disable=SC2086 # two options on purpose
	apt-get -qq -y -o Dpkg::Use-Pty=0 --no-install-recommends $crossbuild build-dep ./
	given=
	[ ! -e "$top/build/dpdk-source/$suite" ] || given=$top/build/dpdk-source/$suite
	triplet=$(dpkg-architecture -a "$arch" -q DEB_HOST_MULTIARCH)
	PKG_CONFIG_LIBDIR=/usr/lib/$triplet/pkgconfig:/usr/share/pkgconfig \
		sh config/dpdk-sdk.sh "$top/$out/dpdk-sdk" ${given:+"$given"}
	# What only a test of ours needs stays out.
	tar -C "$top/$out" -c --exclude devtools --exclude stamp dpdk-sdk | tar -x
	cd ..
	dpkg-source -b spimdev
	rm -rf spimdev
	dpkg-source -x spimdev_*.dsc build
	cd build
	DEB_BUILD_OPTIONS="nocheck parallel=$(nproc)" unshare --net \
		dpkg-buildpackage -b -us -uc -a "$arch"
	cd ..
	rm -rf build
	lintian --allow-root --fail-on error,warning ./*.dsc ./*.changes
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
echo "deb: $suite $arch: fetching DPDK's driver headers and what the build depends on;" \
	"then building without network"
mkdir "$out/spimdev"
tar -c --exclude=./.git --exclude='./build*' --exclude=__pycache__ . | tar -x -C "$out/spimdev"
log=$out/build.log
config/chroot.sh --run "$chroot" env SPIMDEV_DEB_INSIDE=1 "config/deb.sh" "$suite" "$arch" \
	> "$log" 2>&1 || {
	tail -n 30 "$log" | cut -c 1-200 >&2
	die "$suite $arch: failed (all of it: $log)"
}
echo "deb: $(find "$out" -name '*.deb' -printf '%f ')in $out"
