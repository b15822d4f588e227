# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""What is the machine's fault is not taken for a mutant's end.

usage: crowded.py memory|again|late
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
# pylint: disable=wrong-import-position
import cage
import work


class Test:
    name = "some"
    built = ()


class Job(work.Job):
    """One whose test takes too long as often as is said, and in the end does well."""

    def __init__(self, late_without):  # pylint: disable=super-init-not-called
        self.good, self.label = {"some": True}, ""
        self.planted_times, self.late_without = 0, late_without

    def ninja(self, targets):
        pass

    def planted(self, mutant, queue):
        self.planted_times += 1
        if not queue:
            return work.Outcome("survived", 0)
        return work.Outcome("killed", 0, "some", "time")

    def run(self, test, usual):
        self.late_without -= 1
        return cage.Result("time" if self.late_without >= 0 else "", 1, 1, "")


def memory():
    """That of the machine, and of the command."""
    task = {"disk_mib": 1 << 20, "memory_mib": 1 << 20, "seconds": 60, "cpu_s": 1e9}
    cage.left_kib = lambda: cage.SPARE_KIB
    assert cage.Judge(task).excess() is None
    cage.left_kib = lambda: cage.SPARE_KIB - 1
    assert cage.Judge(task).excess() == cage.MACHINE
    assert cage.Judge(dict(task, memory_mib=-1)).excess() == "memory"


def again():
    """It is tried again, and not for ever."""
    ends = []
    cage.PAUSE_S = 0
    cage.run_once = lambda *_: ends.pop(0)
    machine, right = (cage.Result(why, 0, 0, "") for why in (cage.MACHINE, ""))
    ends += [machine, machine, right]
    assert cage.run([], "", None) is right
    ends += [machine] * (cage.TRIES + 1)
    assert cage.run([], "", None) is machine and len(ends) == 1


def late():
    """A test that is late is run without the mistake, then and there."""
    for late_without in range(work.CROWDED + 2):
        job = Job(late_without)
        outcome = job.attempt(None, [(Test(), None)])
        killed = late_without <= work.CROWDED
        assert outcome.state == ("killed" if killed else "survived"), outcome.state
        assert job.planted_times == 1 + min(late_without, work.CROWDED + 1)
        assert outcome.noted == ([] if killed else
                                 ["some failed without the mistake, too (time)"])


if __name__ == "__main__":
    {"memory": memory, "again": again, "late": late}[sys.argv[1]]()
