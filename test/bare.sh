#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Proves that both commands work on a bare machine: makes a fresh minimal Debian in a folder,
# clones the committed state into it, and runs app/perf.sh and test/run.sh there, each as the first
# command ever, and both a second time. About an hour; needs root, debootstrap and 6 GB.
#
# usage: test/bare.sh [--quick] FOLDER
#   FOLDER   to be made; stays if something fails, is removed otherwise
#   --quick  app/perf.sh --quick, and test/run.sh with short fuzzing

set -eu

# shellcheck source=../config/usage.sh
. "$(dirname "$0")/../config/usage.sh"
usage_take 1 1 "--quick" "$@"

die() {
	echo "bare: $*" >&2
	exit 1
}

quick=
if [ "${1:-}" = --quick ]; then
	quick=--quick
	shift
fi
[ "$(id -u)" -eq 0 ] || die "must run as root"
command -v debootstrap > /dev/null || die "no debootstrap; expected the package of that name"
[ ! -e "$1" ] || die "$1 exists; expected a name for a new folder"
mkdir -p "$1"
folder=$(realpath "$1")
top=$(realpath "$(dirname "$0")/..")
fuzz_seconds=15
[ -z "$quick" ] || fuzz_seconds=3

# shellcheck source=/dev/null
. /etc/os-release
# shellcheck source=../config/apt.sh
. "$top/config/apt.sh"
mirror=$(apt_mirror)

mounted=
cleanup() {
	for dir in $mounted; do
		umount "$dir" || umount --lazy "$dir" || :
	done
}
trap cleanup EXIT
trap 'exit 130' HUP INT TERM

# into NAME MOUNT-ARGUMENT...: mounts at NAME in the machine; taken down in reverse.
into() {
	dir=$1/$2
	shift 2
	mkdir -p "$dir"
	mount "$@" "$dir"
	mounted="$dir $mounted"
}

# make NAME: a fresh machine in FOLDER/NAME with a clone of the committed state.
make() {
	root=$folder/$1
	echo "bare: $1: debootstrap $VERSION_CODENAME"
	if [ -d "$folder/base" ]; then
		cp -a "$folder/base" "$root"
	else
		debootstrap --variant=minbase "$VERSION_CODENAME" "$folder/base" "$mirror" \
			> "$folder/debootstrap.log" 2>&1 ||
			die "debootstrap failed: $folder/debootstrap.log"
		cp -a "$folder/base" "$root"
	fi
	# How to reach the network is the machine's affair, not the repository's.
	cp /etc/resolv.conf "$root/etc/resolv.conf"
	apt_network > "$root/etc/apt/apt.conf.d/99network"
	# A machine's root is a mount; programs that make namespaces count on it.
	into "$root" . --bind "$root"
	into "$root" proc -t proc none
	into "$root" sys -t sysfs none
	# Not the kernel's own: nothing that is made here shall appear in the machine's.
	into "$root" dev -t tmpfs -o mode=755 none
	mknod -m 666 "$root/dev/null" c 1 3
	mknod -m 666 "$root/dev/zero" c 1 5
	mknod -m 666 "$root/dev/random" c 1 8
	mknod -m 666 "$root/dev/urandom" c 1 9
	mknod -m 666 "$root/dev/fuse" c 10 229
	ln -s /proc/self/fd "$root/dev/fd"
	into "$root" dev/shm -t tmpfs none
	into "$root" dev/pts -t devpts -o newinstance,ptmxmode=666 none
	ln -s pts/ptmx "$root/dev/ptmx"
	into "$root" dev/hugepages -t hugetlbfs none
	git clone -q --no-hardlinks "$top" "$root/root/spimdev"
}

# in_machine NAME LABEL COMMAND...: runs it in the machine's clone; shows its last line.
in_machine() {
	root=$folder/$1
	log=$folder/$1-$2.log
	shift 2
	start=$(date +%s)
	echo "bare: $*"
	# shellcheck disable=SC2016 # for the shell inside
	chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin \
		FUZZ_SECONDS="$fuzz_seconds" \
		sh -c 'cd "$HOME/spimdev" && exec "$@"' sh "$@" > "$log" 2>&1 < /dev/null || {
		tail -n 40 "$log" >&2
		die "$* failed in $root (all of it: $log)"
	}
	echo "bare: $(($(date +%s) - start)) s: $(tail -n 1 "$log")"
}

make perf-first
# shellcheck disable=SC2086 # nothing or one word
in_machine perf-first 1-perf app/perf.sh $quick
# shellcheck disable=SC2086
in_machine perf-first 2-perf app/perf.sh $quick

make run-first
in_machine run-first 1-run test/run.sh
in_machine run-first 2-run test/run.sh

cleanup
mounted=
rm -rf --one-file-system "$folder"
echo "bare: both commands work on a bare $PRETTY_NAME, first and second time"
