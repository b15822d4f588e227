# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""What app/perf says when a driver does not give a row: it is missing, and that is an error."""

import csv
import io
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from contextlib import redirect_stdout
from unittest import mock

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "app", "perf"))

import main  # noqa: E402
import report  # noqa: E402
import stock  # noqa: E402

PEER = "compress_zlib"
TABLE = "  1  1  1000  50.00  1.00  2.00\n"


def row(job):
    return stock.Row(1, int(job.levels), 500, 50.0, 1.0, 2.0)


class Rows(unittest.TestCase):
    def measure(self, wrong, runs=3):
        """Two drivers at two levels; wrong(job, n) raises or not at a driver's n-th run."""
        counts = {}

        def fake(job):
            key = (job.vdev, job.levels)
            counts[key] = counts.get(key, 0) + 1
            wrong(job, counts[key])
            return row(job)

        with tempfile.NamedTemporaryFile() as f, mock.patch.object(stock, "measure", fake), \
                redirect_stdout(io.StringIO()):
            f.write(b"x" * 1000)
            f.flush()
            return main.measure([("text", f.name)], (4096,), ("fixed",),
                                {stock.OURS: (1, 3), PEER: (1,)}, runs, False)

    def test_all_there(self):
        cells, missing = self.measure(lambda job, n: None)
        self.assertEqual(missing, [])
        self.assertEqual([(c.level, c.driver, c.runs) for c in cells],
                         [(1, stock.OURS, 3), (1, PEER, 3), (3, stock.OURS, 3)])

    def test_peer_fails(self):
        for first in (1, 2, 3):
            def wrong(job, n, first=first):
                if job.vdev == PEER and n >= first:
                    raise stock.PerfError("cannot")
            cells, missing = self.measure(wrong)
            self.assertEqual(missing, [PEER + ": text 4 KiB fixed level 1"])
            self.assertEqual([c.runs for c in cells if c.driver == PEER],
                             [first - 1] if first > 1 else [])

    def test_ours_fails(self):
        def wrong(job, n):
            if job.vdev == stock.OURS and job.levels == "3" and n == 2:
                raise stock.PerfError("broken")
        with self.assertRaises(stock.PerfError):
            self.measure(wrong)

    def test_exit_status(self):
        for missing, status in (([], None), (["one"], 1)):
            out = io.StringIO()
            cells = [cell(stock.OURS, (1.0, 1.1, 1.2)), cell(PEER, (0.8, 0.9, 0.99))]
            with tempfile.TemporaryDirectory() as folder, redirect_stdout(out), \
                    mock.patch.object(main, "measure", lambda *a: (cells, missing)), \
                    mock.patch.object(main.shutil, "which", lambda name: name), \
                    mock.patch.object(report, "write_plot", lambda *a: None), \
                    mock.patch.object(sys, "argv", ["main.py", "--out", folder, __file__]):
                try:
                    main.main()
                    got = None
                except SystemExit as e:
                    got = e.code
            last = out.getvalue().splitlines()[-1]
            self.assertEqual(got, status)
            self.assertEqual(last.startswith("perf: compression: lead in 1 of 1"), not missing)
            if missing:
                self.assertEqual(last, "perf: 1 rows are missing: one")


    def runs(self, *options):
        """How many runs are measured, and of how many settings."""
        seen = []

        def measure(_, blocks, huffmans, levels, runs, __):
            seen.extend((runs, len(blocks) * len(huffmans) * len(levels[stock.OURS])))
            return [cell(stock.OURS, (1.0,))], []

        with tempfile.TemporaryDirectory() as folder, redirect_stdout(io.StringIO()), \
                mock.patch.object(main, "measure", measure), \
                mock.patch.object(main.shutil, "which", lambda name: name), \
                mock.patch.object(report, "write_plot", lambda *a: None), \
                mock.patch.object(sys, "argv", ["main.py", "--out", folder, *options, __file__]):
            main.main()
        return tuple(seen)

    def test_number_of_runs(self):
        self.assertEqual(self.runs(), (5, 16))
        self.assertEqual(self.runs("--runs", "7"), (7, 16))
        self.assertEqual(self.runs("--quick"), (1, 2))
        self.assertEqual(self.runs("--quick", "--runs", "4"), (4, 2))


