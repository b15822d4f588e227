# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""Builds a mutant in a tree of its own and runs tests on it until one of them fails."""

import contextlib
import hashlib
import json
import os
import subprocess
import threading
import time

import cage
import trees

ALONE = threading.Lock()
BUILD_S = 180
TIMES = 5               # a test may take so many times what it usually takes
PERTURB = "165"         # what freed memory is filled with
# What others on the machine may be the reason for: then the test ends like that without the
# mistake, too. So often all is tried again before the test is given up.
SHARED = ("time", "memory")
CROWDED = 2


class Bounds:
    """What a test may take of a mutant."""

    def __init__(self, grace_s, memory_mib, disk_mib, until):
        self.until = until      # no test is begun any more
        self.grace_s = grace_s  # besides TIMES what is usual, of time and of CPU time
        self.memory_mib = memory_mib
        self.disk_mib = disk_mib

    def limits(self, usual):
        return cage.Limits(TIMES * usual["seconds"] + self.grace_s,
                           TIMES * usual["cpu_s"] + self.grace_s / 2,
                           self.memory_mib, self.disk_mib)


def run(tree, test, limit, further=None):
    env = dict({"MALLOC_PERTURB_": PERTURB}, **test.env, **(further or {}))
    return cage.run(test.argv, os.path.join(tree, test.folder), limit, env)


class NoBuild(Exception):
    """The compiler or the linker does not take it."""


