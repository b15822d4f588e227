# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""The measurement behind cyclecount.sh; see there."""

import argparse
import os
import statistics
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "app", "perf"))

import corpus  # noqa: E402
import stock  # noqa: E402


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--bound", type=int, default=100)
    parser.add_argument("--vdev", default=stock.OURS + ",engine=copy,workers=1")
    args = parser.parse_args()

    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        sys.exit("cyclecount: one CPU; expected two: worker and engine")
    path = corpus.make(os.path.join(TOP, "build", "perf", "corpus"))[0]
    job = stock.Job(vdev=args.vdev, file=path, ptest="pmd-cyclecount", seg_size=4096, burst=32,
                    iterations=20, lcores=stock.lcores_on([cpus[-1], cpus[-1]]),
                    idle_main=True, hugepages=True)

    print("run   comp enq  comp deq       sum   decomp enq  decomp deq       sum")
    rows = []
    for n in range(args.runs):
        row = stock.run(job)[0]
        rows.append(row)
        print("%3d %10d %9d %9d %12d %11d %9d" % (
            n + 1, row.comp_enq, row.comp_deq, row.comp_enq + row.comp_deq,
            row.decomp_enq, row.decomp_deq, row.decomp_enq + row.decomp_deq), flush=True)
    comp = statistics.median(r.comp_enq + r.comp_deq for r in rows)
    decomp = statistics.median(r.decomp_enq + r.decomp_deq for r in rows)
    kept = max(comp, decomp) <= args.bound
    print("cyclecount: %s: median %g cycles an op compressing, %g decompressing; bound %d %s"
          % (args.vdev, comp, decomp, args.bound, "kept" if kept else "NOT KEPT"))
    return 0 if kept else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except stock.PerfError as error:
        sys.exit("cyclecount: %s" % error)
