# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Completion of spimctl, spimgz and spimdevd in bash: options as --help has them, and what follows.

_spimdev_options() {
	"$1" --help 2> /dev/null | grep -oE -- '(^|[ ,])--?[a-zA-Z0-9][a-z0-9-]*' | tr -d ' ,' |
		sort -u
}

# The access points that a service tells of.
_spimdev_points() {
	"$1" list 2> /dev/null | awk '$1 == "ACCESS" { on = 1; next } NF == 0 { on = 0 } on { print $1 }'
}

_spimdev() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words=
	COMPREPLY=()
	case ${1##*/},$before,$word in
	*,*,-*) words=$(_spimdev_options "$1") ;;
	spimctl,drain,* | spimctl,undrain,* | spimctl,show,*) words=$(_spimdev_points "$1") ;;
	spimctl,-c,* | spimctl,--control,* | spimctl,-[dnw],*) ;;
	spimctl,*) words="list show top drain undrain" ;;
	spimdevd,--ext,* | spimdevd,--isolation,* | spimdevd,--sandbox,*) words="on off" ;;
	spimdevd,--rev,*) words="v2 v3" ;;
	spimgz,-s,* | spimgz,--service,*) words="local" ;;
	esac
	if [ -n "$words" ]; then
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
	fi
}

complete -o default -F _spimdev spimctl spimdevd spimgz
