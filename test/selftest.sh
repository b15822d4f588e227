#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Tests the groups themselves: each runs by run.sh in a tree where another program stands in for
# each that it starts (selftest/stand_in.sh). At first all of them do well; then they fail in one
# way after another, and whatever was tested by them must be named as failed.
#
# usage: test/selftest.sh [TREE]
#   TREE  whose groups, lib.sh and run.sh; default: this one

set -eu

# shellcheck source=../config/usage.sh
. "$(dirname "$0")/../config/usage.sh"
usage_take 0 1 "" "$@"

cd "$(dirname "$0")/.."
. test/lib.sh
tree=$(realpath "${1:-.}")
here=$(pwd)

# Who stands in for what, the kind of program, and the tests that are nothing without it (patterns).
#   build   what must be there for the rest
#   unit    meson
#   tests   reports tests itself
#   text    must print something
#   status  need not
#   file    is looked for
programs() {
	cat <<-'END'
		selftest test/selftest.sh tests selftest
		selftest mutate/selftest.sh tests mutate
		source test/check_includes.sh status include*
		source test/check_style.sh status style*
		source test/check_citations.sh status citation*
		source test/check_usage.sh status each*script* usage*
		source test/check_names.py status function* name*
		source test/check_circles.py status no?circle* circle*
		source test/checkpatch.sh status checkpatch*
		source test/debian_rules.sh status debian/rules*
		source bin/shellcheck status shellcheck*
		gcc config/build.sh build gcc*
		gcc bin/meson unit gcc
		gcc bin/objdump text meson*install*
		gcc bin/nm text the*driver*exports* the*dma*driver*exports* the*library*exports*
		gcc bin/ldd text meson*install* the*driver*finds* the*dma*driver*finds*
		gcc doc/hisi_udma_example text the*example*
		clang config/build.sh build clang*builds*
		clang bin/meson unit clang
		asan config/build.sh build clang*builds*
		asan bin/meson unit asan
		asan bin/nm text *sanitizer*is*in*it
		asan bin/clang text a*bad*access*
		asan fuzz/fuzz_* text fuzz*
		tsan config/build.sh build clang*builds*
		tsan bin/meson unit tsan
		tsan bin/nm text *sanitizer*is*in*it
		valgrind config/build.sh build gcc*
		valgrind bin/meson unit valgrind
		valgrind bin/valgrind text a*bad*access*
		service config/build.sh build gcc*
		service service/test_life.py tests test_life
		service service/test_clients.py tests test_clients ?san,*test_clients
		service doc/client_example text the*example*
		service build/asan/app/spimdevd file the*group*asan*is*there
		service build/tsan/app/spimdevd file the*group*tsan*is*there
		service-load config/build.sh build gcc*
		service-load service/load_swarm text 64*processes* tsan:*48*
		service-load service/load_latency text first*completion*
		service-load service/load_fairness text shares*
		service-load service/swarm_pmd.py text 8*DPDK*
		service-load service/restart.py text service*killed*
		service-hostile config/build.sh build gcc*
		service-hostile service/hostile tests hostile*,*normal hostile*,*asan
		service-hostile build/asan/app/spimdevd file the*group*asan*is*there
		autotest config/build.sh build gcc*
		autotest stock/autotest.sh tests autotest* bare?auto* dma?a* the*gate* the*dma*gate*
		arm64 config/arm64.sh build gcc*builds*for*arm64*
		arm64 bin/meson unit arm64 arm64-asan
		arm64 stock/autotest.sh tests arm64?autotest
		arm64 stock/perf_matrix.py tests arm64?perf
		arm64 build/arm64-sysroot/usr/bin/dpdk-test file the*stock*programs*
		litmus config/arm64.sh build gcc*
		litmus litmus/run.sh tests litmus
		versions test/versions.sh tests trixie sid
		package config/chroot.sh tests guides
		package service/unit.py status the*unit*
		package test/packages.sh tests packages test/packages.sh*fails*
		perf config/build.sh build gcc*
		perf stock/perf.sh tests matrix
		perf perf/beside.sh tests beside
		perf app/perf.sh text app/perf.sh*closing* app/perf.sh*missing* app/perf.sh*number*
		perf app/silicon.sh text app/silicon.sh*known* app/silicon.sh*option*
		vm config/build.sh build gcc*
		vm vm/run.sh tests vm
		tools config/build.sh build gcc*
		tools bin/dpdk-pmdinfo.py text dpdk-pmdinfo*
		tools stock/telemetry.sh text dpdk-telemetry*
		tools stock/gzip_suite.sh tests gzip's*tests*
		doc config/build.sh build the*build*
		doc bin/ninja status documentation*without*
		doc build/doc/html/index.html file documentation*first*
	END
}

