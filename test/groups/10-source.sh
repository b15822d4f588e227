# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# The text of the tree: who includes whom, style, citations, scripts.

set -eu
. test/lib.sh

check "include rules hold" sh test/check_includes.sh .
check "style rules hold" sh test/check_style.sh .
check "citations resolve" sh test/check_citations.sh .
check "each script has a usage" sh test/check_usage.sh .
check "functions of a program have different names" python3 test/check_names.py .
check "no circle of files is wide" python3 test/check_circles.py .
drivers_checked() {
	[ -d build/config/dpdk-sdk/devtools ] ||
		config/dpdk-sdk.sh build/config/dpdk-sdk || return
	test/checkpatch.sh .
}
check "checkpatch: DPDK's checkpatches.sh finds nothing in drivers" drivers_checked
check "debian/rules keeps each driver" test/debian_rules.sh
scripts() {
	scripts_list=$(find . \( -name .git -o -name "build*" \) -prune -o -name "*.sh" -print \
		-o -path ./.ci/run -print -o -path "./debian/tests/*" ! -name control -print | sort)
	# shellcheck disable=SC2086 # a list of words on purpose
	shellcheck $scripts_list && echo "$scripts_list"
}
check "shellcheck" ends_with 0 "./test/lib.sh" scripts

# The checks themselves must be able to fail: break one rule each in a copy of nothing else.
planted=$(mktemp -d)
trap 'rm -rf "$planted"' EXIT

# plant FILE LINE...: a tree with one well-formed file that also holds these lines.
plant() {
	! planning || return 0
	rm -rf "${planted:?}"/*
	file=$planted/$1
	shift
	mkdir -p "$(dirname "$file")" "$planted/lib/qm_dev" "$planted/lib/hisi_hw"
	printf '/* SPDX-License-Identifier: BSD-3-Clause\n * Copyright(c) 2026 X\n */\n' |
		tee "$planted/lib/qm_dev/qm_dev.h" "$planted/lib/hisi_hw/regs.h" > "$file"
	printf '%s\n' "$@" >> "$file"
}

# rejected NAME CHECK REASON: by this script, for this reason.
rejected() {
	check "$1" ends_with 1 "$3" sh "test/check_$2.sh" "$planted"
}

plant lib/hisi_qm/a.c '#include <string.h>'
check "include check accepts a good file" sh test/check_includes.sh "$planted"
check "style check accepts a good file" sh test/check_style.sh "$planted"
plant lib/hisi_qm/a.c '#include <rte_mbuf.h>'
rejected "include check rejects DPDK below lib" includes \
	"lib/hisi_qm/a.c: includes rte_mbuf.h, a DPDK header; expected none below lib/"
plant lib/hisi_qm/a.c '#include "qm_dev.h"'
rejected "include check rejects a wrong neighbour" includes \
	"lib/hisi_qm/a.c: includes qm_dev.h of lib/qm_dev; expected one of: lib/hisi_qm"
plant lib/spimdev/a.c '#include "qm_dev.h"'
rejected "include check rejects what only another file may" includes \
	"lib/spimdev/a.c: includes qm_dev.h of lib/qm_dev; expected one of: lib/spimdev lib/base"
plant lib/spimdev/spim_local.c '#include "qm_dev.h"'
check "include check accepts what only one file may" sh test/check_includes.sh "$planted"
plant lib/spimdev/a.c '#include "hisi_zip_sqe.h"'
rejected "include check rejects a class where none is known" includes \
	"lib/spimdev/a.c: includes hisi_zip_sqe.h of a class; lib/spimdev is to know none"
plant lib/base/a.c '#include "regs.h"'
rejected "include check rejects anything in the base" includes \
	"lib/base/a.c: includes regs.h of lib/hisi_hw; expected one of: lib/base"
plant lib/qm_dev/a.c '#include "../qm_dev/qm_dev.h"'
rejected "include check rejects a path" includes \
	"lib/qm_dev/a.c: includes ../qm_dev/qm_dev.h; expected a name without a path"
plant lib/hisi_qm/a.c '#include "nowhere.h"'
rejected "include check rejects an unknown header" includes \
	'lib/hisi_qm/a.c: includes "nowhere.h", no header of ours; expected <nowhere.h>'
plant lib/other/a.c ''
rejected "include check rejects an unlisted component" includes \
	"lib/other/a.c: in no component that the table of check_includes.sh knows"
plant lib/hisi_qm/a.c '        int spaces;'
rejected "style check rejects indenting by spaces" style \
	"lib/hisi_qm/a.c: indented by spaces; expected tabs"
plant lib/hisi_qm/a.c "$(printf '/* %100s */' x)"
rejected "style check rejects a long line" style \
	"lib/hisi_qm/a.c:4: 106 columns; expected 100 at most"
plant lib/hisi_qm/a.c 'int a; '
rejected "style check rejects trailing space" style \
	"lib/hisi_qm/a.c: space at the end of a line"
