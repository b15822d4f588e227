#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""Finds functions of one program that have the same name: a profiler could not tell them apart.

usage: check_names.py TOP

A program has the functions of the libraries and its own, be they static or not; so has a process
that has loaded the drivers.
"""

import argparse
import collections
import os
import re
import sys

# As the style has it: the name begins a line, behind the type in a line of its own.
DEFINED = re.compile(r"^[A-Za-z_][^;{}()#\n]*\n(\w+)\([^;{}]*\)\n\{", re.M)
COMMENT = re.compile(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.S)
# Another form of what stands before it, by build.
UNLESS = re.compile(r"^#(?:else|elif).*?^#endif", re.M | re.S)


def functions(top, *folders):
    """Name -> files that define it."""
    found = collections.defaultdict(set)
    for folder in folders:
        for place, _, names in os.walk(os.path.join(top, folder)):
            for name in names:
                if not name.endswith((".c", ".h")):
                    continue
                path = os.path.join(place, name)
                with open(path, encoding="utf-8") as f:
                    text = COMMENT.sub(" ", UNLESS.sub("", f.read()))
                    for function in DEFINED.findall(text):
                        found[function].add(os.path.relpath(path, top))
    return found


def main(top):
    """Prints the names, and returns the status."""
    app = os.path.join(top, "app")
    programs = ["drivers"] + [os.path.join("app", name) for name in
                              (sorted(os.listdir(app)) if os.path.isdir(app) else [])
                              if name != "record"]
    said = set()
    for program in programs:
        for name, files in functions(top, "lib", "app/record", program).items():
            if len(files) > 1:
                said.add(f"{name}() is defined in {' and '.join(sorted(files))}; "
                         "expected a name for each")
    print("\n".join(sorted(said)), end="\n" if said else "")
    return 1 if said else 0


if __name__ == "__main__":
    PARSER = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    PARSER.add_argument("top")
    sys.exit(main(PARSER.parse_args().top))