# ways GROUP KIND: how such a program fails. What sees it is shared by all groups: one of them has
# all ways.
ways() {
	case $2,$1 in
	build,*) echo build-dies build-hangs ;;
	unit,gcc)
		echo dies signal hangs silent fewer nonzero expectedfail skips runs-none runs-half
		;;
	unit,*) echo dies hangs runs-none ;;
	tests,service) echo dies signal hangs silent fewer nonzero twice import ;;
	tests,*) echo dies hangs nonzero ;;
	text,*) echo dies hangs silent ;;
	status,*) echo dies hangs ;;
	file,*) echo missing ;;
	esac
}

work=$(mktemp -d)
[ -n "${KEEP:-}" ] || trap 'rm -rf "$work"' EXIT
trap 'exit 130' HUP INT TERM

stand_in=$here/test/selftest/stand_in.sh
timeout=$(command -v timeout)
group_limit=50
# The unit tests that a stand-in of meson has: those that a group names.
UNIT_NAMES=$(sed -n '/^unit_tests valgrind build "/,/"/p' test/groups/60-valgrind.sh |
	sed 's/^unit_tests valgrind build "//; s/".*//')
export UNIT_NAMES
# Seconds that nobody else sleeps.
export LONG="31415.$$"

# stands_in PATH...: for each of these, in the tree that is being made.
stands_in() {
	for path; do
		mkdir -p "$(dirname "$path")"
		case $path in
		*.py)
			cat > "$path" <<-END
				# SPDX-License-Identifier: BSD-3-Clause
				import os
				import sys
				os.environ["STAND_FOR"] = sys.argv[0]
				os.execv(os.environ["STAND_IN"], ["stand_in.sh", *sys.argv[1:]])
			END
			;;
		*) cp "$stand_in" "$path" ;;
		esac
		chmod +x "$path"
	done
}

