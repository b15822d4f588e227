#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# The service, its clients and the library as their packages installed them. Starts the service by
# hand as its unit does: an ordinary user's process, with its socket in /run/spimdev. One line per
# test.
#
# usage: test/stock/installed.sh [SPIMDEVD-OPTION...]
# Of the service's options these: --sandbox SWITCH, --workers N, --verbose.

set -eu

# shellcheck source=../../config/usage.sh
. "$(dirname "$0")/../../config/usage.sh"
usage_take 0 "$#" "--sandbox= --workers= --verbose" "$@"

cd "$(dirname "$0")/../.."
. test/lib.sh

socket=/run/spimdev/zip
dir=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$dir" /run/spimdev' EXIT
trap 'exit 130' HUP INT TERM

# round_trip ACCESS-POINT: spimgz finds this one by itself, and gzip agrees with it.
round_trip() {
	spimgz -v < /usr/bin/dpdk-test > "$dir/gz" 2> "$dir/err" || return
	cat "$dir/err"
	grep -qxF "spimgz: by $1" "$dir/err" && gzip -dc "$dir/gz" | cmp - /usr/bin/dpdk-test &&
		spimgz -d < "$dir/gz" | cmp - /usr/bin/dpdk-test
}

listening() {
	tries=0
	until grep -q listening "$dir/server"; do
		tries=$((tries + 1))
		[ "$tries" -lt 1000 ] && kill -0 "$server" || {
			cat "$dir/server"
			return 1
		}
		sleep 0.01
	done
}

# serve ARGUMENT...: as an ordinary user.
serve() {
	mkdir -p /run/spimdev
	chown nobody /run/spimdev
	: > "$dir/server"
	spimdevd --run-as nobody --listen "$socket" "$@" > "$dir/server" 2>&1 &
	server=$!
}

# ended: the service, when it was asked to.
ended() {
	[ "$status" -eq 0 ] || {
		cat "$dir/server"
		return 1
	}
}

check "spimgz without a service" round_trip local
planning || serve "$@"
check "spimdevd serves as an ordinary user" listening
check "spimgz by the service" round_trip "unix:$socket"
reports autotest test/stock/autotest.sh --installed "dev=unix:$socket"
check "libspimdev has its interface" python3 -c 'import ctypes
ctypes.CDLL("libspimdev.so.0").spim_zip_open'
status=0
if ! planning; then
	kill "$server" || :
	wait "$server" || status=$?
	server=
fi
check "spimdevd ends with 0" ended
check "its socket is gone" test ! -e "$socket"
exit "$failed"
