#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Runs debian/rules' step after the installation on a tree of two made-up drivers and a library of
# theirs: of each, one file is left, in the folder that DPDK loads drivers from, and of the library
# also the link that drivers look for.
#
# usage: test/debian_rules.sh

set -eu

# shellcheck source=../config/usage.sh
. "$(dirname "$0")/../config/usage.sh"
usage_take 0 0 "" "$@"

rules=$(realpath "$(dirname "$0")/../debian/rules")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

lib=debian/tmp/usr/lib/triplet
pmds=$lib/dpdk/pmds-23.0
mkdir -p "$pmds" debian/tmp/usr/lib/systemd/system
touch debian/tmp/usr/lib/systemd/system/spimdevd.service
# One name begins with the other. As meson leaves them: a file, and links to it.
for name in librte_a librte_a_b librte_common_c; do
	echo "$name" > "$lib/$name.so.23.0"
	ln -s "$name.so.23.0" "$lib/$name.so.23"
	ln -s "$name.so.23" "$lib/$name.so"
	for link in so so.23 so.23.0; do
		ln -s "../../$name.$link" "$pmds/$name.$link"
	done
done

make -f "$rules" execute_after_dh_auto_install

cat > expected <<-END
	debian/spimdevd.service f
	$pmds/librte_a.so.23.0 f
	$pmds/librte_a_b.so.23.0 f
	$pmds/librte_common_c.so.23 l
	$pmds/librte_common_c.so.23.0 f
END
find debian ! -type d -printf '%p %y\n' | sort | diff expected -
for name in librte_a librte_a_b; do
	echo "$name" | diff - "$pmds/$name.so.23.0"
done
