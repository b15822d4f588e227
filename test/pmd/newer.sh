#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Runs test_pmd_newer of a build folder with each kind of function, as meson would.
#
# usage: test/pmd/newer.sh DIR

set -u

bad=0
for args in "" "--dev workers=1 --count 60" "--dev ext=off --count 60"; do
	# shellcheck disable=SC2086 # a list of words on purpose
	if MALLOC_PERTURB_=0 timeout 300 "$1/test/pmd/test_pmd_newer" -- $args; then
		echo "ok test_pmd_newer $args"
	else
		echo "not ok test_pmd_newer $args"
		bad=1
	fi
done
exit "$bad"
