# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# The function as a PCI device of virtual machines. The first run makes chroot and kernels, in some
# minutes. Long forms: test/vm/run.sh --full.
# beforehand: test/vm/setup.sh

set -eu
. test/lib.sh

need "gcc build is there" config/build.sh build
within 3600 reports vm test/vm/run.sh probe autotest dmadev counts handover kill reset
