#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Fetches and unpacks a Debian source package, through a private apt configuration made from the
# machine's own package sources. The machine's configuration is not touched.
#
# usage: config/source-package.sh NAME=VERSION DIR
# Leaves the tree in DIR/NAME, and other files in DIR.

set -eu

# shellcheck source=usage.sh
. "$(dirname "$0")/usage.sh"
usage_take 2 2 "" "$@"
# shellcheck source=apt.sh
. "$(dirname "$0")/apt.sh"

source=$1
name=${source%%=*}
mkdir -p "$2"
work=$(cd "$2" && pwd)

# The deb-src twins of all package sources of this machine, in both formats that apt knows.
write_apt_sources() {
	dir=$1
	for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[ -f "$f" ] || continue
		sed -n 's/^[[:space:]]*deb\(-src\)\{0,1\}[[:space:]]/deb-src /p' "$f" |
			grep -v 'cdrom:' > "$dir/$(basename "$f" .list).list" || :
	done
	for f in /etc/apt/sources.list.d/*.sources; do
		[ -f "$f" ] || continue
		sed 's/^Types:.*/Types: deb-src/' "$f" > "$dir/$(basename "$f")"
	done
}

# fails WHAT: what apt and dpkg said, and this.
fails() {
	cat "$work/log" >&2
	echo "source-package: $1 $source" >&2
	exit 1
}

mkdir -p "$work/sources.list.d" "$work/lists/partial" "$work/cache/archives/partial"
write_apt_sources "$work/sources.list.d"
# On top of the machine's configuration, so that its proxies and credentials hold; but without its
# hooks, which may clean the machine's own cache.
cat > "$work/apt.conf" <<-END
	#clear APT::Update::Pre-Invoke;
	#clear APT::Update::Post-Invoke;
	#clear APT::Update::Post-Invoke-Success;
	Dir::Etc::SourceList "/dev/null";
	Dir::Etc::SourceParts "$work/sources.list.d";
	Dir::State::Lists "$work/lists";
	Dir::Cache "$work/cache";
	APT::Sandbox::User "root";
END
apt_patience >> "$work/apt.conf"

# Not every source has a deb-src side; only the one that holds the package matters.
fetch() {
	apt-get -c "$work/apt.conf" -qq update || :
	(cd "$work" && apt-get -c "$work/apt.conf" -qq source --download-only --only-source \
		"$source")
}
again fetch > "$work/log" 2>&1 ||
	fails "this machine's package sources have no source package"
rm -rf "${work:?}/$name"
dpkg-source --no-check -x "$work/$name"_*.dsc "$work/$name" >> "$work/log" 2>&1 ||
	fails "could not unpack the source package"