# make_tree: one without a group, and all programs stood in for.
make_tree() {
	mkdir "$work/tree"
	cd "$work/tree"
	stands_in config/setup.sh config/build.sh config/arm64.sh config/chroot.sh app/perf.sh \
		app/silicon.sh \
		config/dpdk-sdk.sh test/checkpatch.sh test/debian_rules.sh \
		test/service/test_life.py test/service/test_clients.py \
		test/service/swarm_pmd.py test/service/restart.py test/service/unit.py \
		test/selftest.sh \
		test/mutate/selftest.sh \
		test/stock/autotest.sh test/stock/perf.sh test/stock/perf_matrix.py \
		test/stock/telemetry.sh test/stock/gzip_suite.sh test/litmus/run.sh \
		test/perf/beside.sh \
		test/vm/run.sh test/packages.sh test/versions.sh \
		build/test/service/hostile build/test/service/load_swarm \
		build/test/service/load_latency build/test/service/load_fairness \
		build/test/service/load_restart_client build/app/spimdevd \
		build/doc/client_example build/doc/hisi_udma_example \
		build/asan/app/spimdevd build/tsan/app/spimdevd
	for name in meson ninja nm objdump ldd gcc clang valgrind shellcheck; do
		stands_in "build/bin/$name"
	done
	cp "$stand_in" build/bin/dpdk-pmdinfo.py
	for f in "$here"/test/fuzz/fuzz_*.c; do
		name=$(basename "$f" .c)
		stands_in "build/asan/test/fuzz/$name"
		mkdir -p "test/fuzz/corpus/$name"
		touch "test/fuzz/corpus/$name/input"
		cp "$f" test/fuzz
	done
	sed -i '1i # not sanitized: a stand-in' test/service/test_life.py
	mkdir -p test/groups build/doc/html build/drivers build/arm64-sysroot/usr/bin lib
	cp "$tree"/test/*.awk "$tree"/test/*.jq test 2> /dev/null || :
	cp "$tree/test/run.sh" "$tree"/test/li*.sh "$tree"/test/check_* test
	cp "$tree/config/usage.sh" config 2> /dev/null || :
	cp "$tree/app/silicon_log.sh" app 2> /dev/null || :
	: > build/planted
	echo page > build/doc/html/index.html
	head -c 50000 /dev/zero > build/drivers/librte_compress_hisi_zip.so
	printf '\177ELF______________\267\000__' > build/arm64-sysroot/usr/bin/dpdk-test
	# Without a limit of our own for each test, those of the groups are shortened.
	if ! [ -e test/limited.sh ]; then
		printf '#!/bin/sh\nshift\nexec %s 1 "$@"\n' "$(command -v timeout)" \
			> build/bin/timeout
		chmod +x build/bin/timeout
	fi
	cd "$here"
}

# in_tree TREE WAY [VARIABLE=VALUE...]: runs run.sh there, for the group that the tree is named for.
in_tree() {
	there=$work/$1
	way=$2
	group=$1
	[ -n "$(find "$there/test/groups" -name "*-$group.sh")" ] || group=
	shift 2
	env -C "$there" PATH="$there/build/bin:$PATH" PLANT="$way" \
		PLANTED="$there/build/planted" STAND_IN="$stand_in" "$@" \
		"$timeout" -k 5 60 test/run.sh ${group:+"$group"} < /dev/null
}

# run GROUP WAY: in its tree, where programs fail in this way. Then $ran is how it ended.
run() {
	case $2 in
	*hangs) set -- "$1" "$2" TEST_LIMIT=0.4 GROUP_LIMIT=60 ;;
	esac
	in_tree "$@" > "$work/$1/build/$2.log" 2>&1 && ran=0 || ran=$?
	cat "$work/$1/build/$2.log"
	log=$work/$1/build/test-logs/group-$1.log
}

# passes GROUP: nothing is planted, so all must do well. Leaves the names of the tests.
passes() {
	: > "$work/$1/build/planted"
	run "$1" nothing
	[ "$ran" -eq 0 ] || return 1
	# But those of the programs that stand in.
	# shellcheck disable=SC2086 # a list of words on purpose
	sed -n 's/^ok //p' "$log" | sed 's/ (.*//; / one$/d; / two$/d' |
		grep -v -E ": ($(echo $UNIT_NAMES | tr ' ' '|'))\$" > "$work/$1/build/names"
	! grep -q '^plan ' "$log" || {
		# Each has a program in the table without which it cannot be.
		programs | awk -v group="$1" '$1 == group { for (i = 4; i <= NF; i++) print $i }' \
			> "$work/$1/build/patterns"
		all_named "$work/$1/build/names" "$work/$1/build/patterns"
	}
}

# all_named NAMES PATTERNS: each name is one of the patterns'.
all_named() {
	while read -r name; do
		found=
		while read -r pattern; do
			# shellcheck disable=SC2254 # a pattern on purpose
			case $name in
			$pattern) found=yes ;;
			esac
		done < "$2"
		[ -n "$found" ] || {
			echo "no program is in the table for the test: $name"
			return 1
		}
	done < "$1"
}

