# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Runs a command for so long only, and ends it with all that it has started. To be sourced.
#
# TEST_LIMIT in the environment: no command may take more seconds than that, whatever it is allowed.

# The seconds that a command may take, and those from being asked to end until it is made to.
usual_limit=${TEST_LIMIT:-900}
limit=$usual_limit
grace=${TEST_LIMIT:-5}

# within SECONDS COMMAND...: runs a function of tests with this limit instead of the usual one.
within() {
	limit=${TEST_LIMIT:-$1}
	shift
	"$@"
	limit=$usual_limit
}

# tree PID: the process, and all that it has started, and they, unless who started it has ended.
tree() {
	echo "$1"
	# shellcheck disable=SC2013 # words, one a line
	for tree_child in $(sed -n "s/^\([0-9]*\) (.*) [A-Za-z] $1 .*/\1/p" /proc/[0-9]*/stat \
		2> /dev/null); do
		tree "$tree_child"
	done
}

# end_processes PID...
# shellcheck disable=SC2120 # lists of words are given
end_processes() {
	kill -TERM "$@" 2> /dev/null || :
	end_until=$(($(date +%s%N) / 1000000 + $(echo "$grace" | awk '{ print int($1 * 1000) }')))
	for end_pid; do
		while kill -0 "$end_pid" 2> /dev/null &&
			[ $(($(date +%s%N) / 1000000)) -lt "$end_until" ]; do
			sleep 0.05
		done
	done
	kill -KILL "$@" 2> /dev/null || :
}

# overdue PID: waits for its end; fails if that came too late and was made.
overdue() {
	overdue_status=0
	timeout "$limit" tail -s 0.05 --pid="$1" -f /dev/null || overdue_status=$?
	[ "$overdue_status" -eq 124 ] || return 0
	overdue_tree=$(tree "$1")
	# shellcheck disable=SC2086 # a list of words on purpose
	end_processes $overdue_tree
	# What they have started since.
	# shellcheck disable=SC2046 # likewise
	kill -KILL $(for p in $overdue_tree; do tree "$p"; done) 2> /dev/null || :
	return 1
}

# limited COMMAND...: ends as the command does, or with 124 after $limit seconds. It may be a
# function, which then runs in a shell of its own.
limited() {
	case $(type "$1") in
	*function*) "$@" < /dev/null & ;;
	# A shell has what it starts in the background ignore these.
	*) env --default-signal=INT,QUIT "$@" < /dev/null & ;;
	esac
	limited_pid=$!
	overdue "$limited_pid" > /dev/null 2>&1 < /dev/null &
	limited_watch=$!
	limited_status=0
	wait "$limited_pid" || limited_status=$?
	wait "$limited_watch" || limited_status=124
	# shellcheck disable=SC2034 # whose children may be left
	limited_last=$limited_pid
	limited_pid=
	return "$limited_status"
}

# how_ended STATUS: in words.
how_ended() {
	if [ "$1" -eq 124 ]; then
		echo "time-out: no end within $limit s"
	elif [ "$1" -gt 128 ]; then
		echo "killed by signal $(($1 - 128))"
	else
		echo "ended with status $1"
	fi
}
