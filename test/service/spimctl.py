# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""Runs spimctl, and clients that it has something to tell of."""

import json
import os
import subprocess
import threading
from contextlib import contextmanager

from server import PROGRAM
from vfio_user import COMPRESS, REQ_ZLIB, Client, Memory, Queue

SPIMCTL = os.environ.get("SPIMCTL", os.path.join(os.path.dirname(PROGRAM), "spimctl"))
FAILED, USAGE = 1, 2
SIZE = 20000


def control(s):
    return s.path + ".control"


def spimctl(path, *args):
    """Returns (status, standard output, standard error)."""
    done = subprocess.run([SPIMCTL, "--control", path, *args], capture_output=True, text=True,
                          timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def good(s, *args):
    status, out, err = spimctl(control(s), *args)
    assert (status, err) == (0, ""), "%s: status %d\n%s" % (args, status, err)
    return out


def good_json(s, *args):
    return json.loads(good(s, "--json", *args))


@contextmanager
def worker(path):
    """A client with a queue, and what makes it do n requests."""
    c, mem = Client(path), Memory(1 << 20)
    c.dma_map(mem.fd, mem.size, mem.iova)
    q = Queue(c, mem, 0, COMPRESS)
    assert q.status == 0, q.status
    src, dst = mem.alloc(SIZE), mem.alloc(SIZE + 1000)
    mem.map[src:src + SIZE] = b"all work and no play " * (SIZE // 21) + b"." * (SIZE % 21)

    def work(n, room=SIZE + 1000):
        statuses = []
        for _ in range(n):
            q.push(REQ_ZLIB, src, SIZE, dst, room)
            q.submit()
            statuses.append(q.wait()[0])
        return statuses

    try:
        yield c, work
    finally:
        c.close()
        mem.close()


@contextmanager
def busy(work):
    """Requests go on and on meanwhile."""
    stop = threading.Event()

    def loop():
        while not stop.is_set():
            work(5)

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def ordered(times):
    return 0 <= times["p50_us"] <= times["p90_us"] <= times["p99_us"]


def refused(path):
    try:
        Client(path).close()
        return False
    except (ConnectionError, BrokenPipeError):
        return True
