# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# The Debian packages of this machine's release; test/packages.sh SUITE[:ARCH] is for others.
# beforehand: . /etc/os-release
# beforehand: set -- build-essential debhelper dpkg-dev lintian python3
# beforehand: config/chroot.sh "$VERSION_CODENAME" "$@"
# beforehand: set -- autopkgtest dpkg-dev gcc libc6-dev pkgconf
# beforehand: config/chroot.sh "$VERSION_CODENAME.installed" dpdk dpdk-dev "$@"

set -eu
. test/lib.sh

check "the unit is fenced, and allows what the service needs" \
	python3 test/service/unit.py .
suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
within 3600 reports packages test/packages.sh "$suite"
# In a copy of what packages were built in, and with a tree in which nothing was built.
reports guides config/chroot.sh --fresh "$suite" sh -euc 'mkdir /usr/src/spimdev
	tar -c --exclude=./build --exclude=./.git . | tar -x -C /usr/src/spimdev
	cd /usr/src/spimdev
	exec /usr/bin/python3 test/guides.py'
check "test/packages.sh fails if a part of it fails" \
	ends_with 1 "deb: architecture 'none', expected amd64 or arm64" \
	test/packages.sh "$suite:none"
