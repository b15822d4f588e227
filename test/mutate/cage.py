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
PROCESSES = 1000
# The system's own starts faster than one in a folder of somebody's.
PYTHON = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable


class Limits:
    """What a command may take."""

    def __init__(self, seconds, memory_mib=4096, disk_mib=1024):
        self.seconds = seconds
        self.memory_mib = memory_mib
        self.disk_mib = disk_mib


class Result:
    """How a command ended: why is "" if it passed."""

    def __init__(self, why, seconds, output):
        self.why = why
        self.seconds = seconds
        self.output = output


def run(argv, folder, limits, env=None, writable=()):
    """From outside: runs argv with folder as its current one. Only below those in writable may
    it write to the disk."""
    task = {"argv": argv, "folder": folder, "seconds": limits.seconds,
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
            return Result("time", time.monotonic() - begun, "")
        except BaseException:
            proc.kill()
            raise
    try:
        told = json.loads(out)
    except ValueError:
        raise RuntimeError("no cage: %s" % err.decode(errors="replace").strip()) from None
    return Result(told["why"], told["seconds"], told["output"])


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


def memory():
    """MiB that the processes here have for themselves, and how many they are."""
    total = count = 0
    page = os.sysconf("SC_PAGE_SIZE")
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open("/proc/%s/statm" % name, encoding="ascii") as f:
                fields = f.read().split()
        except OSError:
            continue
        count += 1
        total += (int(fields[1]) - int(fields[2])) * page
    return total >> 20, count


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


def excess(task):
    """Which limit is passed, if one is."""
    mib, count = memory()
    disk = used_mib()
    if disk >= task["disk_mib"]:
        return "disk"
    if mib > task["memory_mib"] or left_kib() < SPARE_KIB:
        return "memory"
    return "processes" if count > PROCESSES else ""


def prepare():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Should memory run out before we notice, it is this that goes.
    with open("/proc/self/oom_score_adj", "w", encoding="ascii") as f:
        f.write("1000")


def said_not_ok(text):
    return any(line.startswith(b"not ok ") for line in text.split(b"\n"))


def ended(status, output_bad):
    if status < 0:
        return "signal %d" % -status
    if status > 0:
        return "status %d" % status
    # Groups of tests are counted by their lines.
    return "not ok" if output_bad else ""


def watch(task):
    begun = time.monotonic()
    reading, writing = os.pipe()
    # pylint: disable=consider-using-with, subprocess-popen-preexec-fn
    proc = subprocess.Popen(task["argv"], stdin=subprocess.DEVNULL, stdout=writing,
                            stderr=writing, preexec_fn=prepare, start_new_session=True)
    os.close(writing)
    tail, bad, why = b"", False, None
    while why is None:
        if select.select([reading], [], [], POLL_S)[0]:
            part = os.read(reading, 65536)
            tail += part
            cut = tail.rfind(b"\n") + 1
            bad = bad or said_not_ok(tail[:cut])
            tail = tail[-TAIL:]
            if not part:
                # All that could write have closed it: the end of it is at hand, or it hangs.
                time.sleep(0.005)
        status = proc.poll()
        if status is not None:
            why = ended(status, bad or said_not_ok(tail))
        elif time.monotonic() - begun > task["seconds"] * crowd():
            why = "time"
        else:
            why = excess(task) or None
    if why not in ("time", "memory", "processes", "") and used_mib() >= task["disk_mib"]:
        why = "disk"
    # What is still in the pipe; a child that lives on may hold it open.
    while select.select([reading], [], [], 0)[0]:
        part = os.read(reading, 65536)
        if not part:
            break
        tail = (tail + part)[-TAIL:]
        if why == "" and said_not_ok(tail):
            why = "not ok"
    return {"why": why, "seconds": time.monotonic() - begun,
            "output": tail.decode(errors="replace")}


def main():
    task = json.loads(sys.stdin.buffer.read())
    close_in(task)
    json.dump(watch(task), sys.stdout)


if __name__ == "__main__":
    main()
