#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# spimgz against gzip, in both directions, by the service, in software, and when the service is
# killed in the middle. One line per test.
#
# usage: test/service/spimgz.sh BUILD

set -u

build=$(realpath "$1")
spimgz=$build/app/spimgz
dir=$(mktemp -d)
socket=$dir/s
server=
trap '[ -z "$server" ] || kill -9 "$server"; rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM

ok() {
	name=$1
	shift
	if "$@" > "$dir/log" 2>&1; then
		echo "ok spimgz $name"
	else
		echo "not ok spimgz $name"
		sed 's/^/  | /' "$dir/log" | tail -n 20
	fi
}

serve() {
	"$build/app/spimdevd" --listen "$socket" --workers 1 > "$dir/server" 2>&1 &
	server=$!
	tries=0
	until grep -q listening "$dir/server"; do
		tries=$((tries + 1))
		[ "$tries" -lt 500 ] || return 1
		sleep 0.01
	done
}

# ends_with STATUS TEXT COMMAND...
ends_with() {
	want=$1
	text=$2
	shift 2
	"$@" > "$dir/out" 2> "$dir/err"
	got=$?
	cat "$dir/err"
	[ "$got" -eq "$want" ] || {
		echo "status $got, expected $want"
		return 1
	}
	[ -z "$text" ] || grep -q "$text" "$dir/err"
}

# both_ways ACCESS-POINT FILE LEVEL
both_ways() {
	"$spimgz" -s "$1" "-$3" -c "$2" > "$dir/ours.gz" && gzip -t "$dir/ours.gz" &&
		gzip -dc "$dir/ours.gz" | cmp - "$2" &&
		"$spimgz" -s "$1" -dc "$dir/ours.gz" | cmp - "$2"
}

# Members of both programs in one file, as cat makes them.
mixed() {
	gzip -c "$2" > "$dir/theirs.gz" && "$spimgz" -s "$1" -c "$2" > "$dir/ours.gz" &&
		cat "$dir/theirs.gz" "$dir/ours.gz" "$dir/theirs.gz" > "$dir/mixed.gz" &&
		cat "$2" "$2" "$2" > "$dir/plain" &&
		"$spimgz" -s "$1" -dc "$dir/mixed.gz" | cmp - "$dir/plain"
}

in_place() {
	cp -p "$dir/text" "$dir/file" && chmod 640 "$dir/file" && touch -d 2001-02-03 "$dir/file" &&
		stat -c '%a %Y %s' "$dir/file" > "$dir/before" &&
		"$spimgz" -s local "$dir/file" && ! [ -e "$dir/file" ] &&
		"$spimgz" -s local -d "$dir/file.gz" && ! [ -e "$dir/file.gz" ] &&
		stat -c '%a %Y %s' "$dir/file" | cmp - "$dir/before" && cmp "$dir/file" "$dir/text"
}

# One bad file of many, over one queue: the others do not notice.
among() {
	rm -rf "$dir/many" && mkdir "$dir/many" || return 1
	for i in 1 2 4 5; do
		cp "$dir/mix" "$dir/many/$i" && "$spimgz" -s local "$dir/many/$i" || return 1
	done
	cp "$dir/bad.gz" "$dir/many/3.gz"
	ends_with 1 "many/3.gz: .*corrupt" "$spimgz" -s "$1" -d "$dir"/many/*.gz || return 1
	for i in 1 2 4 5; do
		cmp "$dir/mix" "$dir/many/$i" || return 1
	done
	[ "$(find "$dir/many" -name '*.gz')" = "$dir/many/3.gz" ]
}

# The service dies while it is at work. again: another one takes its place.
killed() {
	serve || return 1
	(
		sleep 0.3
		kill -9 "$server"
		[ "$1" != again ] || {
			sleep 0.2
			exec "$build/app/spimdevd" --listen "$socket" --workers 1
		}
	) > "$dir/second" 2>&1 &
	second=$!
	"$spimgz" -s "unix:$socket" -9 -c "$dir/big" > "$dir/ours.gz" || return 1
	kill -9 "$server" "$second" 2> /dev/null
	wait "$server" "$second" 2> /dev/null
	server=
	gzip -dc "$dir/ours.gz" | cmp - "$dir/big"
}

# Text of all kinds, and a program.
cat /usr/share/common-licenses/* > "$dir/text"
: > "$dir/empty"
head -c 524288 "$dir/text" > "$dir/chunk"
cat "$(command -v python3)" "$dir/text" > "$dir/mix"
for _ in 1 2 3 4 5 6; do cat "$dir/mix"; done > "$dir/big"

ok "starts the service" serve
for point in local "unix:$socket"; do
	for file in text empty chunk mix; do
		ok "$file, both ways, ${point%%:*}" both_ways "$point" "$dir/$file" 6
	done
	ok "members of gzip and ours, ${point%%:*}" mixed "$point" "$dir/text"
	for level in 1 9; do
		ok "level $level, ${point%%:*}" both_ways "$point" "$dir/mix" "$level"
	done
done
ok "keeps mode and time, replaces files" in_place
"$spimgz" -s local -c "$dir/text" > "$dir/good.gz"
head -c 5000 "$dir/good.gz" > "$dir/short.gz"
ok "truncated" ends_with 1 "unexpected end" "$spimgz" -s local -t "$dir/short.gz"
cp "$dir/good.gz" "$dir/bad.gz"
printf XXXX | dd of="$dir/bad.gz" bs=1 seek=3000 conv=notrunc 2> /dev/null
ok "corrupt" ends_with 1 "corrupt" "$spimgz" -s local -t "$dir/bad.gz"
{
	cat "$dir/good.gz"
	echo junk
} > "$dir/junk.gz"
ok "trailing garbage" ends_with 2 "garbage" "$spimgz" -s local -t "$dir/junk.gz"
{
	cat "$dir/good.gz"
	head -c 1000 /dev/zero
} > "$dir/zeros.gz"
ok "trailing zeros" ends_with 0 "" "$spimgz" -s local -t "$dir/zeros.gz"
ok "not gzip" ends_with 1 "not in gzip format" "$spimgz" -s local -dc "$dir/text"
ok "no such file" ends_with 1 "No such file" "$spimgz" -s local -c "$dir/nothing"
ok "no such service" ends_with 1 "No such file" "$spimgz" -s unix:/nonexistent -c "$dir/text"
ok "unknown option" ends_with 1 "spimgz --help" "$spimgz" --unknown
ok "does not overwrite" ends_with 1 "exists" "$spimgz" -s local -k "$dir/good" "$dir/text" \
	"$dir/text"
for point in local "unix:$socket"; do
	ok "a bad file among others, ${point%%:*}" among "$point"
done
kill -9 "$server"
wait "$server" 2> /dev/null
server=
ok "the service is killed: software goes on" killed once
ok "the service is killed: the next one goes on" killed again
