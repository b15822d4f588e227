# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""Which mutants are tried: by chance, but the same for the same seed and tree, with a fair share
for each component and for each kind of mistake."""

import math
import os
import random

import rules
import trees

# How often a kind comes up beside the others; 1 if not named.
WEIGHT = {"comparison": 5, "bound": 3, "check dropped": 3, "give-back dropped": 5,
          "error return dropped": 3, "error return": 2, "assignment dropped": 4,
          "call dropped": 3, "result dropped": 2, "stores swapped": 3, "and-or": 2,
          "off by one": 2, "errno": 2, "flag dropped": 2, "memory order": 2, "shift": 0.5,
          "mask": 0.5}
EQUIVALENT = os.path.join(trees.TOP, "test/mutate/equivalent.txt")


def component(path):
    parts = path.split("/")
    return "/".join(parts[:3] if parts[0] == "drivers" else parts[:2])


def equivalents():
    """Mutants that are known to change nothing that could be noticed."""
    with open(EQUIVALENT, encoding="utf-8") as f:
        return {line.split()[0] for line in f if line.strip() and line[0] != "#"}


def all_mutants(paths):
    known = equivalents()
    for path in paths:
        with open(os.path.join(trees.TOP, path), encoding="utf-8") as f:
            text = f.read()
        for m in rules.mutants(path, text):
            if m.id not in known:
                yield m


def shares(sizes, count):
    """So many of each, by the root of how many there are: small ones are not forgotten."""
    left = dict(sizes)
    share = {name: 0 for name in sizes}
    for _ in range(min(count, sum(sizes.values()))):
        name = max((n for n in sorted(left) if left[n] > 0),
                   key=lambda n: math.sqrt(sizes[n]) / (share[n] + 0.5))
        share[name] += 1
        left[name] -= 1
    return share


def ordered(mutants, rng):
    """In the order in which they are to be tried: kinds take turns by chance, and no line comes a
    second time before every line has come."""
    kinds = {}
    for m in sorted(mutants, key=lambda m: (m.path, m.start, m.end, m.new)):
        kinds.setdefault(m.kind, []).append(m)
    for of_kind in kinds.values():
        rng.shuffle(of_kind)
    seen, later = set(), []
    while kinds:
        names = sorted(kinds)
        kind = rng.choices(names, [WEIGHT.get(n, 1) for n in names])[0]
        m = kinds[kind].pop()
        if not kinds[kind]:
            del kinds[kind]
        if (m.path, m.line) in seen:
            later.append(m)
            continue
        seen.add((m.path, m.line))
        yield m
    yield from later


def choose(paths, count, seed, usable):
    """{component: (how many are wanted, all in their order)}"""
    parts = {}
    for m in all_mutants(paths):
        if usable(m):
            parts.setdefault(component(m.path), []).append(m)
    sizes = {name: len(found) for name, found in parts.items()}
    share = shares(sizes, count or sum(sizes.values()))
    return {name: (share[name], list(ordered(parts[name], random.Random("%s %s" % (seed, name)))))
            for name in sorted(parts)}
