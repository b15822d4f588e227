#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Holds every citation of the hardware reference against the sections and rows that doc/hw has, and
# every row of doc/hw/unknown.rst against the code: the functions that it names exist, and one of
# their files cites it. doc/hw/index.rst says how a citation is written. The table of quirks there
# is that of the code.
#
# usage: check_citations.sh TOP

set -eu

# shellcheck source=../config/usage.sh
. "$(dirname "$0")/../config/usage.sh"
usage_take 1 1 "" "$@"

cd "$1"

prefixes='QM|ZIP|UACCE|UDMA|EXT|MODEL|MIG|SPIMDEV'

quirks=lib/zip_dev/zip_dev_quirk.c
# shellcheck disable=SC2016 # the backquotes are those of the page
if [ -f "$quirks" ]; then
	in_code=$(tr '\n\t' '  ' < "$quirks" | grep -o '{ "[a-z0-9-]*", "U[0-9]*", *"[^"]*" }' |
		sed 's/{ "\(.*\)", "\(U[0-9]*\)", *"\(.*\)" }/   ``\1`` | \2 | \3/')
	in_doc=$(grep -s '^   ``[a-z0-9-]*`` | U[0-9]* | ' doc/hw/unknown.rst || :)
	if [ "$in_code" != "$in_doc" ]; then
		echo "doc/hw/unknown.rst: the table of quirks is not that of $quirks; expected"
		echo "$in_code"
		exit 1
	fi
fi

texts() {
	for d in doc lib drivers app test; do
		[ ! -d "$d" ] || grep -rIl --exclude-dir=corpus --exclude-dir=__pycache__ \
			. "$d" || :
	done | sort
}

texts | awk -v prefixes="$prefixes" '
function complain(text) {
	print text
	bad = 1
}

# A citation of this name, in the line that is being read.
function cite(name) {
	if (name ~ /^U/) {
		cited[name, file] = 1
		if (file !~ /^(doc|test)\//)
			relied[name] = file
	}
	if (!((name, file) in first)) {
		first[name, file] = nr
		order[++cites] = name SUBSEP file
	}
}

# What is found at the start of text, if it is no part of a word; then rest is what follows.
function take(text, pattern) {
	while (match(text, pattern)) {
		before = RSTART > 1 ? substr(text, RSTART - 1, 1) : " "
		found = substr(text, RSTART, RLENGTH)
		text = substr(text, RSTART + RLENGTH)
		if (before !~ /[A-Za-z0-9_]/ && substr(text, 1, 1) !~ /[A-Za-z0-9_]/) {
			rest = text
			return 1
		}
	}
	return 0
}

function citations(text,    prefix) {
	rest = text
	while (take(rest, "(" prefixes ") " one)) {
		cite(found)
		prefix = substr(found, 1, index(found, " "))
		# Further numbers of the same prefix.
		while (match(rest, /^(, | and | to )[0-9]+[.][0-9]+/)) {
			found = substr(rest, 1, RLENGTH)
			rest = substr(rest, RLENGTH + 1)
			sub(/^(, | and | to )/, "", found)
			cite(prefix found)
		}
	}
	rest = text
	while (take(rest, "U[0-9]+"))
		cite(found)
	if (text ~ /reference (section )?(U?[0-9])/)
		complain(file ":" nr ": cites the reference without a prefix; expected one" \
			" of doc/hw/index.rst")
}

function section(name) {
	if (name in sections)
		complain(file ":" nr ": " name " is there twice, first in " sections[name])
	sections[name] = file
}

# A row: what is decided is decided in these functions.
function row(line,    cell, name, n, i, word, path) {
	n = split(line, cell, " [|] ?")
	name = cell[1]
	gsub(/[^0-9]/, "", name)
	name = "U" name
	section(name)
	if (line ~ /Nothing in the code depends on it/) {
		nothing[name] = 1
		return
	}
	n = split(cell[4], word, "``")
	for (i = 2; i <= n; i += 2) {
		if (word[i] ~ /\(\)$/ && path != "") {
			sub(/\(\)$/, "", word[i])
			functions[name] = functions[name] " " path ":" word[i]
		} else {
			path = word[i]
		}
	}
	if (functions[name] == "")
		complain(file ":" nr ": " name " names no file with a function; expected" \
			" some, or that nothing in the code depends on it")
}

function has_function(path, name,    line, found) {
	while ((getline line < path) > 0)
		if (index(line, name "(") == 1)
			found = 1
	close(path)
	return found
}

function read(    line, before, text, tail) {
	nr = 0
	while ((getline line < file) > 0) {
		nr++
		text = line
		gsub(/^[ \t]*([*#]|\/\/)*[ \t]*/, "", text)
		# A citation may go on in the next line.
		citations(tail text)
		tail = ""
		if (match(text, unfinished))
			tail = substr(text, RSTART) " "
		if (file ~ /^doc\/hw\//) {
			if (line ~ /^(---|~~~|===)/ && before ~ "^(" prefixes ") [0-9.]+: ") {
				sub(/:.*/, "", before)
				section(before)
			}
			if (file == "doc/hw/unknown.rst" && line ~ /^ *_`U[0-9]+`/)
				row(line)
		}
		before = line
	}
	close(file)
}

BEGIN {
	one = "[0-9]+([.][0-9]+)?"
	unfinished = "(" prefixes ")( " one "((, | and | to )" one ")*(,| and| to)?)?$"
}

{
	file = $0
	read()
}

END {
	for (i = 1; i <= cites; i++) {
		split(order[i], c, SUBSEP)
		if (!(c[1] in sections))
			complain(c[2] ":" first[c[1], c[2]] ": cites " c[1] \
				", which doc/hw does not have")
	}
	for (name in functions) {
		n = split(functions[name], pair, " ")
		some = 0
		for (i = 1; i <= n; i++) {
			split(pair[i], c, ":")
			if (!has_function(c[1], c[2]))
				complain("doc/hw/unknown.rst: " name " names " c[2] "(), which " \
					c[1] " does not have")
			if ((name, c[1]) in cited)
				some = 1
		}
		if (!some)
			complain("doc/hw/unknown.rst: " name " is cited by none of the files" \
				" that it names")
	}
	for (name in nothing)
		if (name in relied)
			complain(relied[name] ": cites " name ", but by doc/hw/unknown.rst" \
				" nothing in the code depends on it")
	exit bad
}'
