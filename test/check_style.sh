#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Style of every text file: licence, length of lines and files, tabs, no trace of a machine; of C
# below lib and app, one kind of atomics.
#
# usage: check_style.sh TOP

set -eu

# shellcheck source=../config/usage.sh
. "$(dirname "$0")/../config/usage.sh"
usage_take 1 1 "" "$@"

cd "$1"
LC_ALL=C
export LC_ALL

bad=0
complain() {
	echo "$*"
	bad=1
}

list=$(mktemp)
trap 'rm -f "$list"' EXIT
find . \( -name .git -o -path './build*' -o -name __pycache__ -o -path ./test/fuzz/corpus \) \
	-prune -o -type f -print | sort > "$list"
spaces='^	*  \+[^ *]'
c11_atomic='(^|[^_[:alnum:]])atomic_[a-z_]+\('
machine='(^|[^A-Za-z0-9_.~}$-])/(work|root|home)/'

while read -r f; do
	kind=
	case "$f" in
	*.c | *.h) kind=c ;;
	*.sh | ./.ci/run) kind="sh" ;;
	*.py | */meson.build | */meson_options.txt | *.in) kind=code ;;
	*.rst) kind=text ;;
	*.png | *.svg | *.bin | *.gz) continue ;;
	esac

	case "$kind" in
	c | sh | code | text)
		head -n 3 "$f" | grep -q 'SPDX-License-Identifier: BSD-3-Clause' ||
			complain "$f: no SPDX-License-Identifier: BSD-3-Clause in the first lines"
		;;
	esac

	case "$kind" in
	c | sh | code)
		# Columns with tabs at 8; a continued UTF-8 byte takes none.
		expand "$f" | awk -v f="$f" '
			{ gsub(/[\200-\277]/, "") }
			length($0) > 100 {
				print f ":" NR ": " length($0) " columns; expected 100 at most"
				n++
			}
			END { exit n > 0 }' || bad=1
		;;
	esac

	case "$kind" in
	c | sh)
		if grep -Hn "$spaces" "$f"; then
			complain "$f: indented by spaces; expected tabs"
		fi
		;;
	esac

	if [ -n "$kind" ]; then
		if grep -Hn '[[:space:]]$' "$f"; then
			complain "$f: space at the end of a line"
		fi
		lines=$(wc -l < "$f")
		if [ "$lines" -gt 600 ]; then
			complain "$f: $lines lines; expected 600 at most"
		fi
	fi

	case "$f" in
	./lib/*.[ch] | ./app/*.[ch])
		if grep -q '__atomic_' "$f" && grep -Eq "$c11_atomic" "$f"; then
			complain "$f: GCC's atomics and C11's; expected one kind"
		fi
		;;
	esac

	if grep -HnIE "$machine" "$f"; then
		complain "$f: names a path of somebody's machine"
	fi
done < "$list"

exit "$bad"
