# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""Turns medians into a table, a CSV file, a plot, and one closing line."""

import csv
import statistics
from dataclasses import dataclass

from stock import OURS

# Sizes closer than this count as the same: 0.1 %.
SAME_SIZE = 1.001
# Who is ahead is said of settings with as many runs, which show how far they spread, and of files
# of as many bytes: less is no sample of anything.
JUDGED_RUNS = 3
JUDGED_SIZE = 1 << 20


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
    # Least and most of its runs.
    comp_range: tuple
    decomp_range: tuple
    # Of the file.
    input_size: int
    # To the best peer that compresses at least as small; None: no peer does.
    comp_ratio: float = None
    decomp_ratio: float = None
    # How it stands to all of these peers: "lead", "trail", or "level" if the ranges of runs meet;
    # "alone" without any; "" if it cannot be judged.
    comp_standing: str = ""
    decomp_standing: str = ""

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
        ours.comp_standing = standing(ours, peers, "comp_range")
        ours.decomp_standing = standing(ours, peers, "decomp_range")


def standing(ours, peers, what):
    if ours.input_size < JUDGED_SIZE or min(c.runs for c in [ours] + peers) < JUDGED_RUNS:
        return ""
    if not peers:
        return "alone"
    least, most = getattr(ours, what)
    if least > max(getattr(c, what)[1] for c in peers):
        return "lead"
    return "trail" if most < max(getattr(c, what)[0] for c in peers) else "level"


def ratio_text(cell, ratio, stands):
    if cell.driver != OURS:
        return ""
    if not stands:
        return "-"
    text = "alone" if ratio is None else "%.2fx" % ratio
    return text + " level" if stands == "level" else text


def spread_text(median, least_most):
    """Of the runs around their median, the wider side."""
    least, most = least_most
    return "%.0f%%" % (100 * max(most - median, median - least) / median) if median else "-"


def print_table(cells):
    print("\nGbit/s of plain data: the median of the runs, and behind it how far they spread to "
          "either side.\nRatios are to the best peer that compresses as small or smaller (alone: "
          "none does; level:\nthe runs of both overlap, so that neither is faster; -: not judged).")
    head = ("file", "block", "huffman", "level", "driver", "size %", "compress", "+-",
            "decompress", "+-", "comp ratio", "decomp ratio")
    rows = [(c.file, kib(c.block), c.huffman, str(c.level), c.driver, "%.2f" % c.percent,
             "%.2f" % c.comp, spread_text(c.comp, c.comp_range),
             "%.2f" % c.decomp, spread_text(c.decomp, c.decomp_range),
             ratio_text(c, c.comp_ratio, c.comp_standing),
             ratio_text(c, c.decomp_ratio, c.decomp_standing)) for c in cells]
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
                      "compress_ratio_to_best_peer", "decompress_ratio_to_best_peer",
                      "compress_gbps_least", "compress_gbps_most", "decompress_gbps_least",
                      "decompress_gbps_most", "compress_standing", "decompress_standing"])
        for c in cells:
            out.writerow([c.file, c.block, c.huffman, c.level, c.driver, c.percent, c.size,
                          c.comp, c.decomp, c.runs,
                          "" if c.comp_ratio is None else round(c.comp_ratio, 4),
                          "" if c.decomp_ratio is None else round(c.decomp_ratio, 4),
                          *c.comp_range, *c.decomp_range, c.comp_standing, c.decomp_standing])


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
    axes[0][0].legend(fontsize=7, title="numbers at points: levels", title_fontsize=7)
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def clause(judged, what, side):
    """In how many settings we are ahead, and where we are not."""
    at = {word: [c for c in judged if getattr(c, side + "_standing") == word]
          for word in ("lead", "trail", "level", "alone")}
    text = "%s: lead in %d of %d settings" % (what, len(at["lead"]),
                                              len(judged) - len(at["alone"]))
    ratios = [getattr(c, side + "_ratio") for c in judged]
    ratios = [r for r in ratios if r is not None]
    if ratios:
        text += " (median %.2fx the best peer as small)" % statistics.median(ratios)
    if at["level"]:
        text += ", level within the spread in %d" % len(at["level"])
    behind = sorted((getattr(c, side + "_ratio"), c.name()) for c in at["trail"])
    if behind:
        text += ", trail in " + ", ".join("%s %.2fx" % (name, r) for r, name in behind[:3])
        if len(behind) > 3:
            text += " and %d more" % (len(behind) - 3)
    else:
        text += ", trail in none"
    if at["alone"]:
        text += ", alone in %d" % len(at["alone"])
    return text


def closing_line(cells):
    ours = [c for c in cells if c.driver == OURS]
    judged = [c for c in ours if c.comp_standing]
    small = sorted({c.file for c in ours if c.input_size < JUDGED_SIZE})
    why = []
    if small:
        why.append("%s: less than %d KiB" % (", ".join(small), JUDGED_SIZE >> 10))
    if any(not c.comp_standing and c.file not in small for c in ours):
        why.append("fewer than %d runs show no spread" % JUDGED_RUNS)
    if not judged:
        return "perf: no conclusion: " + "; ".join(why)
    line = "perf: %s; %s" % (clause(judged, "compression", "comp"),
                             clause(judged, "decompression", "decomp"))
    return line + ("" if not why else "; not judged: " + "; ".join(why))
