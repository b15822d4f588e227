# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""The matrix behind perf.sh; see there."""

import argparse
import itertools
import os
import shutil
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "app", "perf"))

import stock  # noqa: E402

PTESTS = ("throughput", "verify", "pmd-cyclecount")
HUFFMANS = ("fixed", "dynamic", "default")
# The program's own limit is 59460.
SEG_SIZES = (64, 100, 256, 1024, 2048, 4096, 16384, 32768, 59460)
SEGS = (1, 2, 5, 16)
# Text of about 300 KB: long enough for the biggest op, and on every Debian.
DEFAULT_FILE_FROM = "/usr/share/common-licenses"
# The program takes a memory zone for every external segment of input and of output, for each
# worker; EAL has 2560.
EXTERNAL_SEGS_MAX = 400


def default_file(folder):
    path = os.path.join(folder, "stock-perf-input")
    os.makedirs(folder, exist_ok=True)
    with open(path, "wb") as out:
        for name in sorted(os.listdir(DEFAULT_FILE_FROM)):
            with open(os.path.join(DEFAULT_FILE_FROM, name), "rb") as f:
                out.write(f.read())
        # So that the biggest op, 16 segments of 59460, is whole.
        size = out.tell()
        if size < 16 * 59460:
            with open("/proc/self/exe", "rb") as f:
                out.write(f.read(16 * 59460 - size))
    return path


def cut(path, size):
    """The first bytes of a file, as a file."""
    short = "%s-%d" % (path, size)
    with open(path, "rb") as f, open(short, "wb") as out:
        out.write(f.read(size))
    return short


def some(base, levels, args_of_local):
    """Every value of every dimension, but not every combination."""
    for ptest, huffman in itertools.product(PTESTS, HUFFMANS):
        yield dict(base, ptest=ptest, huffman=huffman, levels=levels)
    for seg_size, segs in itertools.product(SEG_SIZES, SEGS):
        yield dict(base, ptest="verify", seg_size=seg_size, segs=segs, levels="6")
    for ptest in PTESTS:
        yield dict(base, ptest=ptest, external=True, levels="1")
        yield dict(base, ptest=ptest, hugepages=True, levels="1")
        yield dict(base, ptest=ptest, workers=2, segs=4, levels="3")
    yield dict(base, ptest="verify", external=True, segs=16, seg_size=1024, levels="9")
    yield dict(base, ptest="throughput", workers=2, external=True, hugepages=True, levels="6")
    for ptest, devargs in itertools.product(PTESTS, args_of_local):
        yield dict(base, vdev="%s,%s" % (base["vdev"], devargs), ptest=ptest, levels=levels,
                   hugepages=True)


def few(base):
    """One or two values of what matters, for a machine that is emulated."""
    for huffman in HUFFMANS:
        yield dict(base, ptest="verify", huffman=huffman, levels="1")
    yield dict(base, ptest="verify", segs=16, seg_size=1024, levels="6")
    yield dict(base, ptest="verify", external=True, levels="9")
    yield dict(base, ptest="throughput", vdev=base["vdev"] + ",workers=1", levels="1")


def full(base, levels):
    """Every combination of what the program itself can vary."""
    for ptest, huffman, seg_size, segs, external, workers in itertools.product(
            PTESTS, HUFFMANS, SEG_SIZES, SEGS, (False, True), (1, 2)):
        yield dict(base, ptest=ptest, huffman=huffman, seg_size=seg_size, segs=segs,
                   external=external, workers=workers, levels=levels, hugepages=external)


def name(job):
    return "%s: %s, %s, levels %s, %d x %d B, %s mbufs, %s, %d worker%s" % (
        job.vdev, job.ptest, job.huffman, job.levels, job.segs, job.seg_size,
        "external" if job.external else "pool", "hugepages" if job.hugepages else "no hugepages",
        job.workers, "s" if job.workers > 1 else "")


def report(jobs):
    """Runs jobs that have names; which ones is said first. Returns those that passed, with the
    rows of each, and whether that is all of them."""
    for title, _ in jobs:
        print("plan " + title, flush=True)
    passed = {}
    for title, job in jobs:
        try:
            passed[title] = stock.run(job)
            print("ok " + title, flush=True)
        except stock.PerfError as e:
            print("not ok " + title)
            print("\n".join("  | " + line for line in str(e).splitlines()), flush=True)
    return passed, len(passed) == len(jobs)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--few", action="store_true")
    parser.add_argument("--vdev", default=stock.OURS)
    parser.add_argument("--levels", default="0:1:9")
    parser.add_argument("--file")
    args = parser.parse_args()

    folder = os.path.join(TOP, "build", "test-logs")
    path = default_file(folder)
    if args.file:
        shutil.copyfile(args.file, path)
    base = {"vdev": args.vdev, "file": path, "seg_size": 2048, "segs": 1, "iterations": 2}
    # Engine threads, where it is our driver and the devargs are not given.
    local = ["workers=1", "workers=2"] if args.vdev == stock.OURS else []
    if args.few:
        jobs = few(base)
    elif args.full:
        jobs = full(base, args.levels)
    else:
        jobs = some(base, args.levels, local)
    named = []
    for settings in jobs:
        if settings.get("external"):
            settings["file"] = cut(path, settings["seg_size"] * EXTERNAL_SEGS_MAX)
        job = stock.Job(**settings)
        named.append((name(job), job))
    return 0 if report(named)[1] else 1


if __name__ == "__main__":
    sys.exit(main())
