# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""What became of the mutants: a line for each, a table, the survivors, a file."""

import os

import trees

RESULTS = os.path.join(trees.WORK, "results.tsv")


class Entry:
    """A mutant that counts."""

    def __init__(self, part, mutant, outcome, runs, left):
        self.part = part
        self.mutant = mutant
        self.runs = runs        # whether any test is known to run the line
        self.left = left        # tests that it was not run against
        self.seconds = 0
        self.take(outcome)

    def take(self, outcome):
        self.state = outcome.state
        self.test = outcome.test
        self.why = outcome.why
        self.noted = outcome.noted
        self.seconds += outcome.seconds

    def end(self, outcome):
        self.take(outcome)
        self.left = self.left[len(self.left) - outcome.left:]

    def what(self):
        if self.state == "killed":
            return "killed by %s (%s)" % (self.test, self.why)
        text = "survived" if self.runs else "survived, never executed"
        if self.left:
            text += ", %d tests left" % len(self.left)
        return text

    def line(self):
        m = self.mutant
        return "%s: %s:%d %s(): %s, %s (%.0f s)%s" % (
            self.what(), m.path, m.line, m.function, m.kind, m.id, self.seconds,
            "".join("; " + n for n in self.noted))

    def row(self):
        m = self.mutant
        return "\t".join((m.id, self.part, m.path, str(m.line), m.function, m.kind, self.state,
                          "run" if self.runs else "never executed", self.test, self.why,
                          "%.1f" % self.seconds, str(len(self.left)), "; ".join(self.noted)))


def table(entries):
    parts = {}
    for e in entries:
        parts.setdefault(e.part, []).append(e)
    rows = [*sorted(parts.items()), ("all", entries)]
    print("\n%-28s %15s %9s %15s" % ("", "killed", "survived", "never executed"))
    for name, of_part in rows:
        killed = sum(e.state == "killed" for e in of_part)
        never = sum(e.state != "killed" and not e.runs for e in of_part)
        print("%-28s %4d/%-4d %3.0f %% %9d %15d" % (
            name, killed, len(of_part), 100 * killed / max(len(of_part), 1),
            len(of_part) - killed - never, never))


def tell(entries, wanted, seconds):
    entries = sorted(entries, key=lambda e: (e.part, e.mutant.path, e.mutant.start))
    with open(RESULTS, "w", encoding="utf-8") as f:
        f.write("id\tcomponent\tfile\tline\tfunction\tkind\tresult\texecuted\ttest\twhy\tseconds"
                "\ttests left\tnoted\n")
        f.writelines(e.row() + "\n" for e in entries)
    survivors = [e for e in entries if e.state != "killed"]
    if survivors:
        print("\nSurvivors:")
    for e in survivors:
        with open(os.path.join(trees.TOP, e.mutant.path), encoding="utf-8") as f:
            text = f.read()
        print("\n%s\n%s" % (e.line(), e.mutant.diff(text)), end="")
    table(entries)
    print("%d of %d mutants in %.0f s; all of it: %s" % (
        len(entries), wanted, seconds, os.path.relpath(RESULTS, trees.TOP)))
    if len(entries) < wanted:
        print("%d mutants had no turn in the time that there was" % (wanted - len(entries)))
    return 1 if survivors or len(entries) < wanted else 0
