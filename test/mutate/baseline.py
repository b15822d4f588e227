# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""How long each test usually takes, and whether it passes at all, where nothing is wrong.

Kept in build/mutate/baseline.json; a test is run again when what it stands on has changed.
"""

import concurrent.futures
import json
import os
import queue

import cage
import coverage
import tests
import trees
import work

STORE = os.path.join(trees.WORK, "baseline.json")
LIMIT_S = 300


def load():
    try:
        with open(STORE, encoding="utf-8") as f:
            return {n: r for n, r in json.load(f).items() if "cpu_s" in r}
    except (OSError, ValueError):
        return {}


def save(kept):
    with open(STORE + ".new", "w", encoding="utf-8") as f:
        json.dump(kept, f, indent=1)
    os.replace(STORE + ".new", STORE)


def bring_up_to_date(jobs, wanted):
    """{name: {"seconds", "cpu_s", "why"}} of the tests that are wanted; and all tests of each
    job's tree, by name."""
    found = [{t.name: t for t in tests.all_of(job.tree)} for job in jobs]
    keys = {n: t.key(jobs[0].tree) for n, t in found[0].items()}
    kept = {n: r for n, r in load().items() if n in keys}
    due = [n for n in found[0] if n in wanted and kept.get(n, {}).get("key") != keys[n]]
    if due:
        print("baseline: %d of %d tests are run on the tree as it is" %
              (len(due), len(found[0])), flush=True)
    free = queue.Queue()
    for i in range(len(jobs)):
        free.put(i)

    def one(name):
        i = free.get()
        try:
            result = work.run(jobs[i].tree, found[i][name], cage.Limits(LIMIT_S))
            if result.why: # as a kill, so a failure counts the second time
                result = work.run(jobs[i].tree, found[i][name], cage.Limits(LIMIT_S))
        finally:
            free.put(i)
        return name, {"why": result.why, "seconds": round(result.seconds, 2),
                      "cpu_s": round(result.cpu_s, 2),
                      "output": result.output[-2000:] if result.why else ""}

    with concurrent.futures.ThreadPoolExecutor(len(jobs)) as pool:
        for name, record in coverage.as_they_end(
                pool, one, [n for n in due if not found[0][n].alone]):
            kept[name] = dict(record, key=keys[name])
            save(kept)
    for name in due:
        if found[0][name].alone:
            kept[name] = dict(one(name)[1], key=keys[name])
    for name in due:
        if kept[name]["why"]:
            print("baseline: %s fails, so it is not used: %s" % (name, kept[name]["why"]))
    save(kept)
    return {n: r for n, r in kept.items() if n in wanted}, found
