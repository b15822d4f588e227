# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# What app/silicon.sh reads out of the log of a program. Sourced.

# driver_lines LOG: what the driver said of devices, without their names. The name of a function on
# PCI has colons; none has a blank.
driver_lines() {
	sed -n 's/^HISI_ZIP: [^ ]*: //p' "$1" | without_names
}

# other_lines LOG: what the driver said at all. Lines of others can have anything in them.
other_lines() {
	grep -E '^HISI(_[A-Z]+)?: ' "$1" | without_names
}

# As a filter: neither paths nor PCI addresses.
without_names() {
	sed -e 's/\([0-9a-f]\{4,\}:\)\{0,1\}[0-9a-f]\{2\}:[0-9a-f]\{2\}\.[0-7]/FUNCTION/g' \
		-e 's,/[^ ]*,PATH,g'
}

# known_answers LOG: what known answers have shown; fails if it is nothing.
known_answers() {
	driver_lines "$1" | grep -E '^(dev=|path |known answers)'
}

# answer LOG PATH WHAT: a part of what was said of a path: 1 bytes counted, 2 the checksum.
answer() {
	parts='count \([0-9]*\) of it, checksum in dw31 \([a-z]*\)'
	driver_lines "$1" | sed -n "s/^path $2: on, .*$parts.*/\\$3/p" | head -n 1
}

# path_state LOG PATH: whether it is on, and if not, why.
path_state() {
	driver_lines "$1" | sed -n "s/^path $2: \(.*\), trailer.*/\1/p" | head -n 1
}
