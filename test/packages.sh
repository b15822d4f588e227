#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Builds the Debian packages of a release, installs them in a Debian of that release that has
# nothing but the stock DPDK programs, runs those on the driver and the tools, and looks at what a
# purge leaves behind.
#
# usage: test/packages.sh SUITE[:ARCH]...
#   SUITE  bookworm (DPDK 22.11), trixie (24.11), sid (25.11)
#   ARCH   amd64 or arm64; default: this machine's. The other one's packages are cross-built, and
#          their Debian runs by qemu-user.
# What to install is left in build/deb, the Debian in build/chroot/SUITE.installed.

set -eu

cd "$(dirname "$0")/.."
. test/lib.sh
[ $# -gt 0 ] || {
	echo "packages: usage: test/packages.sh SUITE[:ARCH]..." >&2
	exit 2
}

ours="^librte-compress-hisi-zip.* ^spimdev ^libspimdev.*"

in_suite() {
	config/chroot.sh --run "$installed" "$@"
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
	in_suite apt-get -qq -y -o Dpkg::Use-Pty=0 "$@"
}

# part NAME COMMAND...: one test.
part() {
	part_name=$1
	shift
	check "$label: $part_name" "$@" || {
		bad=1
		return 1
	}
}

# stock LABEL COMMAND...: tests that say themselves what they found.
stock() {
	stock_label=$1
	shift
	stock_log=$logs/packages-$label-stock.log
	stock_status=0
	in_suite "$@" > "$stock_log" 2>&1 < /dev/null || stock_status=$?
	sed "s/^ok /&$label: $stock_label: /; s/^not ok /&$label: $stock_label: /" "$stock_log"
	! grep -q '^not ok ' "$stock_log" || bad=1
	# One that broke down before it could name a failure has failed too.
	if [ "$stock_status" -ne 0 ] || ! grep -q '^ok ' "$stock_log"; then
		bad=1
		echo "not ok $label: $stock_label: status $stock_status"
		tail -n 20 "$stock_log" | sed 's/^/  | /'
	fi
}

bad=0
for label; do
	suite=${label%%:*}
	arch=${label#"$suite"}
	arch=${arch#:}
	arch=${arch:-$(dpkg --print-architecture)}
	installed=$suite.installed:$arch
	log=$logs/packages-$label
	part "packages are built, lintian finds nothing" \
		config/deb.sh "$suite" "$arch" || continue
	part "a Debian with DPDK's programs" \
		config/chroot.sh "$installed" dpdk dpdk-dev || continue
	# What an earlier run has left, if it was interrupted.
	# shellcheck disable=SC2086 # a list of words on purpose
	apt purge $ours > "$log.before.log" 2>&1 || :
	part "nothing else" apt autoremove --purge || continue

	every_file > "$log.before"
	debs=$(find "build/deb/$suite-$arch" -name '*.deb' \
		! -name '*-dbgsym_*' -printf './%p ')
	# shellcheck disable=SC2086 # a list of words on purpose
	part "apt-get install" apt install $debs || continue
	every_file > "$log.installed"

	stock driver test/stock/autotest.sh --installed no-huge workers=1
	# What qemu-user runs cannot filter its system calls.
	emulated=
	[ "$arch" = "$(dpkg --print-architecture)" ] || emulated="--sandbox off"
	# shellcheck disable=SC2086 # an option and its value on purpose
	stock tools test/stock/installed.sh $emulated

	# shellcheck disable=SC2086
	part "apt-get purge" apt purge --autoremove $ours || :
	every_file > "$log.after"
	part "the install put something there" \
		rejects cmp -s "$log.before" "$log.installed" || :
	part "the purge leaves nothing behind" diff "$log.before" "$log.after" || :
done
exit "$bad"
