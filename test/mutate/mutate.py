# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""Makes small mistakes in C files, one at a time, and says which no test notices.

usage: test/mutate.sh [--all | --base REV] [--seed N] [--count N] [--budget MINUTES] [--jobs N]
                      [--grace SECONDS] [--memory MIB] [--disk MIB] [--plain] [--only ID]
                      [FILE...]
  FILE      C files; default: those that differ from --base
  --base    default: where HEAD left origin/main; HEAD~1 if it did not
  --all     all C files of lib, drivers and app
  --count   how many mutants, spread over the components; 0: all. Default: 100
  --seed    which ones; default: 1. The same tree and seed give the same mutants
  --budget  ends after so many minutes; default: 60; 0: when all is done
  --jobs    how many at a time; default: 2
  --grace   a test may take this beyond five times what it usually takes; default: 5
  --memory, --disk  what it may take of them; default: 4096, 1024
  --plain   nothing is run under sanitizers, nor compiled for arm64
  --only    this mutant, of the FILEs given; may be repeated

Ends with 0 if all mutants were killed, with 1 if not, or if there was no time for all.
"""

import argparse
import concurrent.futures
import fcntl
import os
import sys
import threading
import time

import choose
import coverage
import report
import tests
import trees
import work

# Of the tests of a mutant, first those that usually end within this; the others once all
# mutants had their turn, if there is time.
FIRST_S = 20
# Where no test is known to run a line: so much of those that run what is around it.
AROUND_S = 20
# What survives all tests meets those of meson under sanitizers, as long as they usually take
# without.
SANITIZED_S = 30
# What only another order of memory tells, the compiled code for arm64 does.
ORDER = ("memory order", "barrier dropped", "stores swapped", "call dropped", "plain store")


def changed(base):
    if base is None:
        base = "HEAD~1"
        try:
            fork = trees.git("merge-base", "HEAD", "origin/main").strip()
            if fork != trees.git("rev-parse", "HEAD").strip():
                base = fork
        except Exception: # pylint: disable=broad-except
            pass
    print("mutate: what differs from %s" % base)
    return trees.git("diff", "--name-only", "--diff-filter=d", base, "--",
                     "lib", "drivers", "app").split()


def sources(args):
    if args.all:
        found = [n for n in trees.files() if n.startswith(("lib/", "drivers/", "app/"))]
    elif args.files:
        found = [os.path.relpath(os.path.abspath(f), trees.TOP) for f in args.files]
    else:
        found = changed(args.base)
    return sorted(f for f in found if f.endswith((".c", ".h")))


class Cover:
    """Which tests are worth running for a mutant, the likely killers first."""

    def __init__(self, kept):
        self.index = coverage.by_line(kept)
        self.known = {path: sorted(int(n) for n in f["lines"])
                      for path, f in kept["universe"].items()}
        self.usual = kept["tests"]
        self.kills = {}

    def lines(self, m):
        """Those of the mutant's lines that the compiler makes code for; or the one before."""
        known = self.known.get(m.path, [])
        found = [n for n in known if m.line <= n <= m.last_line]
        return found or [n for n in known if m.function_line <= n <= m.line][-1:]

    def compiled(self, m):
        return bool(self.lines(m))

    def runs(self, m):
        index = self.index.get(m.path, {})
        return {t for n in self.lines(m) for t in index.get(n, ())}

    def order(self, m, names):
        part = choose.component(m.path).split("/")[-1]
        kills = self.kills.get(m.path, {})

        def rank(name):
            near = 2 if name.startswith((part, "pmd_" if part == "hisi_zip" else part)) else 1
            return self.usual[name]["seconds"] / near / (1 + kills.get(name, 0)), name

        return [(n, self.usual[n]) for n in sorted(names, key=rank)]

    def queue(self, m):
        """(name, what it usually takes) of all tests for it, and whether one of them runs it."""
        names = self.runs(m)
        if names:
            return self.order(m, names), True
        index = self.index.get(m.path, {})
        around = {t for names in index.values() for t in names}
        return upto(self.order(m, around), AROUND_S), False

    def killed(self, m, name):
        kills = self.kills.setdefault(m.path, {})
        kills[name] = kills.get(name, 0) + 1


def upto(queue, seconds):
    """The first ones, as long as they usually take; three at least."""
    total, n = 0, 0
    for n, (_, usual) in enumerate(queue):
        total += usual["seconds"]
        if n >= 3 and total > seconds:
            return queue[:n]
    return queue


class Slot:
    """A place in a component's share: filled by the next mutant that counts."""

    def __init__(self, part, candidates):
        self.part = part
        self.candidates = candidates


