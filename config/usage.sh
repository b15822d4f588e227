# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# What every script does with its arguments before anything else. To be sourced first.

usage_wrong() {
	echo "$0: $*; see $0 --help" >&2
	exit 2
}

# usage_take LEAST MOST "OPTION..." ARGUMENT...: ends the script after its own head was printed, if
# -h or --help is an argument; ends it with 2 for another number of words, and for an option that is
# none of these: --name; --name= with a value; --name=N with a number from 1. With "..." among them,
# what follows the first word is somebody else's and is not looked at.
usage_take() {
	usage_least=$1
	usage_most=$2
	usage_known=$3
	shift 3
	usage_words=0
	while [ $# -gt 0 ]; do
		case $1 in
		-h | --help)
			sed -n '5,$ { /^#/!q; s/^# \{0,1\}//p; }' "$0"
			exit 0
			;;
		-?*)
			[ "$usage_words" -eq 0 ] ||
				usage_wrong "$1 behind a word; options come first"
			usage_option "$@" || shift
			;;
		*)
			usage_words=$((usage_words + 1))
			case " $usage_known " in
			*" ... "*)
				usage_words=$((usage_words + $# - 1))
				break
				;;
			esac
			;;
		esac
		shift
	done
	[ "$usage_words" -ge "$usage_least" ] ||
		usage_wrong "$usage_words arguments, expected at least $usage_least"
	[ "$usage_words" -le "$usage_most" ] ||
		usage_wrong "$usage_words arguments, expected at most $usage_most"
}

# usage_option OPTION [NEXT...]: checks the option; fails if its value is the next word.
usage_option() {
	for usage_name in $usage_known; do
		case $usage_name,$1 in
		*=*,"${usage_name%%=*}")
			[ $# -gt 1 ] || usage_wrong "$1 without a value"
			[ "${usage_name##*=}" != N ] || usage_number "$1" "$2"
			return 1
			;;
		*=*,"${usage_name%%=*}="*)
			[ "${usage_name##*=}" != N ] || usage_number "${1%%=*}" "${1#*=}"
			return 0
			;;
		"$1,$1") return 0 ;;
		esac
	done
	usage_wrong "unknown option $1"
}

# usage_number WHAT VALUE: ends the script unless the value is a number from 1 to 999999999.
usage_number() {
	case $2 in
	'' | 0* | *[!0-9]* | ??????????*) usage_wrong "$1 '$2', expected a number from 1" ;;
	esac
}