plant lib/hisi_qm/a.c "$(seq 700)"
rejected "style check rejects a long file" style \
	"lib/hisi_qm/a.c: 703 lines; expected 600 at most"
plant lib/hisi_qm/a.c "/* see /ho""me/somebody/x */"
rejected "style check rejects a machine's path" style \
	"lib/hisi_qm/a.c: names a path of somebody's machine"
plant lib/hisi_qm/a.c 'x = __atomic_load_n(&y, __ATOMIC_RELAXED);' 'atomic_store(&z, x);'
rejected "style check rejects two kinds of atomics" style \
	"./lib/hisi_qm/a.c: GCC's atomics and C11's; expected one kind"
plant lib/hisi_qm/a.c ''
planning || sed -i 1d "$planted/lib/hisi_qm/a.c"
rejected "style check rejects a file without licence" style \
	"lib/hisi_qm/a.c: no SPDX-License-Identifier: BSD-3-Clause in the first lines"

# plant_reference ROW COMMENT...: a file whose function f these comments are about, and a reference
# that has section 2.3, row 1, and this row 2.
plant_reference() {
	row=$1
	shift
	plant lib/qm_dev/a.c "$@" 'f(void)'
	! planning || return 0
	mkdir -p "$planted/doc/hw"
	printf '%s\n' "${QM} 2.3: Mailbox" "---------------" "" > "$planted/doc/hw/queue.rst"
	printf '   %s\n' "_\`${U}1\` | ? | nothing | \`\`lib/qm_dev/a.c\`\` \`\`f()\`\`" "$row" \
		> "$planted/doc/hw/unknown.rst"
}
# Not written out, as this file is checked, too.
QM=QM ZIP=ZIP U=U word=reference
cites="/* ${QM} 2.3 and ${U}1. */"
row="_\`${U}2\` | ? | Nothing in the code depends on it |"
plant_reference "$row" "$cites" "/* No ${QM}, no ZIP, no 0x${U}7 of others: 9.9. */"
check "citation check accepts a good file" sh test/check_citations.sh "$planted"
plant lib/zip_dev/zip_dev_quirk.c "{ \"some-name\", \"${U}1\"," "\"what it does\" },"
rejected "citation check rejects a table of quirks" citations \
	"doc/hw/unknown.rst: the table of quirks is not that of lib/zip_dev/zip_dev_quirk.c"
plant_reference "$row" "$cites" "/* (${QM} 9.9) */"
rejected "citation check rejects a section" citations \
	"lib/qm_dev/a.c:5: cites ${QM} 9.9, which doc/hw does not have"
plant_reference "$row" "$cites" "/* (${QM} 2.3, 9.8 to 9.9) */"
rejected "citation check rejects a second section" citations \
	"lib/qm_dev/a.c:5: cites ${QM} 9.9, which doc/hw does not have"
plant_reference "$row" "$cites" "/* (${QM}" " * 9.9) */"
rejected "citation check rejects a section in the next line" citations \
	"lib/qm_dev/a.c:6: cites ${QM} 9.9, which doc/hw does not have"
plant_reference "$row" "$cites" "/* ${ZIP} 2.3 */"
rejected "citation check rejects a section of another page" citations \
	"lib/qm_dev/a.c:5: cites ${ZIP} 2.3, which doc/hw does not have"
plant_reference "$row" "$cites" "/* (${U}3) */"
rejected "citation check rejects a row" citations \
	"lib/qm_dev/a.c:5: cites ${U}3, which doc/hw does not have"
plant_reference "$row" "$cites" "/* as the $word 2.3 says */"
rejected "citation check rejects one without a prefix" citations \
	"lib/qm_dev/a.c:5: cites the reference without a prefix"
plant_reference "$row" "$cites" "/* ${U}2 */"
rejected "citation check rejects a row without consequence" citations \
	"lib/qm_dev/a.c: cites ${U}2, but by doc/hw/unknown.rst nothing in the code depends"
plant_reference "$row" ""
rejected "citation check rejects a row that the code does not cite" citations \
	"doc/hw/unknown.rst: ${U}1 is cited by none of the files that it names"
plant_reference "_\`${U}2\` | ? | no | \`\`lib/qm_dev/a.c\`\` \`\`g()\`\`" "$cites" \
	"/* ${U}2: g() */"
rejected "citation check rejects a function" citations \
	"doc/hw/unknown.rst: ${U}2 names g(), which lib/qm_dev/a.c does not have"
plant_reference "_\`${U}2\` | ? | no | \`\`lib/qm_dev/b.c\`\` \`\`f()\`\`" "$cites"
rejected "citation check rejects a file" citations \
	"doc/hw/unknown.rst: ${U}2 names f(), which lib/qm_dev/b.c does not have"
plant_reference "_\`${U}2\` | ? | no | lib/qm_dev/a.c" "$cites"
rejected "citation check rejects a row without a function" citations \
	"doc/hw/unknown.rst:2: ${U}2 names no file with a function"
