# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""Prints line and branch coverage by component and by file, and what never runs.

usage: test/coverage.sh [--bounds] [--jobs N] [--tests REGEX]
  --bounds  fails if a component has fewer branches run than it must
  --tests   only tests whose name has this; what others ran before is not counted
"""

import argparse
import re
import sys

import coverage

# Branches, in percent, below which a component must not come: what they have, but for what depends
# on time.
BOUNDS = {
    "app/record": 90,
    "app/spimctl": 97,
    "app/spimdevd": 94,
    "app/spimgz": 95,
    "drivers/common/hisi": 96,
    "drivers/compress/hisi_zip": 96,
    "drivers/dma/hisi_udma": 90,
    "lib/base": 100,
    "lib/hisi_hw": 100,
    "lib/hisi_qm": 99,
    "lib/hisi_zip": 100,
    "lib/spimdev": 98,
    "lib/vfio_user": 94.5,
    "lib/zip_codec": 95.5,
    "lib/qm_classes": 100,
    "lib/qm_dev": 96,
    "lib/udma_dev": 96,
    "lib/zip_dev": 96,
}


def component(path):
    parts = path.split("/")
    if parts[0] == "drivers":
        return "/".join(parts[:3])
    return "/".join(parts[:2])


class Sum:
    """Executed of all."""

    def __init__(self):
        self.n = {"lines": [0, 0], "branches": [0, 0]}

    def add(self, what, ran, all_of_them):
        self.n[what][0] += ran
        self.n[what][1] += all_of_them

    def percent(self, what):
        ran, every = self.n[what]
        return 100.0 * ran / every if every else 100.0

    def row(self, name):
        return "%-48s %5d/%5d %5.1f %%  %5d/%5d %5.1f %%" % (
            name, *self.n["lines"], self.percent("lines"),
            *self.n["branches"], self.percent("branches"))


def merged(kept, wanted):
    ran = {}
    for name, record in kept["tests"].items():
        if wanted is not None and not wanted(name):
            continue
        for path, what in record["files"].items():
            lines, branches, functions = ran.setdefault(path, (set(), set(), set()))
            lines.update(what["lines"])
            branches.update((ln, i) for ln, i in what["branches"])
            functions.update(what["functions"])
    return ran


def sums(kept, wanted=None):
    """By file and by component; and functions that never ran."""
    ran = merged(kept, wanted)
    files, parts, never = {}, {}, []
    for path, known in sorted(kept["universe"].items()):
        lines, branches, functions = ran.get(path, (set(), set(), set()))
        for where in (files.setdefault(path, Sum()), parts.setdefault(component(path), Sum())):
            where.add("lines", len(lines), len(known["lines"]))
            where.add("branches", len(branches), sum(known["lines"].values()))
        never += ["%s:%d %s()" % (path, at[0], name)
                  for name, at in sorted(known["functions"].items(), key=lambda f: f[1])
                  if name not in functions]
    return files, parts, never


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1])
    parser.add_argument("--bounds", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--tests")
    args = parser.parse_args()
    wanted = re.compile(args.tests).search if args.tests else None
    kept = coverage.bring_up_to_date(args.jobs, wanted)
    files, parts, never = sums(kept, wanted)
    total = Sum()
    print("%-48s %11s %8s %11s %8s" % ("", "lines", "", "branches", ""))
    for path, s in files.items():
        print(s.row(path))
    print()
    for name, s in parts.items():
        print(s.row(name))
        for what in s.n:
            total.add(what, *s.n[what])
    print(total.row("all"))
    print("\nnever executed: %d functions" % len(never))
    for line in never:
        print("  " + line)
    failed = [(n, r["why"]) for n, r in kept["tests"].items()
              if r["why"] and (wanted is None or wanted(n))]
    for name, why in failed:
        print("failed: %s: %s" % (name, why))
    if args.bounds:
        below = ["%s: %.1f %% of its branches; expected %.1f at least" %
                 (name, parts[name].percent("branches") if name in parts else 0, bound)
                 for name, bound in BOUNDS.items()
                 if name not in parts or parts[name].percent("branches") < bound]
        for line in below:
            print("not ok coverage " + line)
        if not below:
            print("ok coverage: no component below its bound")
        return 1 if below or failed else 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
