# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""What each single test runs of our C files: lines, branches, functions.

Kept in build/mutate/coverage.json. A test is run again only when something that its result
stands on has changed: its program, its script, the service that it starts.
"""

import concurrent.futures
import json
import os
import queue
import re
import shutil
import subprocess
import sys

import cage
import tests
import trees

STORE = os.path.join(trees.WORK, "coverage.json")
PRELOAD = os.path.join(trees.WORK, "gcov_flush.so")
OURS = ("lib/", "drivers/", "app/")
OURS_ELSEWHERE = re.compile(r"(?:\.\._)+(?:lib|drivers|app)_")
LIMIT_S = 300
VERSION = 2


# ---- gcov ----

def notes(build):
    """The .gcno files of our objects, relative to the build folder; also where a test's program
    has our sources inside."""
    found = []
    for folder, _, names in os.walk(build):
        where = os.path.relpath(folder, build)
        found += [os.path.join(where, n) for n in names if n.endswith(".gcno") and
                  (where.startswith(OURS) or OURS_ELSEWHERE.match(n))]
    return sorted(found)


def gcov(build, paths):
    """(file, what gcov says of it) for each of our files in these objects."""
    for at in range(0, len(paths), 50):
        done = subprocess.run(
            ["gcov", "--json-format", "--stdout", "--branch-probabilities", *paths[at:at + 50]],
            cwd=build, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        for line in done.stdout.splitlines():
            for f in json.loads(line)["files"] if line else ():
                name = os.path.relpath(os.path.join(build, f["file"]), os.path.dirname(build))
                if name.startswith(OURS):
                    yield name, f


def universe(build):
    """All lines, branches and functions that were compiled."""
    every = {}
    for name, f in gcov(build, notes(build)):
        known = every.setdefault(name, {"lines": {}, "functions": {}})
        for ln in f["lines"]:
            key = str(ln["line_number"])
            known["lines"][key] = max(known["lines"].get(key, 0), len(ln["branches"]))
        for fn in f["functions"]:
            known["functions"][fn["name"]] = [fn["start_line"], fn["end_line"]]
    return every


def executed(build, paths):
    """Of each file: lines, [line, branch] and functions that were run."""
    found = {}
    for name, f in gcov(build, paths):
        lines, branches, functions = found.setdefault(name, (set(), set(), set()))
        for ln in f["lines"]:
            if ln["count"] > 0:
                lines.add(ln["line_number"])
            for i, b in enumerate(ln["branches"]):
                if b["count"] > 0:
                    branches.add((ln["line_number"], i))
        functions.update(fn["name"] for fn in f["functions"] if fn["execution_count"] > 0)
    return {name: {"lines": sorted(lines), "branches": sorted(branches),
                   "functions": sorted(functions)}
            for name, (lines, branches, functions) in found.items() if lines}


# ---- One test ----

class Recorder:
    """A folder for counts, one test at a time."""

    def __init__(self, tree, number):
        self.tree = tree
        self.build = os.path.join(os.path.realpath(tree), "build")
        self.folder = os.path.join(trees.WORK, "counts%d" % number)

    def clear(self):
        """Files that any user may write to: a service may have given up its rights."""
        shutil.rmtree(self.folder, ignore_errors=True)
        for note in notes(self.build):
            path = self.folder + os.path.join(self.build, note)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            os.symlink(os.path.join(self.build, note), path)
            counts = path[:-len("gcno")] + "gcda"
            with open(counts, "wb"):
                pass
            os.chmod(counts, 0o666)

    def counts(self):
        found = []
        for folder, _, names in os.walk(self.folder):
            for n in names:
                path = os.path.join(folder, n)
                # Those of the test programs themselves have no notes there.
                if n.endswith(".gcda") and os.path.getsize(path) > 0 and \
                        os.path.exists(path[:-len("gcda")] + "gcno"):
                    found.append(path)
        return sorted(found)

    def run(self, test):
        self.clear()
        env = dict(test.env, GCOV_PREFIX=self.folder, LD_PRELOAD=PRELOAD,
                   SPIMDEVD_ARGS="--sandbox off")
        limits = cage.Limits(LIMIT_S)
        where = os.path.join(self.tree, test.folder)
        result = cage.run(test.argv, where, limits, env, [self.folder])
        if any(b.endswith("spimdevd") for b in test.built):
            # Again as it is used: then what comes before the sandbox is seen.
            env["SPIMDEVD_ARGS"] = ""
            cage.run(test.argv, where, limits, env, [self.folder])
        return {"why": result.why, "seconds": round(result.seconds, 2),
                "cpu_s": round(result.cpu_s, 2),
                "output": result.output[-2000:] if result.why else "",
                "files": executed(self.build, self.counts())}


# ---- All ----

def load():
    try:
        with open(STORE, encoding="utf-8") as f:
            kept = json.load(f)
        if kept.get("version") == VERSION:
            return kept
    except (OSError, ValueError):
        pass
    return {"version": VERSION, "tests": {}}


def save(kept):
    with open(STORE + ".new", "w", encoding="utf-8") as f:
        json.dump(kept, f, separators=(",", ":"))
    os.replace(STORE + ".new", STORE)


def prepare():
    """A tree that is built for coverage."""
    tree = trees.copy("coverage")
    trees.build(tree, trees.COVERAGE)
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", PRELOAD,
                    os.path.join(tree, "test/mutate/gcov_flush.c"), "-ldl"], check=True)
    return tree


def bring_up_to_date(jobs, wanted=None):
    """Runs what has changed, of the tests whose names wanted() accepts. Returns what is kept."""
    tree = prepare()
    kept = load()
    found = {t.name: t for t in tests.all_of(tree, ("--sandbox", "off"))}
    kept["tests"] = {n: r for n, r in kept["tests"].items() if n in found}
    keys = {n: t.key(tree) for n, t in found.items()}
    due = [n for n in found if kept["tests"].get(n, {}).get("key") != keys[n] and
           (wanted is None or wanted(n))]
    every = universe(os.path.join(os.path.realpath(tree), "build"))
    kept["universe"] = every
    if due:
        print("coverage: %d of %d tests are run for it" % (len(due), len(found)), flush=True)
    # Long ones first, so that the jobs end together.
    due.sort(key=lambda n: -kept["tests"].get(n, {}).get("seconds", 0))
    recorders = queue.Queue()
    for i in range(jobs):
        recorders.put(Recorder(tree, i))

    def one(name):
        recorder = recorders.get()
        try:
            return name, recorder.run(found[name])
        finally:
            recorders.put(recorder)

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        done = 0
        for name, record in as_they_end(pool, one, [n for n in due if not found[n].alone]):
            keep(kept, name, record, keys[name])
            done += 1
            if done % 10 == 0:
                save(kept)
    for name in due:
        if found[name].alone:
            keep(kept, *one(name), keys[name])
    save(kept)
    return kept


def as_they_end(pool, what, names):
    for f in concurrent.futures.as_completed([pool.submit(what, n) for n in names]):
        yield f.result()


def keep(kept, name, record, key):
    record["key"] = key
    kept["tests"][name] = record
    if record["why"]:
        print("coverage: %s: %s" % (name, record["why"]), file=sys.stderr, flush=True)


def by_line(kept):
    """{file: {line: names of tests}}"""
    index = {}
    for name, record in kept["tests"].items():
        for path, ran in record["files"].items():
            lines = index.setdefault(path, {})
            for ln in ran["lines"]:
                lines.setdefault(ln, set()).add(name)
    return index
