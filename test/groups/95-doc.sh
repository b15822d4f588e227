# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors

set -u
. test/lib.sh

check "documentation builds without a warning" sh -c \
	'config/build.sh build -Ddocs=enabled && ninja -C build doc && test -s build/doc/html/index.html'
