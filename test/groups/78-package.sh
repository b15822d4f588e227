# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# The Debian packages of this machine's release; test/packages.sh SUITE is for others.

set -u
. test/lib.sh

test/packages.sh "$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)"
