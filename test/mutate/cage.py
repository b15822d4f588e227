# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""Runs a command where it can do no harm: whatever it starts ends with it, it writes nowhere but
to memory of a limited size, and it gets so much time and memory and no more.

A program with a mistake in it may hang, take all memory, or fill the disk. Here that is an end
like others. Needs root, for namespaces and mounts.
"""

import ctypes
import json
import os
import resource
import select
import subprocess
import sys
import time

MS_RDONLY, MS_REMOUNT, MS_BIND = 1, 32, 4096
SCRATCH = ("/tmp", "/var/tmp", "/dev/shm", "/run")
POLL_S = 0.1
TAIL = 32768
SPARE_KIB = 1 << 20     # what the machine is left with
MACHINE = "machine"     # has less: whoever took it, that is how no test ends, and is tried again
TRIES, PAUSE_S = 6, 5
PROCESSES = 1000
STILL_S = 3             # late, and so long asleep: it hangs
# The system's own starts faster than one in a folder of somebody's.
PYTHON = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable


class Limits:
    """What a command may take."""

    def __init__(self, seconds, cpu_s=1e9, memory_mib=4096, disk_mib=1024):
        self.seconds = seconds
        self.cpu_s = cpu_s
        self.memory_mib = memory_mib
        self.disk_mib = disk_mib


class Result:
    """How a command ended: why is "" if it passed."""

    def __init__(self, why, seconds, cpu_s, output):
        self.why = why
        self.seconds = seconds
        self.cpu_s = cpu_s
        self.output = output


def run(argv, folder, limits, env=None, writable=()):
    """From outside: runs argv with folder as its current one. Only below those in writable may
    it write to the disk."""
    for _ in range(TRIES):
        result = run_once(argv, folder, limits, env, writable)
        if result.why != MACHINE:
            break
        time.sleep(PAUSE_S)
    return result


def run_once(argv, folder, limits, env, writable):
    task = {"argv": argv, "folder": folder, "seconds": limits.seconds, "cpu_s": limits.cpu_s,
            "memory_mib": limits.memory_mib, "disk_mib": limits.disk_mib,
            "writable": list(writable)}
    begun = time.monotonic()
    # What is in it dies with its first process, so with that of unshare, so with ours.
    with subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--ipc",
             "--fork", "--kill-child", "--mount-proc",
             PYTHON, "-I", "-S", os.path.abspath(__file__)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=dict(os.environ, **(env or {}))) as proc:
        try:
            out, err = proc.communicate(json.dumps(task).encode(), 20 * limits.seconds + 60)
        except subprocess.TimeoutExpired:
            proc.kill()
            out, err = proc.communicate()
            return Result("time", time.monotonic() - begun, 0, "")
        except BaseException:
            proc.kill()
            raise
    try:
        told = json.loads(out)
    except ValueError:
        raise RuntimeError("no cage: %s" % err.decode(errors="replace").strip()) from None
    return Result(told["why"], told["seconds"], told["cpu_s"], told["output"])


# ---- Inside ----

def mount(source, target, kind, flags, data=""):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags),
                  data.encode()) != 0:
        error = ctypes.get_errno()
        raise OSError(error, "mount %s: %s" % (target, os.strerror(error)))


def close_in(task):
    """All disks read-only but for what is named; memory where programs write by habit."""
    kept = [(task["folder"], os.open(task["folder"], os.O_PATH))]
    for path in task["writable"]:
        mount(path, path, "", MS_BIND)
        kept.append((path, os.open(path, os.O_PATH)))
    mount("", "/", "", MS_REMOUNT | MS_BIND | MS_RDONLY)
    for path in SCRATCH:
        if os.path.isdir(path) and not os.path.islink(path):
            mount("scratch", path, "tmpfs", 0, "mode=1777,size=%dm" % task["disk_mib"])
    # A tree that lies in one of these is there again.
    for path, fd in kept:
        os.makedirs(path, exist_ok=True)
        mount("/proc/self/fd/%d" % fd, path, "", MS_BIND)
        os.close(fd)
    os.chdir(task["folder"])


def used_mib():
    total = 0
    for path in SCRATCH:
        if os.path.ismount(path):
            st = os.statvfs(path)
            total += (st.f_blocks - st.f_bfree) * st.f_frsize
    return total >> 20


class Watched:
    """All processes here, as they are now."""

    def __init__(self):
        self.mib = 0        # of memory that is their own
        self.count = 0
        self.cpu_s = 0.0    # so far, with that of those which ended
        self.runs = False   # one of them does, or would if it had a CPU
        own = os.getpid()
        for name in os.listdir("/proc"):
            if name.isdigit():
                try:
                    self.add(name, int(name) == own)
                except OSError:
                    pass
        self.mib >>= 20

    def add(self, name, own):
        with open("/proc/%s/statm" % name, encoding="ascii") as f:
            pages = f.read().split()
        with open("/proc/%s/stat" % name, encoding="ascii", errors="replace") as f:
            stat = f.read().rpartition(")")[2].split()
        self.count += 1
        self.mib += (int(pages[1]) - int(pages[2])) * os.sysconf("SC_PAGE_SIZE")
        times = stat[13:15] if own else stat[11:15]
        self.cpu_s += sum(int(n) for n in times) / os.sysconf("SC_CLK_TCK")
        if not own and not self.runs:
            self.runs = any(runs(name, thread) for thread in os.listdir("/proc/%s/task" % name))


def runs(name, thread):
    try:
        with open("/proc/%s/task/%s/stat" % (name, thread), encoding="ascii",
                  errors="replace") as f:
            return f.read().rpartition(")")[2].split()[0] in ("R", "D")
    except OSError:
        return False


def left_kib():
    with open("/proc/meminfo", encoding="ascii") as f:
        for line in f:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1])
    return SPARE_KIB


def crowd():
    """How many others each CPU is shared with now; what they take is no fault of the command."""
    with open("/proc/loadavg", encoding="ascii") as f:
        return max(1.0, float(f.read().split()[0]) / os.cpu_count())


class Judge:
    """Says which limit is passed, if one is."""

    def __init__(self, task):
        self.task = task
        self.begun = self.ran = time.monotonic()
        self.cpu_s = 0.0

    def seconds(self):
        return time.monotonic() - self.begun

    def excess(self):
        now = Watched()
        self.cpu_s = now.cpu_s
        if now.runs:
            self.ran = time.monotonic()
        if used_mib() >= self.task["disk_mib"]:
            return "disk"
        if now.mib > self.task["memory_mib"]:
            return "memory"
        if left_kib() < SPARE_KIB:
            return MACHINE
        if now.count > PROCESSES:
            return "processes"
        # Who has not run for so long waits for something else than a CPU.
        late = self.seconds() > self.task["seconds"]
        if now.cpu_s > self.task["cpu_s"] or (late and (
                time.monotonic() - self.ran > STILL_S or
                self.seconds() > self.task["seconds"] * crowd())):
            return "time"
        return None


def prepare():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Should memory run out before we notice, it is this that goes.
    with open("/proc/self/oom_score_adj", "w", encoding="ascii") as f:
        f.write("1000")


def said_not_ok(text):
    return text.startswith(b"not ok ") or b"\nnot ok " in text


def ended(status, output_bad):
    if status < 0:
        return "signal %d" % -status
    if status > 0:
        return "status %d" % status
    # Groups of tests are counted by their lines.
    return "not ok" if output_bad else ""


def watch(task):
    judge = Judge(task)
    reading, writing = os.pipe()
    # pylint: disable=consider-using-with, subprocess-popen-preexec-fn
    proc = subprocess.Popen(task["argv"], stdin=subprocess.DEVNULL, stdout=writing,
                            stderr=writing, preexec_fn=prepare, start_new_session=True)
    os.close(writing)
    tail, bad, why, looked = b"", False, None, 0
    while why is None:
        if select.select([reading], [], [], POLL_S)[0]:
            part = os.read(reading, 65536)
            tail += part
            bad = bad or said_not_ok(tail[:tail.rfind(b"\n") + 1])
            tail = tail[-TAIL:]
            if not part:
                # All that could write have closed it: the end of it is at hand, or it hangs.
                time.sleep(0.005)
        status = proc.poll()
        if status is not None:
            why = ended(status, bad or said_not_ok(tail))
        elif time.monotonic() - looked > POLL_S:
            looked = time.monotonic()
            why = judge.excess()
    seconds = judge.seconds()
    if why.startswith(("status", "signal")) and used_mib() >= task["disk_mib"]:
        why = "disk"
    # What is still in the pipe; a child that lives on may hold it open.
    while select.select([reading], [], [], 0)[0]:
        part = os.read(reading, 65536)
        if not part:
            break
        tail = (tail + part)[-TAIL:]
        if why == "" and said_not_ok(tail):
            why = "not ok"
    return {"why": why, "seconds": seconds, "cpu_s": Watched().cpu_s,
            "output": tail.decode(errors="replace")}


def main():
    task = json.loads(sys.stdin.buffer.read())
    close_in(task)
    json.dump(watch(task), sys.stdout)


if __name__ == "__main__":
    main()
