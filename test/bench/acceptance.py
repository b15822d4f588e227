# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""The comparisons behind acceptance.sh; see there."""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "app", "perf"))

import corpus  # noqa: E402
import main as perf  # noqa: E402
import stock  # noqa: E402

ISAL, ZLIB = "compress_isal", "compress_zlib"
THREAD = stock.OURS + ",workers=1"
SERVICE = os.path.join(TOP, "build", "app", "spimdevd")


@dataclass
class Bound:
    """Ours over theirs, in one rate, and how much larger our output may be."""
    what: str
    rate: str
    level: int
    peer: str
    least: float
    # Our size over the peer's, at most; 0: not held to any.
    size: float = 0.0
    workers: int = 0
    blocks: tuple = perf.BLOCKS
    # Ours is over a service with one worker.
    service: bool = False


BOUNDS = (
    Bound("decompression", "decomp_gbps", 1, ISAL, 1.10),
    Bound("compression, level 1", "comp_gbps", 1, ISAL, 0.98, 1.0),
    Bound("compression, level 6", "comp_gbps", 6, ZLIB, 1.6, 1.01),
    Bound("compression, level 9", "comp_gbps", 9, ZLIB, 1.2, 1.01),
    Bound("compression, workers=1", "comp_gbps", 1, stock.OURS, 0.95, 0, 1),
    Bound("decompression, workers=1", "decomp_gbps", 1, stock.OURS, 0.95, 0, 1),
    Bound("compression, service", "comp_gbps", 1, THREAD, 0.90, 0, 1, (4096,), True),
    Bound("compression, service", "comp_gbps", 1, THREAD, 0.95, 0, 1, (32768,), True),
    Bound("decompression, service", "decomp_gbps", 1, THREAD, 0.90, 0, 1, (4096,), True),
    Bound("decompression, service", "decomp_gbps", 1, THREAD, 0.95, 0, 1, (32768,), True),
)


@contextmanager
def service():
    """A service with one worker; its socket's path."""
    with tempfile.TemporaryDirectory(prefix="spimdevd-bench-") as folder:
        path = os.path.join(folder, "zip")
        with subprocess.Popen([SERVICE, "--workers", "1", "--listen", path],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as proc:
            try:
                end = time.monotonic() + 10
                while not os.path.exists(path):
                    if proc.poll() is not None or time.monotonic() > end:
                        raise stock.PerfError("%s does not listen on %s" % (SERVICE, path))
                    time.sleep(0.05)
                yield path
            finally:
                proc.terminate()


def job(vdev, path, block, level, engine):
    """engine: an engine thread runs beside the workers. It gets the CPUs that no lcore has; so
    where there are only two, main and worker share one, and main, which only waits, stands back."""
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        raise stock.PerfError("one CPU; expected two: worker and engine")
    settings = {"vdev": vdev, "file": path, "seg_size": block, "levels": str(level),
                "hugepages": True}
    if engine:
        # Both of a pair run so: they shall differ in nothing but the thread.
        settings.update(lcores=stock.lcores_on([cpus[-1], cpus[-1]]), idle_main=True)
    return stock.Job(**settings)


def pairs(bound, path, block, count, socket):
    """(ours, theirs) rows, taken in turns, the first of the turn changing each time."""
    engine = bound.workers > 0
    ours = ",dev=unix:" + socket if bound.service else \
        ",workers=%d" % bound.workers if engine else ""
    vdevs = [stock.OURS + ours, bound.peer]
    jobs = [job(v, path, block, bound.level, engine) for v in vdevs]
    for j in jobs:
        first = stock.measure(j)
        j.iterations = perf.iterations_for(path, first)
        if bound.rate == "decomp_gbps":
            j.iterations = min(4 * j.iterations, 1000)
    taken = []
    for turn in range(count):
        rows = [None, None]
        for i in ((0, 1), (1, 0))[turn % 2]:
            rows[i] = stock.measure(jobs[i])
        taken.append(rows)
    return taken


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--only", default="", metavar="WORD")
    args = parser.parse_args()
    with service() as socket:
        return compare(args, socket)


def compare(args, socket):
    print("%-25s %-7s %6s  %8s %8s  %6s %6s  %8s %6s  %s" % (
        "bound", "file", "block", "ours", "peer", "ratio", "least", "size", "most", ""))
    kept = 0
    total = 0
    for bound in BOUNDS:
        if args.only not in bound.what:
            continue
        for path in corpus.make(os.path.join(TOP, "build", "perf", "corpus")):
            for block in bound.blocks:
                taken = pairs(bound, path, block, args.pairs, socket)
                ratio = statistics.median(getattr(a, bound.rate) / getattr(b, bound.rate)
                                          for a, b in taken)
                size = taken[0][0].size / taken[0][1].size
                good = ratio >= bound.least and (not bound.size or size <= bound.size)
                kept += good
                total += 1
                print("%-25s %-7s %6d  %8.2f %8.2f  %6.3f %6.2f  %+7.2f%% %6s  %s" % (
                    bound.what, os.path.basename(path), block,
                    statistics.median(getattr(a, bound.rate) for a, _ in taken),
                    statistics.median(getattr(b, bound.rate) for _, b in taken),
                    ratio, bound.least, (size - 1) * 100,
                    "%+.0f%%" % ((bound.size - 1) * 100) if bound.size else "-",
                    "kept" if good else "NOT KEPT"), flush=True)
    print("acceptance: %d of %d bounds kept, medians of %d pairs, Gbit/s of plain data"
          % (kept, total, args.pairs))
    return 0 if kept == total else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except stock.PerfError as error:
        sys.exit("acceptance: %s" % error)
