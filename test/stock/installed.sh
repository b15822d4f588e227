#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# The service, its clients and the library as their packages installed them. Starts the service by
# hand as its unit does: an ordinary user's process, with its socket in /run/spimdev. One line per
# test.
#
# usage: test/stock/installed.sh [SPIMDEVD-ARGUMENT...]

set -u

socket=/run/spimdev/zip
dir=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$dir" /run/spimdev' EXIT
trap 'exit 130' INT TERM

ok() {
	name=$1
	shift
	if "$@" > "$dir/log" 2>&1; then
		echo "ok $name"
	else
		echo "not ok $name"
		tail -n 20 "$dir/log" "$dir/server" | sed 's/^/  | /'
	fi
}

# round_trip ACCESS-POINT: spimgz finds this one by itself, and gzip agrees with it.
round_trip() {
	spimgz -v < /usr/bin/dpdk-test > "$dir/gz" 2> "$dir/err" || return
	cat "$dir/err"
	grep -q "$1" "$dir/err" && gzip -dc "$dir/gz" | cmp - /usr/bin/dpdk-test &&
		spimgz -d < "$dir/gz" | cmp - /usr/bin/dpdk-test
}

listening() {
	tries=0
	until grep -q listening "$dir/server"; do
		tries=$((tries + 1))
		[ "$tries" -lt 1000 ] && kill -0 "$server" || return 1
		sleep 0.01
	done
}

: > "$dir/server"
ok "spimgz without a service" round_trip local
mkdir -p /run/spimdev
chown nobody /run/spimdev
spimdevd --run-as nobody --listen "$socket" "$@" > "$dir/server" 2>&1 &
server=$!
ok "spimdevd serves as an ordinary user" listening
ok "spimgz by the service" round_trip "unix:$socket"
sh "$(dirname "$0")/autotest.sh" --installed "dev=unix:$socket"
ok "libspimdev has its interface" python3 -c 'import ctypes
ctypes.CDLL("libspimdev.so.0").spim_zip_open'
kill "$server"
wait "$server"
status=$?
server=
ok "spimdevd ends with 0" [ "$status" -eq 0 ]
ok "its socket is gone" [ ! -e "$socket" ]