# fails GROUP WAY: planted in all programs that can fail so; each of their tests is named.
fails() {
	build=$work/$1/build
	: > "$build/planted"
	: > "$build/patterns"
	programs | while read -r group path class patterns; do
		[ "$group" = "$1" ] || continue
		case " $(ways "$1" "$class") " in
		*" $2 "*) ;;
		*) continue ;;
		esac
		case $path in
		fuzz/*) for f in test/fuzz/fuzz_*.c; do echo "fuzz/$(basename "$f" .c)"; done ;;
		*) echo "$path" ;;
		esac >> "$build/planted"
		printf '%s\n' "$patterns" | tr ' ' '\n' >> "$build/patterns"
		case $path,$2 in
		*,missing) rm "$work/$1/$path" ;;
		*.py,import) echo "import nowhere" > "$work/$1/test/$path" ;;
		test/check_*) (cd "$work/$1" && stands_in "$path") ;;
		esac
	done
	run "$1" "$2"
	cat "$log"
	[ "$ran" -eq 1 ] || {
		echo "run.sh ended with $ran; expected 1"
		return 1
	}
	tail -n 1 "$build/$2.log" | grep -q '^[0-9]* passed, [1-9][0-9]* failed$' || {
		echo "swallowed: $(tail -n 1 "$build/$2.log")"
		return 1
	}
	# The tests of these programs.
	some_late=
	sed -n 's/^not ok //p' "$log" > "$build/failed"
	while read -r pattern; do
		found=
		while read -r name; do
			# shellcheck disable=SC2254 # a pattern on purpose
			case $name in
			$pattern) found=$found: ;;
			*) continue ;;
			esac
			grep -q -F -e "$name (" -e "$name: " "$build/failed" ||
				grep -qxF "$name" "$build/failed" || {
				echo "swallowed: nothing says that this failed: $name"
				return 1
			}
		done < "$build/names"
		[ -n "$found" ] || while read -r name; do
			# shellcheck disable=SC2254 # likewise
			case $name in
			$pattern*) found=: ;;
			esac
		done < "$build/failed"
		[ -n "$found" ] || {
			echo "swallowed: nothing that failed is: $pattern"
			return 1
		}
		case $2 in
		*hangs) late "$pattern" "$build/failed" || return 1 ;;
		esac
	done < "$build/patterns"
	case $2,$some_late in
	*hangs,)
		echo "swallowed: nothing took too long"
		return 1
		;;
	esac
}

# late PATTERN FAILED: one of its tests has failed because it took too long, or because one before
# it did, without which it was not worth running.
late() {
	reached=yes
	while read -r name; do
		# shellcheck disable=SC2254 # a pattern on purpose
		case $name in
		$1*"(time-out: "*)
			some_late=yes
			return
			;;
		$1*"(planned, but did not report)") reached= ;;
		esac
	done < "$2"
	[ -n "$reached" ] || return 0
	echo "swallowed: nothing says that this took too long: $1"
	return 1
}

# group_plants GROUP
group_plants() {
	check "$1: all do well" passes "$1"
	for way in $(programs | awk -v group="$1" '$1 == group { print $3 }' | sort -u |
		while read -r class; do ways "$1" "$class"; done | tr ' ' '\n' | sort -u); do
		check "$1: $way" fails "$1" "$way"
	done
}

# whole TEXT... < GROUP: this group is planted itself; it fails, and these are the words.
whole() {
	cat > "$work/tree/test/groups/10-planted.sh"
	in_tree tree nothing TEST_LIMIT=1 GROUP_LIMIT="$group_limit" \
		> "$work/tree/log" 2>&1 && ran=0 || ran=$?
	cat "$work/tree/log"
	[ "$ran" -eq 1 ] || {
		echo "swallowed: run.sh ended with $ran; expected 1"
		return 1
	}
	tail -n 1 "$work/tree/log" | grep -q '^[0-9]* passed, [1-9][0-9]* failed$' || return 1
	for text; do
		grep -qF "$text" "$work/tree/log" || {
			echo "swallowed: nothing says: $text"
			return 1
		}
	done
}
early() {
	whole "not ok second (planned, but did not report)" <<-'END'
		. test/lib.sh
		check first true
		[ -n "${TEST_PLAN:-}" ] || exit 0
		check second true
	END
}
breaks() {
	whole "not ok second (planned, but did not report)" "not ok planted (ended with status 1)" \
		<<-'END'
		set -eu
		. test/lib.sh
		check first true
		[ -n "${TEST_PLAN:-}" ] || false
		check second true
	END
}
no_shell() {
	whole "not ok planted (" <<-'END'
		. test/lib.sh
		check first true
		if
	END
}
empty() {
	whole "not ok planted (planned no test)" <<-'END'
		. test/lib.sh
	END
}
again() {
	whole "not ok first (planned twice)" "not ok first (reported twice)" <<-'END'
		. test/lib.sh
		check first true
		check first true
	END
}
unplanned() {
	whole "not ok second (reported, but not planned)" <<-'END'
		. test/lib.sh
		check first true
		echo "ok second"
	END
}
leaves() {
	whole "not ok planted (left behind: sleep" <<-'END'
		. test/lib.sh
		check first true
		[ -n "${TEST_PLAN:-}" ] || sleep "$LONG" &
	END
	! still_sleeps
}
hangs() {
	group_limit=3
	whole "not ok planted (time-out" "not ok first (planned, but did not report)" <<-'END'
		. test/lib.sh
		[ -n "${TEST_PLAN:-}" ] || sleep "$LONG"
		check first true
	END
	! still_sleeps
}
stubborn() {
	whole "not ok first (time-out" <<-'END'
		. test/lib.sh
		check first sh -c 'trap "" TERM; sleep "$LONG" & sleep "$LONG"; sleep "$LONG"'
	END
	! still_sleeps
}
# By what it said, a test has failed that was ended with 0 by its program.
lies() {
	whole "not ok tests: one" "not ok tests (1 failures, but ended with status 0)" <<-'END'
		. test/lib.sh
		some() { echo "plan one"; echo "not ok one"; }
		reports tests some
	END
}
in_a_function() {
	whole "not ok first (ended with status 1)" <<-'END'
		set -eu
		. test/lib.sh
		some() { false; true; }
		check first some
	END
}
# still_sleeps: who had to end does not.
still_sleeps() {
	grep -qsxz "$LONG" /proc/[0-9]*/cmdline
}

