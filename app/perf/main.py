# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""The main job: our driver and its peers in turns over files, blocks, Huffman kinds, levels."""

import argparse
import math
import os
import shutil
import signal
import statistics
import sys
import time

import corpus
import report
import stock

# The levels at which a peer does something different: isal has no more than 1 and 3 of ours.
LEVELS = {stock.OURS: (1, 3, 6, 9), "compress_isal": (1, 3), "compress_zlib": (1, 3, 6, 9)}
BLOCKS = (4096, 32768)
HUFFMANS = ("dynamic", "fixed")
# Each direction of each run shall take about this long.
RUN_SECONDS = 0.08
# Of a longer file the beginning: the program holds the input several times in memory.
MAX_FILE = 32 << 20


class Progress:
    """Says what is done and how long the rest will take."""

    def __init__(self, total):
        self.total, self.done, self.start = total, 0, time.monotonic()
        self.tty = sys.stdout.isatty()
        self.next_line = 0.0

    def step(self, text):
        elapsed = time.monotonic() - self.start
        left = "" if self.done < 3 else ", about %d s left" % (
            elapsed / self.done * (self.total - self.done))
        line = "perf: run %d of %d%s: %s" % (self.done + 1, self.total, left, text)
        if self.tty:
            print("\r\033[K" + line, end="", flush=True)
        elif elapsed >= self.next_line:
            self.next_line = elapsed + 10
            print(line, flush=True)
        self.done += 1

    def end(self):
        if self.tty:
            print("\r\033[K", end="")


def prepare(paths, out):
    """(label, path) for each file, shortened copies for long ones."""
    names = [os.path.basename(p) for p in paths]
    files = []
    for path, name in zip(paths, names):
        label = name if names.count(name) == 1 else path
        if os.path.getsize(path) > MAX_FILE:
            print("perf: %s: taking the first %d MiB" % (path, MAX_FILE >> 20))
            short = os.path.join(out, "first-part-%d" % len(files))
            with open(path, "rb") as src, open(short, "wb") as dst:
                dst.write(src.read(MAX_FILE))
            path = short
        files.append((label, path))
    return files


def iterations_for(path, row):
    """How often to go over the file, after what one run of this driver and level showed."""
    bits = os.path.getsize(path) * 8
    rate = max(row.comp_gbps, 0.01) * 1e9
    return min(1000, max(2, math.ceil(RUN_SECONDS * rate / bits)))


def measure(files, blocks, huffmans, levels, runs, hugepages):
    """Cells in the order of the table, and the rows with fewer than `runs` runs. Drivers take turns
    within a setting, so that what the machine does meanwhile hits all of them."""
    settings = [(f, b, h, lv) for f in files for b in blocks for h in huffmans
                for lv in sorted({lv for of in levels.values() for lv in of})]
    progress = Progress(runs * sum(lv in levels[d] for _, _, _, lv in settings for d in levels))
    known = {}
    broken = set()
    cells, missing = [], []
    for (label, path), block, huffman, level in settings:
        rows = {}
        for _ in range(runs):
            for driver in (d for d in levels if level in levels[d]):
                progress.step("%s, %s blocks, %s, level %d, %s"
                              % (label, report.kib(block), huffman, level, driver))
                key = (path, driver, huffman, level)
                if (key, block) in broken:
                    continue
                try:
                    row = stock.measure(stock.Job(
                        vdev=driver, file=path, seg_size=block, huffman=huffman,
                        levels=str(level), iterations=known.get(key, 2),
                        hugepages=hugepages))
                except stock.PerfError as e:
                    progress.end()
                    if driver == stock.OURS:
                        raise
                    broken.add((key, block))
                    print("perf: %s cannot do this setting: %s" % (driver, e))
                    continue
                known[key] = iterations_for(path, row)
                rows.setdefault(driver, []).append(row)
        for driver, of in rows.items():
            comp, decomp = [r.comp_gbps for r in of], [r.decomp_gbps for r in of]
            cells.append(report.Cell(
                label, block, huffman, level, driver, of[0].percent, of[0].size,
                statistics.median(comp), statistics.median(decomp), len(of),
                (min(comp), max(comp)), (min(decomp), max(decomp)), os.path.getsize(path)))
        for driver in (d for d in levels if level in levels[d]):
            if len(rows.get(driver, [])) < runs:
                missing.append("%s: %s %s %s level %d" % (driver, label, report.kib(block),
                                                          huffman, level))
    progress.end()
    return cells, missing


def ended(number, _):
    """On a signal: what was started ends on the way out (stock.run())."""
    print("\nperf: ended by %s" % signal.Signals(number).name, flush=True)
    sys.exit(128 + number)


def catch_signals():
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, ended)


def main():
    catch_signals()
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--runs", type=int)
    parser.add_argument("--hugepages", action="store_true")
    parser.add_argument("--out", required=True)
    parser.add_argument("files", nargs="*")
    args = parser.parse_args()
    if args.runs is None:
        args.runs = 1 if args.quick else 5
    if args.runs < 1:
        parser.error("--runs %d; expected 1 or more" % args.runs)
    if not shutil.which(stock.PROGRAM):
        sys.exit("perf: no %s; expected the package dpdk-dev" % stock.PROGRAM)

    os.makedirs(args.out, exist_ok=True)
    files = prepare(args.files or corpus.make(os.path.join(args.out, "corpus")), args.out)
    levels, huffmans, runs = LEVELS, HUFFMANS, args.runs
    if args.quick:
        levels = {driver: (1,) for driver in LEVELS}
        huffmans = ("dynamic",)
    for label, path in files:
        print("perf: %s: %d bytes" % (label, os.path.getsize(path)))

    try:
        cells, missing = measure(files, BLOCKS, huffmans, levels, runs, args.hugepages)
    except stock.PerfError as e:
        sys.exit("perf: %s" % e)
    report.add_ratios(cells)
    report.print_table(cells)
    csv_path = os.path.join(args.out, "perf.csv")
    plot_path = os.path.join(args.out, "perf.png")
    report.write_csv(cells, csv_path)
    report.write_plot(cells, plot_path)
    print("\nperf: figures in %s, plot in %s" % (csv_path, plot_path))
    print(report.closing_line(cells))
    # Nobody is ahead of a peer that did not run. The last line, so that it is the one seen.
    if missing:
        print("perf: %d rows are missing: %s" % (len(missing), ", ".join(missing)))
        sys.exit(1)


if __name__ == "__main__":
    main()
