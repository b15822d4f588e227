# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors

set -eu
. test/lib.sh

need "the build knows the documentation" config/build.sh build -Ddocs=enabled
check "documentation builds without a warning" ninja -C build doc
check "documentation has a first page" test -s build/doc/html/index.html
