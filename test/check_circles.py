#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""Holds how the files of each library, driver and program use one another against a bound.

usage: check_circles.py TOP

A unit is x.c with x.h. It uses another one if it includes its header, or names a function that the
other's .c defines. Units that all reach each other form a circle: whoever wants to understand one
of them has to understand all. A circle has four units at most.
"""

import argparse
import os
import re
import sys

WIDEST = 4
COMMENT = re.compile(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.S)
TAG = re.compile(r"\b(?:struct|union|enum)\s+\w+")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]*)"', re.M)
# As the style has it: the name begins a line, behind the type in a line of its own.
DEFINED = re.compile(r"^(?!static\b)[A-Za-z_][^;{}()#\n]*\n(\w+)\(", re.M)


class Folder:
    """The units of one folder, and who uses whom."""

    def __init__(self, paths):
        texts, self.uses, owner = {}, {}, {}
        for path in paths:
            with open(path, encoding="utf-8") as f:
                text = f.read()
            included = INCLUDE.findall(text)
            text = TAG.sub(" ", COMMENT.sub(" ", text))
            unit = os.path.basename(path)[:-2]
            uses = self.uses.setdefault(unit, set())
            uses.update(os.path.basename(name)[:-2] for name in included)
            texts[path] = unit, text
            if path.endswith(".c"):
                owner.update((name, unit) for name in DEFINED.findall(text))
        for path, (unit, text) in texts.items():
            # What a header declares it need not use.
            if path.endswith(".c"):
                self.uses[unit].update(owner[word] for word in set(re.findall(r"\w+", text))
                                       if word in owner)
        for unit, uses in self.uses.items():
            uses &= self.uses.keys() - {unit}

    def reached(self, unit):
        """All units that this one uses, and those that they use."""
        seen, todo = set(), [unit]
        while todo:
            for other in self.uses[todo.pop()] - seen:
                seen.add(other)
                todo.append(other)
        return seen

    def circles(self):
        """Sets of units that reach each other."""
        reached = {unit: self.reached(unit) for unit in self.uses}
        return {frozenset(other for other in reached[unit] if unit in reached[other])
                for unit in reached if unit in reached[unit]}


def main(top):
    """Prints what is too wide, and how the units of it use one another. Returns the status."""
    folders, status = {}, 0
    for part in ("lib", "drivers", "app"):
        for folder, _, names in os.walk(os.path.join(top, part)):
            folders.setdefault(os.path.relpath(folder, top), []).extend(
                os.path.join(folder, name) for name in names if name.endswith((".c", ".h")))
    for name in sorted(folders):
        folder = Folder(sorted(folders[name]))
        for circle in folder.circles():
            if len(circle) <= WIDEST:
                continue
            status = 1
            print(f"{name}: a circle of {len(circle)} units; expected {WIDEST} at most:")
            for unit in sorted(circle):
                print(f"  {unit} uses {', '.join(sorted(folder.uses[unit] & circle))}")
    return status


if __name__ == "__main__":
    PARSER = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    PARSER.add_argument("top")
    sys.exit(main(PARSER.parse_args().top))
