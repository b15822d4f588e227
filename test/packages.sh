#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Builds the Debian packages of a release, installs them in a Debian of that release that has
# nothing but the stock DPDK programs, runs those on the driver and the tools, and looks at what a
# purge leaves behind.
#
# usage: test/packages.sh SUITE...
#   SUITE  bookworm (DPDK 22.11), trixie (24.11), sid (25.11)
# What to install is left in build/deb, the Debian in build/chroot/SUITE.installed.

set -eu

cd "$(dirname "$0")/.."
. test/lib.sh
[ $# -gt 0 ] || {
	echo "packages: usage: test/packages.sh SUITE..." >&2
	exit 2
}

ours="^librte-compress-hisi-zip.* ^spimdev ^libspimdev.*"

in_suite() {
	config/chroot.sh --run "$suite.installed" "$@"
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

# stock LABEL COMMAND...: tests that say themselves what they found.
stock() {
	stock_label=$1
	shift
	stock_log=$logs/packages-$suite-stock.log
	stock_status=0
	in_suite "$@" > "$stock_log" 2>&1 < /dev/null || stock_status=$?
	sed "s/^ok /&$suite: $stock_label: /; s/^not ok /&$suite: $stock_label: /" "$stock_log"
	# One that broke down before it could name a failure has failed too.
	if [ "$stock_status" -ne 0 ] || ! grep -q '^ok ' "$stock_log"; then
		echo "not ok $suite: $stock_label: status $stock_status"
		tail -n 20 "$stock_log" | sed 's/^/  | /'
	fi
}

for suite; do
	log=$logs/packages-$suite
	check "$suite: packages are built, lintian finds nothing" config/deb.sh "$suite" || continue
	check "$suite: a Debian with DPDK's programs" \
		config/chroot.sh "$suite.installed" dpdk dpdk-dev || continue
	# What an earlier run has left, if it was interrupted.
	# shellcheck disable=SC2086 # a list of words on purpose
	apt purge $ours > "$log.before.log" 2>&1 || :
	check "$suite: nothing else" apt autoremove --purge || continue

	every_file > "$log.before"
	debs=$(find "build/deb/$suite-$(dpkg --print-architecture)" -name '*.deb' \
		! -name '*-dbgsym_*' -printf './%p ')
	# shellcheck disable=SC2086 # a list of words on purpose
	check "$suite: apt-get install" apt install $debs || continue
	every_file > "$log.installed"

	stock driver test/stock/autotest.sh --installed no-huge workers=1
	stock tools test/stock/installed.sh

	# shellcheck disable=SC2086
	check "$suite: apt-get purge" apt purge --autoremove $ours
	every_file > "$log.after"
	check "$suite: the install put something there" \
		rejects cmp -s "$log.before" "$log.installed"
	check "$suite: the purge leaves nothing behind" diff "$log.before" "$log.after"
done
