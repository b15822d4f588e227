#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Builds the Debian packages of a release, installs them in a Debian of that release, runs their
# autopkgtest (debian/tests), and looks at what a purge leaves behind. Of all that only the fetching
# beforehand has a network.
#
# usage: test/packages.sh SUITE[:ARCH]
#   SUITE  bookworm (DPDK 22.11), trixie (24.11), sid (25.11)
#   ARCH   amd64 or arm64; default: this machine's. The other one's packages are cross-built, and
#          their Debian runs by qemu-user.
# What to install is left in build/deb, the Debian in build/chroot/SUITE.installed.

set -eu

# shellcheck source=../config/usage.sh
. "$(dirname "$0")/../config/usage.sh"
usage_take 1 1 "" "$@"

cd "$(dirname "$0")/.."
. test/lib.sh
suite=${1%%:*}
arch=${1#"$suite"}
arch=${arch#:}
native=$(dpkg --print-architecture)
arch=${arch:-$native}
installed=$suite.installed:$arch
found=$logs/packages-$1

ours="^librte-common-hisi ^librte-compress-hisi-zip ^librte-dma-hisi-udma ^spimdev.* ^libspimdev.*"

in_suite() {
	unshare --net config/chroot.sh --run "$installed" "$@"
}

# every_file: all that a package could leave behind: names, what is in /etc, states of packages,
# users.
every_file() {
	# shellcheck disable=SC2016 # dpkg-query's own
	in_suite sh -euc '
		find / -xdev \( -path /var/cache -o -path /var/lib/apt -o -path "$1" \) \
			-prune -o -print
		find /etc -xdev -type f ! -name ld.so.cache -exec sha256sum {} +
		dpkg-query -W -f "\${Package} \${Version} \${db:Status-Abbrev}\n"
	' every_file "$top" | sort
}

apt() {
	in_suite apt-get -qq -y -o Dpkg::Use-Pty=0 --no-install-recommends "$@"
}

# files WHEN: keeps every_file.
files() {
	every_file > "$found.$1" && grep -c . "$found.$1"
}

# The system that it all happens in. What an interrupted run has left goes: first what autopkgtest
# makes apt fail with.
debian() {
	in_suite dpkg --purge autopkgtest-satdep || :
	config/chroot.sh "$installed" dpdk dpdk-dev autopkgtest dpkg-dev gcc libc6-dev pkgconf
}
fresh() {
	# shellcheck disable=SC2086 # a list of words on purpose
	apt purge $ours || :
	apt autoremove --purge && files before
}

install_debs() {
	debs=$(find "build/deb/$suite-$arch" -name '*.deb' ! -name '*-dbgsym_*' -printf './%p ')
	# shellcheck disable=SC2086 # a list of words on purpose
	config/chroot.sh --run "$installed" apt-get -qq -y --no-install-recommends \
		--download-only install $debs && apt install $debs && files installed
}

# As it is what others run: the tests of the source package, on what is installed.
source_tests() {
	dsc=$(find "build/deb/$suite-$arch" -name '*.dsc')
	# Its own compiled Python is nothing that our packages leave behind.
	in_suite env PYTHONDONTWRITEBYTECODE=1 autopkgtest --no-built-binaries \
		--env "SPIMDEVD_OPTIONS=$emulated" \
		"$dsc" -- null
}

purge_debs() {
	# shellcheck disable=SC2086 # likewise
	apt purge --autoremove $ours && files after
}

within 3600 need "packages are built, lintian finds nothing" config/deb.sh "$suite" "$arch"
within 3600 need "a Debian with DPDK's programs and autopkgtest" debian
need "nothing else" fresh
need "apt-get install" install_debs
# What qemu-user runs cannot filter its system calls.
emulated=
[ "$arch" = "$native" ] || emulated="--sandbox off"
within 1800 reports autopkgtest source_tests
driver_without_faults() {
	in_suite dpdk-test --no-huge -m 256 --no-pci --vdev compress_hisi_zip,fault=stall@1 \
		compressdev_autotest 2>&1 | grep -F "unknown device argument fault=stall@1"
}
check "the driver injects no faults" driver_without_faults
check "the service injects no faults" ends_with 2 "unknown option --fault" \
	in_suite spimdevd --fault stall@1
check "apt-get purge" purge_debs
check "the install put something there" \
	ends_with 1 " differ: " cmp "$found.before" "$found.installed"
check "the purge leaves nothing behind" diff "$found.before" "$found.after"
exit "$failed"