def cell(driver, comp, decomp=(2.0, 2.0, 2.0), size=500, level=1, input_size=1 << 20):
    return report.Cell("text", 4096, "fixed", level, driver, 50.0, size,
                       sorted(comp)[len(comp) // 2], sorted(decomp)[len(decomp) // 2], len(comp),
                       (min(comp), max(comp)), (min(decomp), max(decomp)), input_size)


class Standing(unittest.TestCase):
    """What is said of who is faster."""

    def stands(self, ours, *peers, **of):
        cells = [cell(stock.OURS, ours, **of)] + [cell(PEER, p, **of) for p in peers]
        report.add_ratios(cells)
        return cells[0].comp_standing

    def test_ranges(self):
        slow, fast, meets = (1.0, 1.1, 1.2), (1.3, 1.4, 1.5), (1.2, 1.25, 1.3)
        self.assertEqual(self.stands(fast, slow), "lead")
        self.assertEqual(self.stands(slow, fast), "trail")
        for other in (slow, fast, meets):
            self.assertEqual(self.stands(meets, other), "level")
        self.assertEqual(self.stands(slow, slow), "level")
        self.assertEqual(self.stands(meets, slow, fast), "level")
        self.assertEqual(self.stands(slow, slow, fast), "trail")
        self.assertEqual(self.stands(fast), "alone")

    def test_too_little(self):
        self.assertEqual(self.stands((3.0, 3.0), (1.0, 1.0)), "")
        self.assertEqual(self.stands((3.0,) * 3, (1.0,) * 2), "")
        self.assertEqual(self.stands((3.0,) * 3, (1.0,) * 3, input_size=(1 << 20) - 1), "")

    def closing(self, *cells):
        report.add_ratios(cells)
        return report.closing_line(cells)

    def test_closing_line(self):
        ours, peer = cell(stock.OURS, (3.0,) * 3), cell(PEER, (1.0,) * 3)
        bad = cell(stock.OURS, (0.5,) * 3, level=9)
        # Nobody compresses as small.
        alone = cell(stock.OURS, (1.0,) * 3, size=400, level=6)
        self.assertEqual(
            self.closing(ours, peer, bad, alone),
            "perf: compression: lead in 1 of 2 settings (median 1.75x the best peer as small), "
            "trail in text 4 KiB fixed level 9 0.50x, alone in 1; decompression: lead in 0 of 2 "
            "settings (median 1.00x the best peer as small), level within the spread in 2, "
            "trail in none, alone in 1")
        self.assertEqual(self.closing(cell(stock.OURS, (3.0,)), cell(PEER, (1.0,))),
                         "perf: no conclusion: fewer than 3 runs show no spread")
        self.assertEqual(self.closing(cell(stock.OURS, (3.0,) * 3, input_size=35000)),
                         "perf: no conclusion: text: less than 1024 KiB")

    def test_table_and_csv(self):
        cells = [cell(stock.OURS, (1.0, 2.0, 2.5)), cell(PEER, (1.0, 2.0, 2.0))]
        report.add_ratios(cells)
        out = io.StringIO()
        with redirect_stdout(out):
            report.print_table(cells)
        lines = [line.split() for line in out.getvalue().splitlines()]
        self.assertIn(["text", "4", "KiB", "fixed", "1", stock.OURS, "50.00", "2.00", "50%", "2.00",
                       "0%", "1.00x", "level", "1.00x", "level"], lines)
        with tempfile.NamedTemporaryFile("r", newline="") as f:
            report.write_csv(cells, f.name)
            row = list(csv.DictReader(f))[0]
        self.assertEqual((row["compress_gbps_least"], row["compress_gbps_most"],
                          row["compress_standing"]), ("1.0", "2.5", "level"))


class Signals(unittest.TestCase):
    """Nothing that was started is left, and there is no traceback."""

    def test_signals(self):
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            with tempfile.TemporaryDirectory() as folder:
                program, pid = os.path.join(folder, "program"), os.path.join(folder, "pid")
                with open(program, "w", encoding="ascii") as f:
                    f.write("#!/bin/sh\necho $$ > %s.new\nmv %s.new %s\nexec sleep 1000\n"
                            % (pid, pid, pid))
                os.chmod(program, 0o755)
                code = ("import main, stock; main.catch_signals(); stock.PROGRAM = '%s'; "
                        "stock.run(stock.Job(vdev='%s', file='none'))" % (program, PEER))
                with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, text=True,
                                      cwd=os.path.dirname(main.__file__)) as started:
                    while not os.path.exists(pid) and started.poll() is None:
                        time.sleep(0.02)
                    started.send_signal(number)
                    text, _ = started.communicate(timeout=60)
                self.assertEqual(started.returncode, 128 + number)
                self.assertEqual(text, "\nperf: ended by %s\n" % signal.Signals(number).name)
                with open(pid, encoding="ascii") as f:
                    process = "/proc/%d" % int(f.read())
                # It has ended; who reaps it is somebody else.
                until = time.monotonic() + 60
                while os.path.exists(process) and time.monotonic() < until:
                    time.sleep(0.02)
                self.assertFalse(os.path.exists(process))


