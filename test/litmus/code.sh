# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Whether a library's code has the instructions that the tests' comments ask for (run.sh). Sourced
# with the top of the tree as current folder, and $work as a folder to write to.

: "${work:?}"

# field NAME FILE: the rest of the lines of that name in a test's comment.
field() {
	sed -n "s/^$1 //p" "$2"
}

# tell NAME FOUND EXPECTED
bad=0
tell() {
	if [ "$2" = "$3" ]; then
		echo "ok $1 ($2)"
	else
		echo "not ok $1 ($2; expected $3)"
		# shellcheck disable=SC2034 # used by those who source this
		bad=1
	fi
}

# code OBJDUMP LIBRARY: functions of the driver and of the library beside it, each in all its parts
# (.isra, .cold), as lines "FUNCTION INSTRUCTION".
code() {
	"$1" -d --no-show-raw-insn "$2" "${2%/*}/librte_common_hisi.so" | awk -F '\t' '
		/^[0-9a-f]+ <.*>:$/ {
			name = $0
			gsub(/^.*<|[.>].*$/, "", name)
		}
		/^ *[0-9a-f]+:\t/ {
			# Where a call goes is told by the name alone.
			if ($2 == "bl")
				sub(/^[0-9a-f]+ /, "", $3)
			print name " " $2 " " $3 " " $4
		}' > "$work/code"
}

# check FUNCTION "A; !B; C" in what code() told last: prints "present", "missing", or what it
# would not notice the loss of.
check() {
	grep "^$1 " "$work/code" | cut -d ' ' -f 2- | sed 's/ *$//' | awk -v wanted="$2" '
		function starts(line, with) {
			return index(line "$", with) == 1
		}
		# Are items k to the last among the lines from i on, without the line "gone"?
		function found(k, i, no) {
			no = ""
			while (k <= n && item[k] ~ /^!/)
				no = substr(item[k++], 2)
			if (k > n) {
				for (; no != "" && i <= lines; i++)
					if (!lost(i) && starts(line[i], no))
						return 0
				return 1
			}
			for (; i <= lines; i++) {
				if (lost(i))
					continue
				if (starts(line[i], text[k])) {
					if (gone == 0 && gone_text == "")
						at[k] = i
					if (found(k + 1, i + 1))
						return 1
				}
				if (no != "" && starts(line[i], no))
					return 0
			}
			return 0
		}
		function lost(i) {
			return i == gone || gone_text != "" && starts(line[i], gone_text)
		}
		{ line[++lines] = $0 }
		END {
			n = split(wanted, item, "; *")
			for (k = 1; k <= n; k++) {
				text[k] = item[k]
				sub(/[+]$/, "", text[k])
			}
			if (!found(1, 1)) {
				print "missing"
				exit
			}
			for (k = 1; k <= n; k++) {
				if (item[k] !~ /^(ldar|stlr|dmb|bl |lock )/)
					continue
				gone = item[k] ~ /[+]$/ ? 0 : at[k]
				gone_text = gone == 0 ? text[k] : ""
				if (found(1, 1)) {
					print "also without the " text[k] " that is item " k
					exit
				}
			}
			print "present"
		}'
}

# lines NAME: those of all tests.
lines() {
	for f in test/litmus/*.litmus; do
		field "$1" "$f" | sed "s/^/$(basename "$f" .litmus) /"
	done > "$work/$1"
	while read -r name function instructions; do
		tell "$name, $1, $instructions in ${function%:}()" \
			"$(check "${function%:}" "$instructions")" present
	done < "$work/$1"
}