plant_reference "_\`${U}1\` | ? | Nothing in the code depends on it |" "$cites"
rejected "citation check rejects a row that is there twice" citations \
	"doc/hw/unknown.rst:2: ${U}1 is there twice"

# also FILE LINE...: one more file of the same tree.
also() {
	! planning || return 0
	file=$planted/$1
	shift
	mkdir -p "$(dirname "$file")"
	printf '%s\n' "$@" > "$file"
}
plant lib/hisi_qm/a.c ''
# shellcheck disable=SC2016 # a script's
also config/a.sh '#!/bin/sh' 'case $1 in' '--help) echo usage: a.sh ;;' \
	'*) echo "unknown option $1"; exit 2 ;;' 'esac'
check "usage check accepts a good script" sh test/check_usage.sh "$planted"
also config/a.sh '#!/bin/sh' 'mkdir made' 'echo usage: a.sh'
rejected "usage check rejects a script that works at once" usage \
	"./config/a.sh: does something before it refuses"
rejected "usage check rejects a script that takes any option" usage \
	"./config/a.sh --no-such-option: ends with 0; expected 2"
also config/a.sh '#!/bin/sh' 'exit 2'
rejected "usage check rejects a script without help" usage \
	"./config/a.sh --help: ends with 2; expected 0"
plant lib/hisi_qm/a.c 'static int' 'f(int x)' '{' '}' '/*' 'int' 'g(void)' '{' '*/'
also app/spimctl/b.c 'static int' 'g(void)' '{' '}'
also app/spimgz/b.c 'static int' 'g(void)' '{' '}'
check "name check accepts functions of two programs" python3 test/check_names.py "$planted"
also drivers/common/hisi/b.c 'static void' 'f(void)' '{' '}'
check "name check rejects two functions of one program" ends_with 1 \
	"f() is defined in drivers/common/hisi/b.c and lib/hisi_qm/a.c; expected a name for each" \
	python3 test/check_names.py "$planted"

# Five units, each of which uses the next one by a header or a function, and the last one the first.
plant lib/hisi_qm/a.c '#include "b.h"' 'int' 'a_done(int x)' '{' '	return b_done(x);' '}'
also lib/hisi_qm/b.h 'int b_done(int x);'
also lib/hisi_qm/b.c '#include "c.h"' 'int' 'b_done(int x)' '{' '	return x;' '}'
also lib/hisi_qm/c.h '#include "d.h"'
also lib/hisi_qm/d.c '#include "d.h"' '/* a_done() and e_done() */' 'struct a_done *d;'
also lib/hisi_qm/e.c '#include "a.h"' 'int' 'e_done(int x)' '{' '	return a_done(x);' '}'
also lib/hisi_qm/d.h 'int e_done(int x);'
check "circle check accepts a chain" python3 test/check_circles.py "$planted"
also lib/hisi_qm/d.c '#include "d.h"' 'static int (*next)(int x) = e_done;'
check "circle check rejects a circle of five" ends_with 1 \
	"lib/hisi_qm: a circle of 5 units; expected 4 at most:" \
	python3 test/check_circles.py "$planted"
also lib/hisi_qm/e.c 'int' 'e_done(int x)' '{' '	return c_done(x);' '}'
also lib/hisi_qm/c.c 'int' 'c_done(int x)' '{' '}'
check "circle check accepts a circle of three" python3 test/check_circles.py "$planted"

# plant_driver EXCEPTION LINE...: a driver of one file.
plant_driver() {
	exception=$1
	shift
	plant drivers/compress/a/a.c "$@"
	! planning || return 0
	mkdir "$planted/test"
	echo "$exception" > "$planted/test/checkpatch_exceptions.txt"
}
# The first is the kernel's to find, the other one DPDK's.
bad_lines='static int a=__sync_fetch_and_add(&b, 1);'
plant_driver "drivers/compress/b/ | SPACING: | other" "$bad_lines"
check "checkpatch rejects what the kernel's script finds" ends_with 1 \
	"drivers/compress/a/a.c:4: SPACING: " test/checkpatch.sh "$planted"
check "checkpatch rejects what DPDK's script finds" ends_with 1 \
	"drivers/compress/a/a.c: Using __sync_xxx builtins" test/checkpatch.sh "$planted"
plant_driver "drivers/compress/a/a.c | SPACING:" "$bad_lines"
check "checkpatch rejects an exception without a reason" ends_with 1 \
	"checkpatch_exceptions.txt:1: not FILE | BEGINNING | REASON" test/checkpatch.sh "$planted"
plant_driver "drivers/compress/a/ | SPACING: | excepted" "$bad_lines"
planning || echo "drivers/compress/a/a.c | Using __sync_xxx | excepted" \
	>> "$planted/test/checkpatch_exceptions.txt"
check "checkpatch accepts exceptions" test/checkpatch.sh "$planted"

# shellcheck disable=SC2016 # a bad script's
printf '%s\n' '#!/bin/sh' 'echo $1' > "$planted/bad.sh"
check "shellcheck rejects a bad script" ends_with 1 SC2086 shellcheck "$planted/bad.sh"
