# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""Runs dpdk-test-compress-perf of DPDK 24.11 or later with every algorithm that it knows, and a
dictionary where it takes one. Prints a line per run; SPIMDEV_BUILD as in autotest.sh.

usage: test/stock/algos.py DPDK-VERSION"""

import argparse
import os
import sys

import perf_matrix
from perf_matrix import stock

# RTE_COMP_LZ4_FLAG_*, but the dictionary id.
LZ4_FLAGS = {"content checksum": 4, "content size": 8, "block checksum": 16,
             "block independence": 32, "all flags": 60}


def jobs(release, path, folder):
    base = {"vdev": stock.OURS, "file": path, "iterations": 2, "segs": 1}
    for ptest in perf_matrix.PTESTS:
        yield "deflate", stock.Job(**base, ptest=ptest, levels="0:1:9",
                                   extra=["--algo", "deflate"])
        yield "lz4", stock.Job(**base, ptest=ptest, levels="0:1:9", extra=["--algo", "lz4"])
        yield "null", stock.Job(**base, ptest=ptest, levels="1", extra=["--algo", "null"])
    wide = dict(base, ptest="verify", levels="0:1:9")
    for text, flags in LZ4_FLAGS.items():
        yield "lz4, " + text, stock.Job(**dict(wide, segs=16, seg_size=59460), extra=[
            "--algo", "lz4", "--lz4-flags", str(flags)])
    for window in (8, 15, 16):
        yield "lz4, window %d" % window, stock.Job(**wide, extra=[
            "--algo", "lz4", "--window-sz", str(window)])
    for vdev in ("workers=1", "ext=off"):
        for algo in ("lz4", "deflate"):
            yield "%s, %s" % (algo, vdev), stock.Job(
                **dict(wide, vdev="%s,%s" % (stock.OURS, vdev), segs=16), extra=["--algo", algo])
    if release < (25, 11):
        return
    # The head of the file that is compressed: it is worth something, which must show.
    dictionary = os.path.join(folder, "stock-perf-dictionary")
    with open(path, "rb") as f, open(dictionary, "wb") as out:
        out.write(f.read(40000))
    for window in (9, 15):
        for vdev in (stock.OURS, stock.OURS + ",ext=off"):
            yield "dictionary, window %d" % window, stock.Job(
                **dict(wide, vdev=vdev), extra=[
                    "--algo", "deflate", "--window-sz", str(window),
                    "--dictionary=" + dictionary])


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("release", metavar="DPDK-VERSION")
    release = tuple(int(n) for n in parser.parse_args().release.split(".")[:2])
    folder = os.path.join(stock.TOP, "build", "test-logs")
    path = perf_matrix.cut(perf_matrix.default_file(folder), 200000)
    named = []
    for name, job in jobs(release, path, folder):
        title = "%s, %s" % (name, job.ptest)
        if job.vdev != stock.OURS:
            title += ", " + job.vdev.split(",", 1)[1]
        named.append((title, job))
    used = "a dictionary is used"
    with_it, without = "dictionary, window 15, verify", "deflate, verify"
    if with_it in dict(named):
        print("plan " + used)
    passed, good = perf_matrix.report(named)
    # Or it was taken and not used.
    if with_it in passed and without in passed:
        sizes = passed[with_it][-1].size, passed[without][-1].size
        good = good and sizes[0] < sizes[1]
        print("%s %s (%d bytes of %d)" % ("ok" if sizes[0] < sizes[1] else "not ok", used, *sizes))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
