#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# A minimal Debian of another release in build/chroot/SUITE, for what this machine's release does
# not have: newer releases of DPDK, herdtools7.
#
# usage: config/chroot.sh SUITE[.NAME][:ARCH] [PACKAGE...]  make it if need be, install the packages
#        config/chroot.sh --run SUITE[.NAME][:ARCH] COMMAND [ARG...]  run a command in it
#        config/chroot.sh --fresh SUITE[.NAME] COMMAND [ARG...]  the same, in a copy: what the
#                                                 command changes is gone when it ends
#
# With a NAME it is another one of that release, for what must not see what the first one has. With
# an ARCH that is not this machine's, say arm64, all that is in it runs by qemu-user (foreign.sh).
# Making it is quick when that was done before. A command runs as root in the top of the source
# tree, which lies at the same path inside, and sees this machine's hugepages; /sys is read-only.
# Mounts are in a mount namespace of the command's own, hence gone when it ends, however it ends:
# nothing is ever mounted below build/chroot as seen from here, and the folder may be removed at
# any time.

set -eu

# shellcheck source=usage.sh
. "$(dirname "$0")/usage.sh"
usage_take 1 "$#" "--run --fresh ..." "$@"

top=$(realpath "$(dirname "$0")/..")
# shellcheck source=apt.sh
. "$top/config/apt.sh"

die() {
	echo "chroot: $*" >&2
	exit 1
}

[ "$(id -u)" -eq 0 ] || die "must run as root"
run=
copy=
fresh=
if [ "${1:-}" = --run ] || [ "${1:-}" = --fresh ]; then
	[ "$1" = --run ] || fresh=1
	run=1
	shift
fi
wanted=$1
native=$(dpkg --print-architecture)
arch=$native
case $1 in
*:*) arch=${1#*:} ;;
esac
name=${1%%:*}
suite=${name%%.*}
shift
foreign=
if [ "$arch" != "$native" ]; then
	name=$name-$arch
	foreign=$arch
fi
root=$top/build/chroot/$name

# inside COMMAND...: runs it in the chroot.
inside() {
	mkdir -p "$root$top" "$root/dev/shm" "$root/dev/hugepages" "$root/run"
	# shellcheck disable=SC2016 # the inner shell's own variables
	unshare --mount --propagation private sh -euc '
		root=$1
		top=$2
		foreign=$3
		copy=$4
		shift 4
		if [ -n "$copy" ]; then
			# In memory, as not each file system can be the upper one.
			mount -t tmpfs -o mode=0755 tmpfs "$copy"
			mkdir "$copy/up" "$copy/work" "$copy/root"
			mount -t overlay overlay "$copy/root" \
				-o "lowerdir=$root,upperdir=$copy/up,workdir=$copy/work"
			root=$copy/root
		fi
		mount -t proc proc "$root/proc"
		mount --bind /sys "$root/sys"
		mount -o remount,bind,ro "$root/sys"
		mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
		mount -t tmpfs -o mode=0755 tmpfs "$root/run"
		if grep -q " /dev/hugepages hugetlbfs " /proc/mounts; then
			mount --bind /dev/hugepages "$root/dev/hugepages"
		fi
		mount --bind "$top" "$root$top"
		exec ${foreign:+"$top/config/foreign.sh" "$foreign"} chroot "$root" \
			/usr/bin/env -i HOME=/root TERM=dumb LC_ALL=C.UTF-8 \
			PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
			DEBIAN_FRONTEND=noninteractive \
			sh -c "cd \"\$0\" && exec \"\$@\"" "$top" "$@"
	' chroot.sh "$root" "$top" "$foreign" "$copy" "$@"
}

if [ -n "$run" ]; then
	[ -e "$root/.made" ] || die "no $root; make it first: config/chroot.sh $wanted"
	[ $# -ge 1 ] || die "no command to run in $name"
	if [ -z "$fresh" ]; then
		inside "$@"
		exit
	fi
	copy=$(mktemp -d "$top/build/chroot/fresh.XXXXXX")
	trap 'rmdir "$copy"' EXIT
	trap 'exit 130' HUP INT TERM
	inside "$@"
	exit
fi

bootstrap() {
	rm -rf --one-file-system "$root"
	unshare --mount --propagation private \
		debootstrap --variant=minbase --include=ca-certificates --arch="$arch" \
		${foreign:+--foreign} "$suite" "$root" "$mirror"
}

# Two at once, say of two groups of tests, take turns.
mkdir -p "$top/build/chroot"
exec 9> "$top/build/chroot/$name.lock"
flock 9

log=$top/build/chroot/$name.log
fail() {
	tail -n 30 "$log" >&2
	die "$* (all of it: $log)"
}

# apt's lists are kept: what is to be installed later must fit what is there already.
if ! [ -e "$root/.made" ]; then
	command -v debootstrap > /dev/null ||
		die "no debootstrap; config/setup.sh --tests installs it"
	mirror=$(apt_mirror)
	echo "chroot: debootstrap $suite $arch from $mirror"
	again bootstrap > "$log" 2>&1 || fail "debootstrap of $suite failed"
	# The half that runs what was unpacked, in a place that need not stand making devices.
	[ -z "$foreign" ] || inside env container=lxc /debootstrap/debootstrap --second-stage \
		>> "$log" 2>&1 || fail "the second stage of debootstrap of $suite failed"
	cp /etc/resolv.conf "$root/etc/resolv.conf"
	apt_network > "$root/etc/apt/apt.conf.d/99network"
	echo 'Acquire::Languages "none";' > "$root/etc/apt/apt.conf.d/99languages"
	# Nobody needs it after a power cut.
	echo force-unsafe-io > "$root/etc/dpkg/dpkg.cfg.d/unsafe-io"
	# The source packages too: a build for this release takes DPDK's driver headers from there.
	for type in deb deb-src; do
		echo "$type $mirror $suite main"
	done > "$root/etc/apt/sources.list"
	inside apt-get -qq update >> "$log" 2>&1 || fail "apt-get update failed in $name"
	touch "$root/.made"
fi

missing=
for p; do
	# shellcheck disable=SC2016 # dpkg-query's own
	${foreign:+"$top/config/foreign.sh" "$foreign"} chroot "$root" \
		dpkg-query -W -f '${db:Status-Status}\n' "$p" 2> /dev/null |
		grep -qx installed || missing="$missing $p"
done
if [ -n "$missing" ]; then
	echo "chroot: $name: installing$missing"
	# shellcheck disable=SC2086 # a list of words on purpose
	inside apt-get -qq -y -o Dpkg::Use-Pty=0 install --no-install-recommends $missing \
		>> "$log" 2>&1 || {
		# A suite that moves on (sid) no longer has the files of an old list.
		again inside apt-get -qq update >> "$log" 2>&1 &&
			inside apt-get -qq -y -o Dpkg::Use-Pty=0 install --no-install-recommends \
				$missing >> "$log" 2>&1
	} || fail "apt-get could not install in $name:$missing"
fi
echo "chroot: $name is ready in build/chroot/$name"
