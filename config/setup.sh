#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Installs the Debian packages that the build and the tests stand on. Does nothing, in a moment,
# when they are all there.
#
# usage: config/setup.sh [--tests | --build]
#   --build  only what builds and runs the driver with the stock DPDK programs
#   --tests  also what only the tests need: second compiler, a cache for both, memory checkers,
#            linters, Sphinx, and the source of Linux, for its checkpatch.pl

set -eu

# shellcheck source=usage.sh
. "$(dirname "$0")/usage.sh"
usage_take 0 0 "--tests --build" "$@"

# Everything to build and to run the stock DPDK programs.
packages="gcc libc6-dev binutils meson ninja-build pkg-config dpkg-dev xz-utils ca-certificates
	dpdk dpdk-dev libdpdk-dev python3-pyelftools
	libisal-dev libdeflate-dev zlib1g-dev liblz4-dev libxxhash-dev libnuma-dev libjson-c-dev
	libseccomp-dev libcmocka-dev
	python3 procps util-linux mount"
# What draws the benchmark's plot.
plot_packages="python3-matplotlib"
# DPDK's checkpatches.sh needs gawk, and the kernel's checkpatch.pl of linux-source (140 MB).
test_packages="git ccache clang llvm valgrind shellcheck jq python3-sphinx debootstrap gawk
	linux-source systemd"

say() {
	echo "setup: $*"
}

die() {
	echo "setup: $*" >&2
	exit 1
}

case "$*" in
'') packages="$packages $plot_packages" ;;
--build) ;;
--tests) packages="$packages $plot_packages $test_packages" ;;
*) die "'$*', expected nothing, --build or --tests" ;;
esac

command -v dpkg-query > /dev/null && command -v apt-get > /dev/null ||
	die "not Debian (no dpkg or apt-get); install by hand what these stand for: $packages"

# The packages of the list that are not installed, one a line.
missing_packages() {
	for p in $packages; do
		# Names like libc6-dev are listed once per architecture.
		dpkg-query -W -f '${db:Status-Status}\n' "$p" 2> /dev/null |
			grep -qx installed || echo "$p"
	done
	# The sanitizer and fuzzer runtimes carry the version of the default clang in their name.
	case " $packages " in
	*' clang '*)
		rt=$(apt-cache depends clang 2> /dev/null |
			sed -n 's/.*Depends: clang-\([0-9][0-9]*\)$/libclang-rt-\1-dev/p')
		[ -z "$rt" ] || dpkg-query -W -f '${db:Status-Status}\n' "$rt" 2> /dev/null |
			grep -qx installed || echo "$rt"
		;;
	esac
}

missing=$(missing_packages | tr '\n' ' ')
[ -n "$missing" ] || exit 0

[ "$(id -u)" -eq 0 ] ||
	die "must run as root to install: $missing"

# shellcheck source=apt.sh
. "$(dirname "$0")/apt.sh"
say "apt-get update"
apt_here update ||
	say "apt-get update had errors, going on with the lists that there are"
# The lists may only now name the clang runtime.
missing=$(missing_packages | tr '\n' ' ')
say "installing $missing"
# shellcheck disable=SC2086 # a list of words on purpose
apt_here -y install --no-install-recommends $missing > /dev/null ||
	die "apt-get could not install: $missing"

missing=$(missing_packages | tr '\n' ' ')
[ -z "$missing" ] || die "still missing after apt-get install: $missing"
say "done"