class Job:
    """A tree with a build, in which one mutant at a time is tried."""

    env = None
    label = ""

    def __init__(self, name, bounds):
        self.bounds = bounds
        self.good = {}          # of a test: does it pass without a mistake?
        self.moods = {}         # how often it failed only once
        self.tree = trees.copy(name)
        self.build = os.path.join(os.path.realpath(self.tree), "build")
        self.objects = {}       # of a source
        self.digest = {}        # of an object, as it is without a mistake
        self.make()

    def make(self):
        trees.build(self.tree, trees.PLAIN)
        with open(os.path.join(self.build, "compile_commands.json"), encoding="utf-8") as f:
            for command in json.load(f):
                path = os.path.relpath(os.path.join(command["directory"], command["file"]),
                                       os.path.dirname(self.build))
                if path.startswith(("lib/", "drivers/", "app/")):
                    self.add(path, command["output"])
        self.add_headers()

    def add(self, path, output):
        full = os.path.join(self.build, output)
        if os.path.exists(full):
            self.objects.setdefault(path, []).append(output)
            self.digest[output] = self.hash(output)

    def add_headers(self):
        done = subprocess.run(["ninja", "-C", self.build, "-t", "deps"], check=True, text=True,
                              stdout=subprocess.PIPE)
        output = None
        for line in done.stdout.splitlines():
            if line and line[0] != " ":
                output = line.split(":")[0]
            elif line.endswith(".h") and output in self.digest:
                path = os.path.relpath(os.path.join(self.build, line.strip()),
                                       os.path.dirname(self.build))
                if path.startswith(("lib/", "drivers/", "app/")):
                    self.objects.setdefault(path, []).append(output)

    def hash(self, output):
        return hashlib.sha256(trees.content(os.path.join(self.build, output))).digest()

    def ninja(self, targets):
        try:
            done = subprocess.run(["nice", "-n", "5", "ninja", "-j2", "-C", self.build, *targets],
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  stdin=subprocess.DEVNULL, timeout=BUILD_S, check=False)
        except subprocess.TimeoutExpired:
            raise NoBuild("the compiler hangs") from None
        if done.returncode != 0:
            raise NoBuild(done.stdout.decode(errors="replace")[-2000:])

    def link(self, targets, compiled):
        """What was compiled can be linked, too: else the fault is the tool's."""
        try:
            self.ninja(targets)
        except NoBuild as e:
            if not compiled:
                raise
            raise RuntimeError("mutate: cannot build %s: %s" % (" ".join(targets), e)) from e

    def attempt(self, mutant, queue):
        """Tries a mutant against tests, which are (test, what it usually takes) in their order.
        Gives an Outcome. A test that fails must be known to pass without the mistake."""
        queue = [(t, u) for t, u in queue if self.good.get(t.name, True)]
        noted, crowded = [], 0
        while True:
            outcome = self.planted(mutant, queue)
            outcome.noted = noted = noted + outcome.noted
            if outcome.state != "killed":
                return outcome
            at = next(i for i, (t, _) in enumerate(queue) if t.name == outcome.test)
            if outcome.why in SHARED and not self.passes_now(*queue[at]):
                crowded += 1
                if crowded <= CROWDED:
                    queue = queue[at:]
                    continue
                noted.append("%s failed without the mistake, too (%s)" %
                             (outcome.test, outcome.why))
                crowded = 0
            elif self.passes(*queue[at]):
                outcome.why += self.label
                return outcome
            queue = queue[at + 1:]

    def passes_now(self, test, usual):
        """Whether the machine has time and memory for it."""
        self.ninja(test.built)
        return self.run(test, usual).why == ""

    def passes(self, test, usual):
        if test.name not in self.good:
            self.ninja(test.built)
            result = self.run(test, usual)
            if result.why == "": # not only by chance
                result = self.run(test, usual)
            if result.why == cage.MACHINE:
                return False
            self.good[test.name] = result.why == ""
            if result.why:
                print("mutate: %s fails without a mistake, so it is not used: %s%s" %
                      (test.name, result.why, self.label), flush=True)
        return self.good[test.name]

    def distrust(self, test):
        """It failed, and then not, on the same mutant. What does that again tells nothing."""
        self.moods[test.name] = self.moods.get(test.name, 0) + 1
        if self.moods[test.name] == 2 and self.good.get(test.name, True):
            self.good[test.name] = False
            print("mutate: %s fails now and then, so it is not used" % test.name, flush=True)

    def planted(self, mutant, queue):
        path = os.path.join(self.tree, mutant.path)
        original = trees.content(path)
        begun = time.monotonic()
        try:
            with open(path, "wb") as f:
                f.write(mutant.apply(original.decode()).encode())
            return self.judged(mutant, queue, begun)
        except NoBuild as e:
            return Outcome("not compiled", begun, output=str(e))
        finally:
            with open(path, "wb") as f:
                f.write(original)

    def run(self, test, usual):
        with ALONE if test.alone else contextlib.nullcontext():
            return run(self.tree, test, self.bounds.limits(usual), self.env)

    def judged(self, mutant, queue, begun):
        objects = self.objects.get(mutant.path, [])
        if objects:
            self.ninja(objects)
        if objects and all(self.hash(o) == self.digest[o] for o in objects):
            return Outcome("equivalent", begun)
        built, noted = set(), []
        for n, (test, usual) in enumerate(queue):
            if self.bounds.until is not None and time.monotonic() > self.bounds.until:
                return Outcome("survived", begun, noted=noted, left=len(queue) - n)
            if not built.issuperset(test.built):
                # The first alone: it kills most. Then some more, then all.
                ahead = queue[n:n + 1 if n == 0 else n + 4 if n < 4 else None]
                targets = sorted({b for t, _ in ahead for b in t.built} - built)
                self.link(targets, objects)
                built.update(targets)
            result = self.run(test, usual)
            if result.why == "":
                continue
            again = self.run(test, usual)
            if cage.MACHINE in (result.why, again.why):
                noted.append("%s had no memory on this machine" % test.name)
                continue
            if again.why != "":
                return Outcome("killed", begun, test.name, again.why, again.output, noted)
            noted.append("%s failed once (%s)" % (test.name, result.why))
            self.distrust(test)
        return Outcome("survived", begun, noted=noted)


class SanitizedJob(Job):
    """The same under sanitizers, for what corrupts or leaks unseen. Built as far as needed."""

    env = trees.SANITIZED_ENV
    label = ", sanitized"

    def make(self):
        trees.configure(self.tree, trees.SANITIZED, trees.SANITIZED_CC)


class CompiledJob(Job):
    """The driver for arm64, of which only the instructions are looked at."""

    folder = os.path.join("build", "arm64")
    label = ", compiled for arm64"

    def make(self):
        trees.configure_arm64(self.tree, self.folder)
        self.build = os.path.join(self.build, "arm64")


class Outcome:
    """What became of a mutant."""

    def __init__(self, state, begun, test="", why="", output="", noted=(), left=0):
        self.state = state
        self.seconds = time.monotonic() - begun
        self.test = test
        self.why = why
        self.output = output
        self.noted = list(noted)
        self.left = left        # tests that there was no time for
