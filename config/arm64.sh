#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Cross-builds for arm64: installs the cross compiler and qemu-user, makes a sysroot of this
# release's arm64 packages in build/arm64-sysroot, and builds in DIR. Quick when that was done
# before. No foreign architecture is made known to the machine's own dpkg.
#
# usage: config/arm64.sh [DIR [MESON-ARGUMENT...]]
# DIR is meant from the top of the tree; default: build/arm64. "meson test -C DIR" runs the tests
# under qemu-user; with build/arm64-sysroot/wrap first in PATH and SPIMDEV_BUILD=DIR, the scripts in
# test/stock run the arm64 programs.

set -eu

# shellcheck source=usage.sh
. "$(dirname "$0")/usage.sh"
usage_take 0 "$#" "..." "$@"

cd "$(dirname "$0")/.."
# shellcheck source=apt.sh
. config/apt.sh
dir=${1:-build/arm64}
[ $# -eq 0 ] || shift
sysroot=$PWD/build/arm64-sysroot
work=$PWD/build/arm64-work

# To build, and DPDK's own programs to test with.
packages="libc6-dev libgcc-12-dev libisal-dev libdeflate-dev zlib1g-dev liblz4-dev libxxhash-dev
	libnuma-dev libjson-c-dev libseccomp-dev libcmocka-dev
	libdpdk-dev dpdk-dev"
# What these depend on only for programs that nothing here runs.
unneeded="^(perl|perl-.*|python.*|libpython.*|libperl.*|systemd.*|dpkg.*|debconf|bash|dash|udev)\$"

die() {
	echo "arm64: $*" >&2
	exit 1
}

tools="gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static"
missing=
for p in $tools; do
	# shellcheck disable=SC2016 # dpkg-query's own
	dpkg-query -W -f '${db:Status-Status}\n' "$p" 2> /dev/null | grep -qx installed ||
		missing="$missing $p"
done
if [ -n "$missing" ]; then
	[ "$(id -u)" -eq 0 ] || die "must run as root to install:$missing"
	echo "arm64: installing$missing"
	apt_here update || :
	# shellcheck disable=SC2086 # a list of words on purpose
	apt_here -y install --no-install-recommends $missing > /dev/null ||
		die "apt-get could not install:$missing"
fi

# apt for arm64, beside the machine's own: it believes that nothing is installed.
apt_arm64() {
	apt-get -c "$work/apt.conf" -qq "$@"
}

# make_sysroot: downloads the packages and what they need, and unpacks them. None is configured.
make_sysroot() {
	log=$work/log
	rm -rf "$sysroot" "$work"
	mkdir -p "$sysroot" "$work/lists/partial" "$work/cache/archives/partial" "$work/debs"
	: > "$work/status"
	apt_debian_sources > "$work/sources.list"
	# On top of the machine's configuration, so that its proxies hold; without its hooks.
	cat > "$work/apt.conf" <<-END
		#clear APT::Update::Pre-Invoke;
		#clear APT::Update::Post-Invoke;
		#clear APT::Update::Post-Invoke-Success;
		#clear APT::Architectures;
		APT::Architecture "arm64";
		APT::Architectures { "arm64"; };
		APT::Install-Recommends "false";
		APT::Sandbox::User "root";
		Dir::Etc::SourceList "$work/sources.list";
		Dir::Etc::SourceParts "/dev/null";
		Dir::State::Lists "$work/lists";
		Dir::State::status "$work/status";
		Dir::Cache "$work/cache";
	END
	apt_patience >> "$work/apt.conf"
	echo "arm64: fetching arm64 packages"
	apt_arm64 update > "$log" 2>&1 || {
		cat "$log" >&2
		die "apt-get update for arm64 failed"
	}
	# shellcheck disable=SC2086 # lists of words on purpose
	names=$(apt_arm64 -s install $packages 2>> "$log" |
		sed -n 's/^Inst \([^ ]*\) .*/\1/p' | grep -Ev "$unneeded")
	# shellcheck disable=SC2086
	[ -n "$names" ] && (cd "$work/debs" && apt_arm64 download $names >> "$log" 2>&1) || {
		cat "$log" >&2
		die "cannot fetch the arm64 packages of $packages"
	}
	for deb in "$work"/debs/*.deb; do
		# Static DPDK is a third of it all, and not used.
		dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$sysroot" --no-same-owner \
			--exclude='./usr/share/doc' --exclude='./usr/share/man' \
			--exclude='./usr/share/locale' --exclude='*/librte_*.a' ||
			die "cannot unpack $deb"
	done
	# shellcheck disable=SC2016 # dpkg-deb's own
	source=$(dpkg-deb -W --showformat='${source:Package}=${source:Version}' \
		"$work"/debs/libdpdk-dev_*.deb)
	ccache=
	! command -v ccache > /dev/null || ccache="'ccache', "
	sed "s|@SYSROOT@|$sysroot|; s|@DPDK_SOURCE_PACKAGE@|$source|; s|@CCACHE@|$ccache|" \
		config/arm64-cross.ini > "$sysroot/cross.ini"
	echo "arm64: $(find "$work/debs" -name '*.deb' | wc -l) packages," \
		"$(du -sm "$sysroot" | cut -f 1) MB in build/arm64-sysroot"
	rm -rf "$work"
	echo "$packages" > "$sysroot/stamp"
}

mkdir -p build
# Two at once, say of two groups of tests, take turns.
exec 9> build/arm64.lock
flock 9
[ "$(cat "$sysroot/stamp" 2> /dev/null)" = "$packages" ] || make_sysroot
# To be found before the machine's own: DPDK's programs for arm64, as if they were native.
mkdir -p "$sysroot/wrap"
for program in dpdk-test dpdk-test-compress-perf; do
	printf '#!/bin/sh\nexec qemu-aarch64-static -L "%s" "%s" "$@"\n' \
		"$sysroot" "$sysroot/usr/bin/$program" > "$sysroot/wrap/$program"
	chmod +x "$sysroot/wrap/$program"
done
# Only a new build folder can be told what it is for.
[ -f "$dir/build.ninja" ] || set -- --cross-file "$sysroot/cross.ini" "$@"
config/build.sh "$dir" "$@"
