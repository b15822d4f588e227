# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Holds what a script of tests reported against what it planned (lib.sh says how both look).
# Prints a failure for each test that did not report, or twice, or that nobody had planned.

/^plan / {
	name = substr($0, 6)
	if (name in reports)
		print "not ok " name " (planned twice)"
	else
		order[++planned] = name
	reports[name] += 0
}
/^(not )?ok / {
	name = $0
	sub(/^(not )?ok /, "", name)
	# The longest beginning that was planned; figures, or why, are behind it.
	for (i = length(name) + 1; i > 1; i--)
		if ((i > length(name) || substr(name, i, 2) == " (") && substr(name, 1, i - 1) in reports)
			break
	if (i > 1) {
		name = substr(name, 1, i - 1)
		if (++reports[name] == 2)
			print "not ok " name " (reported twice)"
	} else if ($1 == "ok") {
		print "not ok " name " (reported, but not planned)"
	}
}
END {
	for (i = 1; i <= planned; i++)
		if (reports[order[i]] == 0)
			print "not ok " order[i] " (planned, but did not report)"
}
