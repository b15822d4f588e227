# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""Many DPDK processes on one access point at once: DPDK's own dpdk-test-compress-perf, as
installed, which compares what it decompresses with its input.

usage: swarm_pmd.py [--procs N] [--queues N] [--kib N] [--sw off|auto] [--timeout SECONDS]
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time

from server import PROGRAM, TOP, Server

sys.path.insert(0, os.path.join(TOP, "app", "perf"))

import stock  # noqa: E402

MEMORY_MB = "64"


def input_file(path, size):
    """Text and programs, as many bytes."""
    with open(path, "wb") as out:
        for name in ("/usr/share/common-licenses/GPL-3", "/bin/sh", PROGRAM):
            with open(name, "rb") as f:
                out.write(f.read(size - out.tell()))
    if os.path.getsize(path) != size:
        sys.exit("FAILED: --kib: expected at most %d" % (os.path.getsize(path) // 1024))


def prefix(number):
    return "swarm%d_%d" % (os.getpid(), number)


def start(job, number, folder):
    argv, env = stock.command(job, prefix(number))
    argv[argv.index("-m") + 1] = MEMORY_MB
    with open(os.path.join(folder, "log%d" % number), "wb") as log:
        # pylint: disable=consider-using-with
        return subprocess.Popen(argv, env=env, stdout=log, stderr=subprocess.STDOUT,
                                stdin=subprocess.DEVNULL)


def judge(job, folder, number, status):
    with open(os.path.join(folder, "log%d" % number), encoding="utf-8", errors="replace") as f:
        text = f.read()
    rows = stock.parse(job.ptest, text)
    # That no queue is free is said, and is no error.
    rest = "".join(line + "\n" for line in text.splitlines() if "queue (-16)" not in line)
    if status != 0 or len(rows) != 1 or stock.complaints(job, rest):
        sys.exit("FAILED: process %d ended with %d, %d rows:\n%s" %
                 (number, status, len(rows), text))


def run(args, folder):
    start_time = time.monotonic()
    with Server("--queues", str(args.queues)) as server:
        path = os.path.join(folder, "input")
        input_file(path, args.kib * 1024)
        job = stock.Job("compress_hisi_zip,dev=unix:%s,sw=%s" % (server.path, args.sw), path,
                        ptest="verify", seg_size=8192, burst=16)
        procs = [start(job, i, folder) for i in range(args.procs)]
        try:
            most = 0
            while any(p.poll() is None for p in procs):
                if time.monotonic() - start_time > args.timeout:
                    sys.exit("FAILED: %d of %d processes have ended in %d s" % (
                        sum(p.poll() is not None for p in procs), args.procs, args.timeout))
                most = max(most, sum(p.poll() is None for p in procs))
                time.sleep(0.1)
        finally:
            for p in procs:
                if p.poll() is None:
                    p.kill()
                    p.wait()
            for i in range(args.procs):
                stock.forget(prefix(i))
        for i, p in enumerate(procs):
            judge(job, folder, i, p.returncode)
    print("     %d DPDK processes, %d at the same time, %d queues: all verified in %.1f s" %
          (args.procs, most, args.queues, time.monotonic() - start_time))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--procs", type=int, default=8)
    parser.add_argument("--queues", type=int, default=1024)
    parser.add_argument("--kib", type=int, default=256)
    parser.add_argument("--sw", choices=("off", "auto"), default="off")
    parser.add_argument("--timeout", type=int, default=300)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="spimdevd-swarm-") as folder:
        run(args, folder)


if __name__ == "__main__":
    main()
