# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# The text of the tree: who includes whom, style, scripts.

set -u
. test/lib.sh

check "include rules hold" sh test/check_includes.sh .
check "style rules hold" sh test/check_style.sh .
check "shellcheck" sh -c 'find . \( -name .git -o -name "build*" \) -prune -o -name "*.sh" -print \
	-o -path ./.ci/run -print | sort | xargs shellcheck'

# The checks themselves must be able to fail: break one rule each in a copy of nothing else.
planted=$(mktemp -d)
trap 'rm -rf "$planted"' EXIT

# plant FILE LINE...: a tree with one well-formed file that also holds these lines.
plant() {
	rm -rf "${planted:?}"/*
	file=$planted/$1
	shift
	mkdir -p "$(dirname "$file")" "$planted/lib/zip_dev" "$planted/test"
	: > "$planted/test/long_files.txt"
	printf '/* SPDX-License-Identifier: BSD-3-Clause\n * Copyright(c) 2026 X\n */\n' |
		tee "$planted/lib/zip_dev/zip_dev.h" > "$file"
	printf '%s\n' "$@" >> "$file"
}

plant lib/hisi_qm/a.c '#include <string.h>'
check "include check accepts a good file" sh test/check_includes.sh "$planted"
check "style check accepts a good file" sh test/check_style.sh "$planted"
plant lib/hisi_qm/a.c '#include <rte_mbuf.h>'
check "include check rejects DPDK below lib" rejects sh test/check_includes.sh "$planted"
plant lib/hisi_qm/a.c '#include "zip_dev.h"'
check "include check rejects a wrong neighbour" rejects sh test/check_includes.sh "$planted"
plant lib/hisi_qm/a.c '#include "../zip_dev/zip_dev.h"'
check "include check rejects a wrong path" rejects sh test/check_includes.sh "$planted"
plant lib/hisi_qm/a.c '#include "nowhere.h"'
check "include check rejects an unknown header" rejects sh test/check_includes.sh "$planted"
plant lib/other/a.c ''
check "include check rejects an unlisted component" rejects sh test/check_includes.sh "$planted"
plant lib/hisi_qm/a.c '        int spaces;'
check "style check rejects indenting by spaces" rejects sh test/check_style.sh "$planted"
plant lib/hisi_qm/a.c "$(printf '/* %100s */' x)"
check "style check rejects a long line" rejects sh test/check_style.sh "$planted"
plant lib/hisi_qm/a.c 'int a; '
check "style check rejects trailing space" rejects sh test/check_style.sh "$planted"
plant lib/hisi_qm/a.c "$(seq 700)"
check "style check rejects a long file" rejects sh test/check_style.sh "$planted"
plant lib/hisi_qm/a.c "/* see /ho""me/somebody/x */"
check "style check rejects a machine's path" rejects sh test/check_style.sh "$planted"
plant lib/hisi_qm/a.c ''
sed -i 1d "$planted/lib/hisi_qm/a.c"
check "style check rejects a file without licence" rejects sh test/check_style.sh "$planted"
