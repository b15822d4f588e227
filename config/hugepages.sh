# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Hugepages for the time of one script. To be sourced; the caller traps EXIT to hugepages_restore.

hugepages_nr=/proc/sys/vm/nr_hugepages
hugepages_before=
hugepages_mounted=

# hugepages_reserve MEGABYTES: reserves at least that much and mounts hugetlbfs if nobody has.
# Fails, saying why, if this is not root or the memory is not there.
hugepages_reserve() {
	if [ "$(id -u)" -ne 0 ] || ! [ -w "$hugepages_nr" ]; then
		echo "hugepages: cannot write $hugepages_nr; expected to run as root" >&2
		return 1
	fi
	hugepages_kb=$(awk '/^Hugepagesize:/ { print $2 }' /proc/meminfo)
	[ -n "$hugepages_kb" ] || {
		echo "hugepages: this kernel has none" >&2
		return 1
	}
	# What others use does not count.
	hugepages_free=$(awk '/^HugePages_Free:/ { print $2 }' /proc/meminfo)
	hugepages_want=$((($1 * 1024 + hugepages_kb - 1) / hugepages_kb))
	if [ "$hugepages_free" -lt "$hugepages_want" ]; then
		hugepages_before=$(cat "$hugepages_nr")
		hugepages_total=$((hugepages_before + hugepages_want - hugepages_free))
		echo "$hugepages_total" > "$hugepages_nr"
		[ "$(cat "$hugepages_nr")" -ge "$hugepages_total" ] || {
			echo "hugepages: wanted $hugepages_total pages of $hugepages_kb kB," \
				"the kernel found $(cat "$hugepages_nr")" >&2
			hugepages_restore
			return 1
		}
	fi
	if ! grep -q ' hugetlbfs ' /proc/mounts; then
		mkdir -p /dev/hugepages
		mount -t hugetlbfs none /dev/hugepages || {
			hugepages_restore
			return 1
		}
		hugepages_mounted=/dev/hugepages
	fi
}

# Gives back what hugepages_reserve took; harmless if it took nothing or was never called.
hugepages_restore() {
	if [ -n "$hugepages_mounted" ]; then
		umount "$hugepages_mounted" || :
		hugepages_mounted=
	fi
	if [ -n "$hugepages_before" ]; then
		echo "$hugepages_before" > "$hugepages_nr"
		hugepages_before=
	fi
}
