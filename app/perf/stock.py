# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""Runs DPDK's own dpdk-test-compress-perf, as installed, and reads what it prints."""

import os
import re
import shutil
import stat
import subprocess
import time
from dataclasses import dataclass, field, replace

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OURS = "compress_hisi_zip"
OUR_SO = os.path.join(TOP, os.environ.get("SPIMDEV_BUILD", "build"), "drivers",
                      "librte_compress_hisi_zip.so")
PROGRAM = "dpdk-test-compress-perf"


class PerfError(Exception):
    """The program failed, complained, or printed less than it was asked for."""


@dataclass
class Job:
    """One run of the program. Sizes in bytes; levels as the program takes them, "6" or "0:1:9"
    (its comma list runs other levels than those listed)."""
    vdev: str
    file: str
    ptest: str = "throughput"
    seg_size: int = 4096
    segs: int = 1
    huffman: str = "dynamic"
    levels: str = "1"
    iterations: int = 1
    burst: int = 32
    external: bool = False
    workers: int = 1
    lcores: str = ""
    hugepages: bool = False
    # Main lcore's thread at idle priority: for a CPU that it shares with a worker.
    idle_main: bool = False
    timeout: int = 600
    extra: list = field(default_factory=list)

    def driver(self):
        return self.vdev.split(",")[0]

    def level_list(self):
        if ":" not in self.levels:
            return [int(self.levels)]
        low, step, high = (int(n) for n in self.levels.split(":"))
        return list(range(low, high + 1, step))


@dataclass
class Row:
    """What one lcore measured at one level. Rates in Gbit/s of plain data; cycles per op."""
    lcore: int
    level: int
    size: int
    percent: float
    comp_gbps: float = 0.0
    decomp_gbps: float = 0.0
    comp_enq: int = 0
    comp_deq: int = 0
    decomp_enq: int = 0
    decomp_deq: int = 0
    # The whole run, from start to end of the process.
    seconds: float = 0.0


def lcores_on(cpus):
    """EAL's map of lcores 0, 1, ... onto these CPUs; lcore 0 is the main one."""
    return ",".join("%d@%d" % (i, cpu) for i, cpu in enumerate(cpus))


def default_lcores(workers):
    """Main and workers spread over the CPUs that we may use, wrapping around if they are few."""
    cpus = sorted(os.sched_getaffinity(0))
    return lcores_on([cpus[i % len(cpus)] for i in range(workers + 1)])


def plugin_args(so):
    """EAL arguments and environment that load the driver.

    EAL refuses a path with a world-writable folder in it, like a clone below /tmp; a bare name
    that the dynamic linker resolves is not held to that."""
    env = dict(os.environ)
    if not os.path.exists(so):
        raise PerfError("%s does not exist; build first" % so)
    folder = os.path.realpath(so)
    while folder != "/":
        folder = os.path.dirname(folder)
        if os.stat(folder).st_mode & stat.S_IWOTH:
            env["LD_LIBRARY_PATH"] = os.path.dirname(so)
            return ["-d", os.path.basename(so)], env
    return ["-d", so], env


def command(job, prefix):
    args, env = [], dict(os.environ)
    if job.driver() == OURS:
        args, env = plugin_args(OUR_SO)
    argv = [PROGRAM, *args, "--no-pci", "--no-telemetry", "--file-prefix", prefix,
            "--log-level", "user1:error", "--log-level", "pmd.compress.*:warning",
            "--lcores", job.lcores or default_lcores(job.workers), "--vdev", job.vdev]
    argv += [] if job.hugepages else ["--no-huge", "-m", "1024"]
    argv += ["--", "--driver-name", job.driver(), "--input-file", job.file,
             "--ptest", job.ptest, "--seg-sz", str(job.seg_size),
             "--max-num-sgl-segs", str(job.segs), "--huffman-enc", job.huffman,
             "--compress-level", job.levels, "--num-iter", str(job.iterations),
             "--burst-sz", str(job.burst), "--operation", "comp_and_decomp"]
    argv += ["--external-mbufs"] if job.external else []
    return argv + job.extra, env


NUMBER = r"\s+([0-9.]+)"
ROW = {
    "verify": re.compile(r"^\s*(\d+)\s+(\d+)\s+(\d+)" + NUMBER + r"\s*$"),
    "throughput": re.compile(r"^\s*(\d+)\s+(\d+)\s+(\d+)" + NUMBER * 3 + r"\s*$"),
    "pmd-cyclecount": re.compile(r"^\s*(\d+)\s+(\d+)\s+(\d+)" + NUMBER + r"\s*\|"
                                 + NUMBER * 4 + r"\s*\|" + NUMBER * 5 + r"\s*$"),
}