# module ERROR [TEST]: one of Python with these functions, in the file that is read.
module() {
	{
		echo "import sys, runner"
		cat
		echo 'sys.exit(runner.main(sys.modules[__name__], "planted"))'
	} > "$work/planted.py"
	ends_with 1 "not ok planted ($1" env PYTHONPATH="$tree/test/service" \
		python3 "$work/planted.py" ${2:+"$2"}
}
no_such_test() {
	module "there is no test_two; there are: test_one)" test_two <<-'END'
		def test_one(): pass
	END
}
doubled_test() {
	module "there are two test_one," <<-'END'
		def test_one(): return 1 / 0
		def test_two(): pass
		def test_one(): pass
	END
}
no_test() {
	module "there is no test)" < /dev/null
}
no_such_group() {
	ends_with 1 "no such group: nothing; there are: planted" env PLANTED=/dev/null PLANT= \
		"$work/tree/test/run.sh" nothing
}
named_at_the_end() {
	cat > "$work/tree/test/groups/20-left.sh" <<-'END'
		. test/lib.sh
		# by name only: nobody asked
		check never false
	END
	cat > "$work/tree/test/groups/10-planted.sh" <<-'END'
		. test/lib.sh
		check first true
		planning || echo "not run: other: somebody said so"
	END
	ends_with 0 "not run: left: nobody asked
not run: planted: other: somebody said so
1 passed, 0 failed" in_tree tree nothing
	rm "$work/tree/test/groups/20-left.sh"
}

# each_group: has programs in the table.
each_group() {
	for f in "$tree"/test/groups/*.sh; do
		name=$(basename "$f" .sh | sed 's/^[0-9]*-//')
		programs | grep "^$name " || {
			echo "not in the table: $name"
			return 1
		}
	done
}

whole_plants() {
	check "no group is without programs" each_group
	check "a group that ends early" early
	check "a group that breaks down" breaks
	check "a group that is no shell script" no_shell
	check "a group without a test" empty
	check "a test that is there twice" again
	check "a test that nobody planned" unplanned
	check "a group that leaves a process behind" leaves
	check "a group that hangs" hangs
	check "a test that will not end" stubborn
	check "a program that has failed and ends with 0" lies
	check "a function that goes on after a failure" in_a_function
	check "a group that is not there" no_such_group
	check "a test of a module that is not there" no_such_test
	check "a test of a module that is there twice" doubled_test
	check "a module without a test" no_test
	check "what is not run is named at the end" named_at_the_end
}

planning || make_tree
# They wait more than they work.
places=$((2 * jobs))
beside whole_plants
for group in $(programs | cut -d ' ' -f 1 | uniq); do
	if ! planning; then
		cp -r "$work/tree" "$work/$group"
		cp "$tree"/test/groups/[0-9]*-"$group".sh "$work/$group/test/groups" || :
	fi
	beside group_plants "$group"
done
together
exit "$failed"
