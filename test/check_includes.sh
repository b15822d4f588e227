#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Holds every #include below lib/, drivers/ and app/ against the table of who may include whom.
#
# usage: check_includes.sh TOP

set -eu

# shellcheck source=../config/usage.sh
. "$(dirname "$0")/../config/usage.sh"
usage_take 1 1 "" "$@"

cd "$1"

# Component, or one file of it: the components whose headers it may include, besides its own,
# base and hisi_hw, which may include nothing. What does not fit into one line has more.
rules() {
	cat <<-'END'
		lib/base:
		lib/hisi_hw:
		lib/hisi_qm:
		lib/hisi_zip:
		lib/zip_codec:
		lib/qm_dev:
		lib/zip_dev: lib/qm_dev lib/zip_codec
		lib/udma_dev: lib/qm_dev
		lib/qm_classes: lib/qm_dev lib/zip_dev lib/udma_dev
		lib/vfio_user:
		lib/spimdev: lib/hisi_qm lib/vfio_user
		lib/spimdev/spim_local.c: lib/hisi_qm lib/qm_dev lib/qm_classes
		lib/spimdev/spim_zip.c: lib/hisi_qm lib/hisi_zip
		drivers/common/hisi: lib/hisi_qm lib/spimdev
		drivers/compress/hisi_zip: drivers/common/hisi lib/hisi_zip lib/zip_codec
		drivers/dma/hisi_udma: drivers/common/hisi
		app/record:
		app/spimdevd: app/record lib/qm_dev lib/qm_classes lib/zip_dev lib/vfio_user
		app/spimctl: app/record
		app/spimgz: lib/spimdev
	END
}

# Those that know no accelerator class, but for files with a line of their own above.
neutral() {
	echo lib/hisi_qm lib/vfio_user lib/spimdev
}

sources() {
	for d in lib drivers app; do
		[ ! -d "$d" ] || find "$d" -name '*.[ch]' -type f
	done | sort
}

include='^[[:space:]]*#[[:space:]]*include[[:space:]]*\([<"]\)\([^>"]*\)[>"].*'
{
	rules | sed 's/^/R /'
	neutral | sed 's/^/N /'
	sources | sed 's/^/F /'
	sources | while read -r f; do
		sed -n "s|$include|I $f \\1 \\2|p" "$f"
	done
} | awk '
function complain(text) {
	print text
	bad = 1
}
function folder(path,  c) {
	for (c in rule)
		if (index(path, c "/") == 1)
			return c
	return ""
}
function component(path) {
	return path in rule ? path : folder(path)
}
$1 == "R" {
	c = $2
	sub(":$", "", c)
	if (!(c in rule)) {
		rule[c] = " " (c ~ /\.[ch]$/ ? folder(c) : c) " "
		if (c != "lib/base" && c != "lib/hisi_hw")
			rule[c] = rule[c] "lib/base lib/hisi_hw "
	}
	for (i = 3; i <= NF; i++)
		rule[c] = rule[c] $i " "
}
$1 == "N" {
	for (i = 2; i <= NF; i++)
		neutral[$i] = 1
}
$1 == "F" {
	c = component($2)
	if (c == "")
		complain($2 ": in no component that the table of check_includes.sh knows")
	if ($2 ~ /\.h$/) {
		name = $2
		sub(".*/", "", name)
		owner[name] = c
	}
}
$1 == "I" {
	c = component($2)
	name = $4
	sub(".*/", "", name)
	if ($2 ~ /^lib\// && name ~ /^(rte_|bus_|dev_driver\.h)/)
		complain($2 ": includes " $4 ", a DPDK header; expected none below lib/")
	else if (c in neutral && name ~ /^hisi_(zip|udma)_/)
		complain($2 ": includes " $4 " of a class; " c " is to know none")
	else if (name in owner) {
		if (index(rule[c], " " owner[name] " ") == 0)
			complain($2 ": includes " $4 " of " owner[name] \
				"; expected one of:" rule[c])
		else if ($4 ~ /\//)
			complain($2 ": includes " $4 "; expected a name without a path")
	} else if ($3 == "\"")
		complain($2 ": includes \"" $4 "\", no header of ours; expected <" $4 ">")
}
END { exit bad }'