def parse(ptest, text):
    rows = []
    for line in text.splitlines():
        match = ROW[ptest].match(line)
        if not match:
            continue
        g = match.groups()
        row = Row(int(g[0]), int(g[1]), int(g[2]), float(g[3]))
        if ptest == "throughput":
            row.comp_gbps, row.decomp_gbps = float(g[4]), float(g[5])
        elif ptest == "pmd-cyclecount":
            row.comp_enq, row.comp_deq, row.decomp_enq, row.decomp_deq = (int(n) for n in g[9:13])
        rows.append(row)
    return rows


def complaints(job, text):
    """Lines that a clean run does not print: errors of the program or of the driver."""
    bad = re.compile(r"^USER1: |\bERR\b|\berror\b|^%s|hisi_zip: |Segmentation" % job.driver(),
                     re.IGNORECASE)
    # The log of isal greets with a function's name and its version; the table names the device.
    # 25.11 says at every start that it was given no dictionary.
    good = re.compile(r"^ISA-L library|^compdev_|^\s+lcore: |^USER1: Dictionary file not ")
    return [line for line in text.splitlines() if bad.search(line) and not good.search(line)]


def wait_for_worker(process):
    """Until a worker lcore has started to work, or the program has ended."""
    for _ in range(5000):
        if process.poll() is not None:
            return
        try:
            for task in os.listdir("/proc/%d/task" % process.pid):
                with open("/proc/%d/task/%s/stat" % (process.pid, task), encoding="ascii") as f:
                    name, rest = f.read().split("(", 1)[1].rsplit(")", 1)
                if "worker" in name and (rest.split()[0] == "R" or rest.split()[11] != "0"):
                    return
        except OSError:
            pass
        time.sleep(0.001)


def idle_main_thread(process):
    """Main only waits for the workers, but by spinning: let it have what nobody else wants.

    New threads inherit this, so it must wait until the driver has made its own. The program
    verifies before it measures, so nothing is measured yet."""
    wait_for_worker(process)
    try:
        os.sched_setscheduler(process.pid, os.SCHED_IDLE, os.sched_param(0))
    except ProcessLookupError:
        pass


def forget(prefix):
    """Removes what EAL leaves behind of a program that has ended."""
    shutil.rmtree(os.path.join("/var/run/dpdk", prefix), ignore_errors=True)


def run(job):
    """Runs one job; returns its rows, one for each level and worker. Raises PerfError."""
    prefix = "spimdev-%d" % os.getpid()
    argv, env = command(job, prefix)
    start = time.monotonic()
    process = subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, errors="replace")
    try:
        if job.idle_main:
            idle_main_thread(process)
        text, _ = process.communicate(timeout=job.timeout)
    except subprocess.TimeoutExpired as e:
        raise PerfError("no end after %d s: %s" % (job.timeout, " ".join(argv))) from e
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
        forget(prefix)

    def fail(why):
        raise PerfError("%s\n$ %s\n%s" % (why, " ".join(argv), text[-3000:]))

    if process.returncode != 0:
        fail("ended with status %d" % process.returncode)
    bad = complaints(job, text)
    if bad:
        fail("complained: %s" % bad[0])
    rows = parse(job.ptest, text)
    # It ends with 0 also when a worker never started.
    wanted = sorted(job.level_list() * job.workers)
    if sorted(row.level for row in rows) != wanted:
        fail("rows for levels %s; expected %s" % (sorted(r.level for r in rows), wanted))
    for row in rows:
        row.seconds = time.monotonic() - start
    return rows


# Below this, in Gbit/s, the two decimals that the program prints are too coarse for a ratio.
COARSE = 0.1


def measure(job):
    """One row of a throughput job of one level and one worker, its compression rate also good
    where it is low: then from how much longer the process runs with one iteration more."""
    row = run(job)[0]
    if row.comp_gbps < COARSE:
        bits = os.path.getsize(job.file) * 8
        more = run(replace(job, iterations=2))[0]
        less = run(replace(job, iterations=1))[0]
        # An iteration compresses and decompresses the file twice: to warm up, and measured.
        once = (more.seconds - less.seconds) / 2 - bits / (more.decomp_gbps * 1e9)
        if once > 0:
            row.comp_gbps = bits / once / 1e9
    return row
