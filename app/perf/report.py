# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""Turns medians into a table, a CSV file, a plot, and one closing line."""

import csv
import statistics
from dataclasses import dataclass

from stock import OURS

# Sizes closer than this count as the same: 0.1 %.
SAME_SIZE = 1.001


@dataclass
class Cell:
    """One driver in one setting: the medians of its runs."""
    file: str
    block: int
    huffman: str
    level: int
    driver: str
    percent: float
    size: int
    comp: float
    decomp: float
    runs: int
    # To the best peer that compresses at least as small; None: no peer does.
    comp_ratio: float = None
    decomp_ratio: float = None

    def setting(self):
        return (self.file, self.block, self.huffman)

    def name(self):
        return "%s %s %s level %d" % (self.file, kib(self.block), self.huffman, self.level)


def kib(size):
    return "%d KiB" % (size >> 10) if size % 1024 == 0 else "%d B" % size


def add_ratios(cells):
    """Fills in our cells' ratios."""
    for ours in (c for c in cells if c.driver == OURS):
        peers = [c for c in cells if c.driver != OURS and c.setting() == ours.setting()
                 and c.size <= ours.size * SAME_SIZE]
        if peers:
            ours.comp_ratio = ours.comp / max(c.comp for c in peers)
            ours.decomp_ratio = ours.decomp / max(c.decomp for c in peers)


def ratio_text(cell, ratio):
    if cell.driver != OURS:
        return ""
    return "alone" if ratio is None else "%.2fx" % ratio


def print_table(cells):
    print("\nGbit/s of plain data; ratios are to the best peer that compresses as small or "
          "smaller (alone: none does)")
    head = ("file", "block", "huffman", "level", "driver", "size %", "compress", "decompress",
            "comp ratio", "decomp ratio")
    rows = [(c.file, kib(c.block), c.huffman, str(c.level), c.driver, "%.2f" % c.percent,
             "%.2f" % c.comp, "%.2f" % c.decomp, ratio_text(c, c.comp_ratio),
             ratio_text(c, c.decomp_ratio)) for c in cells]
    widths = [max(len(r[i]) for r in [head] + rows) for i in range(len(head))]
    last = None
    for row in [head] + rows:
        if last is not None and row[:3] != last[:3]:
            print()
        last = row
        print("  ".join(text.ljust(w) if i in (0, 1, 2, 4) else text.rjust(w)
                        for i, (text, w) in enumerate(zip(row, widths))).rstrip())


def write_csv(cells, path):
    with open(path, "w", newline="", encoding="utf-8") as f:
        out = csv.writer(f)
        out.writerow(["file", "block_bytes", "huffman", "level", "driver", "size_percent",
                      "size_bytes", "compress_gbps", "decompress_gbps", "runs",
                      "compress_ratio_to_best_peer", "decompress_ratio_to_best_peer"])
        for c in cells:
            out.writerow([c.file, c.block, c.huffman, c.level, c.driver, c.percent, c.size,
                          c.comp, c.decomp, c.runs,
                          "" if c.comp_ratio is None else round(c.comp_ratio, 4),
                          "" if c.decomp_ratio is None else round(c.decomp_ratio, 4)])


def write_plot(cells, path):
    """Speed over size, a column for each file and block; filled: dynamic, hollow: fixed."""
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot, ticker

    columns = list(dict.fromkeys((c.file, c.block) for c in cells))
    drivers = list(dict.fromkeys(c.driver for c in cells))
    figure, axes = pyplot.subplots(2, len(columns), figsize=(4.5 * len(columns), 8),
                                   squeeze=False)
    for x, column in enumerate(columns):
        for y, what in enumerate(("comp", "decomp")):
            axis = axes[y][x]
            for i, driver in enumerate(drivers):
                for huffman in ("dynamic", "fixed"):
                    points = [c for c in cells if (c.file, c.block) == column
                              and c.driver == driver and c.huffman == huffman]
                    if not points:
                        continue
                    axis.plot([c.percent for c in points], [getattr(c, what) for c in points],
                              marker="osD^v"[i % 5], color="C%d" % i,
                              linestyle="-" if huffman == "dynamic" else ":",
                              markerfacecolor=None if huffman == "dynamic" else "none",
                              label="%s, %s" % (driver, huffman))
                    for c in points:
                        axis.annotate(str(c.level), (c.percent, getattr(c, what)), fontsize=7,
                                      xytext=(3, 3), textcoords="offset points")
            axis.set_yscale("log")
            axis.yaxis.set_major_formatter(ticker.FormatStrFormatter("%g"))
            axis.yaxis.set_minor_formatter(ticker.FormatStrFormatter("%g"))
            axis.grid(True, which="both", alpha=0.3)
            axis.set_xlabel("compressed size, % of the input")
            axis.set_ylabel("%sress, Gbit/s" % what)
            axis.set_title("%s, %s blocks" % (column[0], kib(column[1])))
    axes[0][0].legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def standing(cells, what, attribute):
    """One clause: in how many settings we are ahead, and where we are not."""
    ours = [c for c in cells if c.driver == OURS]
    behind = sorted((getattr(c, attribute), c.name()) for c in ours
                    if getattr(c, attribute) is not None and getattr(c, attribute) < 1)
    text = "%s: lead in %d of %d settings" % (what, len(ours) - len(behind), len(ours))
    compared = [getattr(c, attribute) for c in ours if getattr(c, attribute) is not None]
    if compared:
        text += " (median %.2fx the best peer as small)" % statistics.median(compared)
    if behind:
        text += ", trail in " + ", ".join("%s %.2fx" % (name, r) for r, name in behind[:3])
        if len(behind) > 3:
            text += " and %d more" % (len(behind) - 3)
    else:
        text += ", trail in none"
    return text


def closing_line(cells):
    return "perf: %s; %s" % (standing(cells, "compression", "comp_ratio"),
                             standing(cells, "decompression", "decomp_ratio"))
