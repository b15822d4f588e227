# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# What each program of meson's testlog.json found, as lib.sh has it. It must have ended well, and
# have said so of every test that it has: by cmocka, or in our own lines.

def sum(pattern): [.[] | capture(pattern) | .n | tonumber] | add // 0;
def count(pattern): [.[] | select(test(pattern))] | length;

(.name | sub(".* / "; "")) as $name
| ((.stdout // "") + "\n" + (.stderr // "") | split("\n")) as $said
| ($said | sum("\\[=+\\].* Running (?<n>[0-9]+) test")) as $running
| ($said | sum("\\[  PASSED  \\] (?<n>[0-9]+) test")) as $passed
| ($running + ($said | count("^plan "))) as $planned
| ($said | count("\\[ +OK \\] |^ok ")) as $ok
| (if .result != "OK" then .result
	elif $planned == 0 then "ended with 0 and ran no test"
	elif $ok != $planned or $passed != $running then "ended with 0 after \($ok) tests of \($planned)"
	else "" end) as $why
| if $why == "" then "ok \($name) (\($ok) tests)"
	else "not ok \($name) (\($why))\n\($said[-40:] | map("  | " + .) | join("\n"))" end
