#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Runs the tests of GNU gzip, of the Debian source package that the installed gzip was made of, with
# spimgz in gzip's place: also gzip's scripts (zgrep, zdiff, znew, ...) use it. The source is
# fetched when it is run first; it is GPL, and no part of this repository.
#
# usage: test/stock/gzip_suite.sh
# build/app/spimgz must be there.

set -eu

# shellcheck source=../../config/usage.sh
. "$(dirname "$0")/../../config/usage.sh"
usage_take 0 0 "" "$@"

cd "$(dirname "$0")/../.."
. test/lib.sh

dir=$build/gzip-suite
source=$dir/gzip
bin=$dir/bin
version=$(sed -n "s/^ *version: '\(.*\)',.*/\1/p" meson.build)

# All tests that gzip 1.12 has: another one is to be looked at, and a missing one is missed.
tests="gzip-env helin-segv help-version hufts keep list list-big memcpy-abuse mixed
	null-suffix-clobber reproducible stdin timestamp two-files trailing-nul unpack-invalid
	unpack-valid upper-suffix z-suffix zdiff zgrep-f zgrep-abuse zgrep-binary zgrep-context
	zgrep-signal znew-k"
scripts="gunzip gzexe zcat zcmp zdiff zegrep zfgrep zforce zgrep zmore znew"

# other_format TEST: why it is not run.
other_format() {
	case $1 in
	helin-segv) echo "the format of compress (LZW) is not one of spimgz" ;;
	unpack-valid) echo "the format of pack is not one of spimgz" ;;
	esac
}

fetch() {
	[ ! -x "$source/tests/init.sh" ] || return 0
	package=$(dpkg-query -W -f '${source:Package}=${source:Version}' gzip) || return
	rm -rf "$dir"
	config/source-package.sh "$package" "$dir"
}

# What would be in gzip's build folder. gzip is spimgz, with software as its accelerator, by a name
# that its messages show.
install_programs() {
	rm -rf "$bin"
	mkdir -p "$bin/tests" || return
	for name in $scripts; do
		sed -e 's|[@]GREP@|grep|g' -e "s|'gzip'|gzip|g" -e "s|'zdiff'|zdiff|g" \
			-e "s|'zgrep'|zgrep|g" -e "s|[@]VERSION@|$version|g" \
			"$source/$name.in" > "$bin/$name" || return
	done
	printf '#!/bin/bash\nexec -a gzip %s/app/spimgz -s local "$@"\n' "$build" > "$bin/gzip"
	chmod +x "$bin"/*
	ends_with 0 "gzip $version" "$bin/gzip" --version
}

same_tests() {
	awk '/^TESTS =/ { on = 1; next } on { print $1 } on && !/\\$/ { exit }' \
		"$source/tests/Makefile.am" | sort > "$dir/theirs"
	# shellcheck disable=SC2086 # a list of words on purpose
	printf '%s\n' $tests | sort | diff "$dir/theirs" -
}

# one TEST: with the environment that gzip's Makefile gives it. A skipped one (77) has failed.
one() {
	env -C "$bin/tests" -u GZIP LC_ALL=C PATH="$bin:$PATH" TMPDIR=/tmp VERSION="$version" \
		PACKAGE_VERSION="$version" PACKAGE_BUGREPORT=nobody abs_top_builddir="$bin" \
		abs_top_srcdir="$source" abs_srcdir="$source/tests" srcdir="$source/tests" \
		top_srcdir="$source" built_programs="gzip $scripts" GREP=grep MAKE=make \
		PERL=perl SHELL=/bin/sh GZIP_TEST_NAME="$1" sh "$source/tests/$1" 9>&2
}

need "gzip's source is fetched" fetch
need "spimgz takes gzip's place" install_programs
check "gzip has no other tests" same_tests
for t in $tests; do
	why=$(other_format "$t")
	if [ -z "$why" ]; then
		check "gzip's test $t" one "$t"
	elif ! planning; then
		echo "not run: gzip's test $t: $why"
	fi
done
exit "$failed"