class Run:
    """All of it."""

    def __init__(self, args):
        self.args = args
        self.until = time.monotonic() + 60 * args.budget if args.budget else None
        self.lock = threading.Lock()
        self.entries = []       # of report.Entry, as they were found to count
        self.missing = 0
        self.done = 0

    def out_of_time(self):
        return self.until is not None and time.monotonic() > self.until

    def prepare(self):
        kept = coverage.bring_up_to_date(self.args.jobs)
        self.bounds = work.Bounds(self.args.grace, self.args.memory, self.args.disk,
                                  self.until)
        self.jobs = [work.Job("job%d" % i, self.bounds) for i in range(self.args.jobs)]
        self.tests = [{t.name: t for t in tests.all_of(job.tree)} for job in self.jobs]
        self.cover = Cover(kept)

    def slots(self, paths):
        only = self.args.only
        parts = choose.choose(
            paths, 0 if only else self.args.count, self.args.seed,
            lambda m: self.cover.compiled(m) and (not only or m.id in only))
        found = []
        for name, (count, mutants) in parts.items():
            shared = iter(mutants)
            found += [Slot(name, shared) for _ in range(count)]
        # Components take turns: what ends early has seen something of all.
        turn = {}
        order = []
        for s in found:
            turn[s.part] = turn.get(s.part, 0) + 1
            order.append((turn[s.part] / parts[s.part][0], s.part, s))
        return [s for _, _, s in sorted(order, key=lambda o: o[:2])]

    def attempt(self, i, m, queue):
        return self.jobs[i].attempt(m, [(self.tests[i][n], usual) for n, usual in queue])

    def fill(self, i, slot):
        """Tries candidates until one counts."""
        while not self.out_of_time():
            with self.lock:
                m = next(slot.candidates, None)
            if m is None: # no more that count
                self.total -= 1
                return
            queue, runs = self.cover.queue(m)
            first = upto(queue, FIRST_S)
            outcome = self.attempt(i, m, first)
            if outcome.state in ("not compiled", "equivalent"):
                continue
            entry = report.Entry(slot.part, m, outcome, runs,
                                 queue[len(first) - outcome.left:])
            with self.lock:
                if outcome.state == "killed":
                    self.cover.killed(m, outcome.test)
                self.entries.append(entry)
                self.done += 1
                print("[%d/%d] %s" % (self.done, self.total, entry.line()), flush=True)
            return

    def finish(self, i, entry):
        """The tests that a survivor was not run against yet."""
        if self.out_of_time():
            return
        outcome = self.attempt(i, entry.mutant, entry.left)
        if outcome.state in ("killed", "survived"):
            entry.end(outcome)
            with self.lock:
                print("[again] %s" % entry.line(), flush=True)

    def look_closer(self, jobs, queue, survivors):
        """Survivors, where more is seen; queue(i, mutant) are the tests of the i-th job."""
        def one(i, entry):
            if self.out_of_time():
                return
            outcome = jobs[i].attempt(entry.mutant, queue(i, entry.mutant))
            if outcome.state == "killed":
                entry.end(outcome)
                with self.lock:
                    print("[again] %s" % entry.line(), flush=True)

        self.spread(one, survivors)

    def sanitize_all(self, survivors):
        if not survivors:
            return
        jobs = [work.SanitizedJob("sanitized%d" % i, self.bounds)
                for i in range(self.args.jobs)]
        known = [{t.name: t for t in tests.sanitized(job.tree)} for job in jobs]
        self.look_closer(jobs, lambda i, mutant: upto(
            [(known[i][n], usual) for n, usual in self.cover.queue(mutant)[0]
             if n in known[i]], SANITIZED_S), survivors)

    def order_all(self, survivors):
        survivors = [e for e in survivors if e.mutant.kind in ORDER]
        if not survivors:
            return
        jobs = [work.CompiledJob("arm64-%d" % i, self.bounds) for i in range(self.args.jobs)]
        self.look_closer(jobs, lambda i, mutant: [
            tests.compiled(jobs[i].tree, jobs[i].folder)], survivors)

    def survivors(self):
        return [e for e in self.entries if e.state == "survived"]

    def spread(self, what, items):
        free = list(range(len(self.jobs)))

        def one(item):
            with self.lock:
                i = free.pop()
            try:
                what(i, item)
            finally:
                with self.lock:
                    free.append(i)

        with concurrent.futures.ThreadPoolExecutor(len(self.jobs)) as pool:
            for f in [pool.submit(one, item) for item in items]:
                f.result()

    def run(self):
        paths = sources(self.args)
        if not paths:
            print("mutate: no C file")
            return 0
        self.prepare()
        slots = self.slots(paths)
        self.total = len(slots)
        print("mutate: %d mutants, seed %s" % (self.total, self.args.seed), flush=True)
        begun = time.monotonic()
        self.spread(self.fill, slots)
        self.spread(self.finish, [e for e in self.survivors() if e.left])
        if not self.args.plain:
            self.sanitize_all(self.survivors())
            self.order_all(self.survivors())
        return report.tell(self.entries, self.total, time.monotonic() - begun)


def arguments():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1])
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--base")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--budget", type=float, default=60)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--grace", type=float, default=5)
    parser.add_argument("--memory", type=int, default=4096)
    parser.add_argument("--disk", type=int, default=1024)
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("files", nargs="*", metavar="FILE")
    return parser.parse_args()


def main():
    args = arguments()
    os.makedirs(trees.WORK, exist_ok=True)
    with open(os.path.join(trees.WORK, "lock"), "w", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit("mutate: another run is at work in this tree")
        return Run(args).run()


if __name__ == "__main__":
    sys.exit(main())
