#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Runs a command, and all that it starts, where the programs of another architecture run as if they
# were this machine's: through qemu-user, which the kernel calls by itself (binfmt_misc).
#
# usage: config/foreign.sh ARCH COMMAND [ARG...]
#   ARCH  arm64
# Where the machine itself was not told so (Debian's does at boot, with the package
# qemu-user-static), a user namespace of the command's own is, in which every user is who they are
# outside: that takes Linux 6.7. No device nodes can be made there and no /proc be mounted.

set -eu

# shellcheck source=usage.sh
. "$(dirname "$0")/usage.sh"
usage_take 2 "$#" "..." "$@"

die() {
	echo "foreign: $*" >&2
	exit 1
}

case ${1:-} in
arm64) emulator=qemu-aarch64 ;;
*) die "architecture '${1:-}', expected arm64" ;;
esac
shift
[ ! -e "/proc/sys/fs/binfmt_misc/$emulator" ] || exec "$@"
# What the machine would have been told: which programs, and what runs them.
rule=$(cat "/usr/lib/binfmt.d/$emulator.conf") ||
	die "the package qemu-user-static is missing; config/arm64.sh installs it"

# Who is who, only a process outside may say. It is nobody's child: the command has not started it.
outside=$(readlink /proc/self/ns/user)
pid=$$
( (
	while [ "$(readlink "/proc/$pid/ns/user")" = "$outside" ]; do
		sleep 0.01
	done
	echo 0 0 65536 > "/proc/$pid/gid_map"
	echo 0 0 65536 > "/proc/$pid/uid_map"
) & )
# shellcheck disable=SC2016 # the inner shell's own variables
exec unshare --user --mount --propagation private sh -euc '
	tries=0
	until [ "$(id -u)" -eq 0 ]; do
		tries=$((tries + 1))
		[ "$tries" -lt 1000 ] || {
			echo "foreign: still nobody in the user namespace" >&2
			exit 1
		}
		sleep 0.01
	done
	mount -t binfmt_misc none /proc/sys/fs/binfmt_misc || {
		echo "foreign: no binfmt_misc for a user namespace; expected Linux 6.7" >&2
		exit 1
	}
	printf "%s" "$1" > /proc/sys/fs/binfmt_misc/register
	shift
	exec "$@"
' foreign.sh "$rule" "$@"