class Run(unittest.TestCase):
    """One run of the stock program, which is a script here."""

    def run_with(self, script, **job):
        with tempfile.TemporaryDirectory() as folder:
            program = os.path.join(folder, "program")
            with open(program, "w", encoding="ascii") as f:
                f.write("#!/bin/sh\n" + script)
            os.chmod(program, 0o755)
            with mock.patch.object(stock, "PROGRAM", program):
                return stock.run(stock.Job(vdev=PEER, file="none", **job))

    def test_good(self):
        rows = self.run_with("echo '%s'" % TABLE)
        self.assertEqual([(r.level, r.size, r.comp_gbps, r.decomp_gbps) for r in rows],
                         [(1, 1000, 1.0, 2.0)])

    def test_bad(self):
        bad = {
            "": "rows for levels []",
            "echo '%s'; exit 3" % TABLE: "ended with status 3",
            "echo '%s'; kill -9 $$" % TABLE: "ended with status -9",
            "echo '%s'; echo 'USER1: oh'" % TABLE: "complained: USER1: oh",
            "echo '%s'; echo 'something: ERR'" % TABLE: "complained",
            "echo '%s'; echo '%s'" % (TABLE, TABLE): "rows for levels [1, 1]",
            "echo '  1  2  1000  50.00  1.00  2.00'": "rows for levels [2]",
        }
        for script, why in bad.items():
            with self.assertRaises(stock.PerfError) as caught:
                self.run_with(script)
            self.assertIn(why, str(caught.exception))

    def test_row_of_each_level_and_worker(self):
        with self.assertRaises(stock.PerfError) as caught:
            self.run_with("echo '%s'" % TABLE, workers=2)
        self.assertIn("rows for levels [1]; expected [1, 1]", str(caught.exception))
        with self.assertRaises(stock.PerfError) as caught:
            self.run_with("echo '%s'" % TABLE, levels="0:1:2")
        self.assertIn("rows for levels [1]; expected [0, 1, 2]", str(caught.exception))

    def test_no_end(self):
        with self.assertRaises(stock.PerfError) as caught:
            self.run_with("exec sleep 100", timeout=0.2)
        self.assertIn("no end after", str(caught.exception))


def told(suite):
    """Runs each by itself, and says what test/lib.sh counts."""
    tests = [t for cases in suite for t in cases]
    failed = 0
    for t in tests:
        print("plan %s" % t.id())
    for t in tests:
        result = unittest.TextTestRunner(verbosity=0).run(t)
        if result.wasSuccessful() and result.testsRun == 1:
            print("ok %s" % t.id())
        else:
            failed += 1
            print("not ok %s" % t.id())
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(told(unittest.defaultTestLoader.loadTestsFromModule(sys.modules[__name__])))
