# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""Runs spimgz, and services for it; data of all kinds; and what is in a file of its own."""

import gzip
import os
import random
import select
import signal
import struct
import subprocess
import tempfile
import zlib
from contextlib import contextmanager

from server import PROGRAM

BUILD = os.path.dirname(os.path.dirname(PROGRAM))
SPIMGZ = os.environ.get("SPIMGZ", os.path.join(BUILD, "app", "spimgz"))
SPIMGZ_FAIL = os.path.join(BUILD, "test", "service", "spimgz_fail")
LIAR = os.path.join(BUILD, "test", "service", "liar")
CHUNK = 512 << 10
TIME = 981158400  # an mtime


def text(size):
    """Words, as compressible as English."""
    rand = random.Random(1)
    words = ["".join(rand.choices("etaoinshrdlu", k=rand.randint(2, 9))) for _ in range(500)]
    out, have = [], 0
    while have < size:
        line = " ".join(rand.choices(words, k=12)) + "\n"
        out.append(line)
        have += len(line)
    return "".join(out).encode()[:size]


def noise(size):
    return random.Random(2).randbytes(size)


TEXT = text(300000)
# More pieces than are worked on at a time, and of several kinds.
BIG = TEXT * 12 + noise(3 * CHUNK) + bytes(CHUNK) + TEXT


class Done:
    """How a run ended."""

    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    def __repr__(self):
        return "status %d, %d bytes, standard error:\n%s" % (
            self.status, len(self.out), self.err.decode(errors="replace"))


def gz(*args, stdin=b"", env=None, program=SPIMGZ, point="local", name="spimgz", **kw):
    """stdin: bytes, or an open file."""
    argv = [name, *(["-s", point] if point else []), *args]
    kw["input" if isinstance(stdin, bytes) else "stdin"] = stdin
    done = subprocess.run(argv, executable=program, capture_output=True, timeout=120, check=False,
                          env=dict(os.environ, **(env or {})), **kw)
    return Done(done.returncode, done.stdout, done.stderr)


def good(*args, **kw):
    """Its standard output; nothing but that, and no error."""
    done = gz(*args, **kw)
    assert (done.status, done.err) == (0, b""), done
    return done.out


def ends(done, status, err, out=None):
    """err: all of standard error."""
    assert (done.status, done.err.decode()) == (status, err), \
        "%r\nexpected %d and\n%s" % (done, status, err)
    assert out is None or done.out == out, done


@contextmanager
def folder():
    with tempfile.TemporaryDirectory(prefix="spimgz-") as name:
        yield name


def put(name, data):
    with open(name, "wb") as f:
        f.write(data)
    os.utime(name, (TIME, TIME))
    return name


def get(name):
    with open(name, "rb") as f:
        return f.read()


def member(data, level=6, mtime=TIME):
    """One of ours, by zlib."""
    z = zlib.compressobj(level, zlib.DEFLATED, -15)
    body = z.compress(data) + z.flush()
    return ours(body, zlib.crc32(data), len(data), mtime=mtime)


def ours(body, crc, isize, size=None, mtime=TIME):
    """What a member of ours is made of."""
    head = struct.pack("<4sIBBHBBHI", b"\x1f\x8b\x08\x04", mtime, 0, 3, 8, 0x53, 0x5a, 4,
                       len(body) if size is None else size)
    return head + body + struct.pack("<II", crc, isize)


def members(data, name=None):
    """(header, DEFLATE data, CRC, size) of each member of a file of ours.
    name: of the file, which only the first one has."""
    at, found = 0, []
    while at < len(data):
        head = struct.unpack_from("<4sIBBHBBHI", data, at)
        assert head[0] == (b"\x1f\x8b\x08\x04" if name is None else b"\x1f\x8b\x08\x0c"), head
        assert head[4:8] == (8, 0x53, 0x5a, 4), head
        at += 20
        if name is not None:
            assert data[at:at + len(name) + 1] == name.encode() + b"\0"
            at += len(name) + 1
        name = None
        body = data[at:at + head[8]]
        crc, isize = struct.unpack_from("<II", data, at + head[8])
        found.append((head, body, crc, isize))
        at += 8 + head[8]
    assert at == len(data), (at, len(data))
    return found


def right(packed, plain):
    """Whether gzip reads it, and finds that."""
    return gzip.decompress(packed) == plain


class Liar:
    """The lying service (liar.h); a context manager."""

    def __init__(self, *args, path=None):
        self.own = tempfile.TemporaryDirectory(prefix="liar-") if path is None else None
        self.path = path or os.path.join(self.own.name, "s")
        self.point = "unix:" + self.path
        # pylint: disable=consider-using-with
        self.proc = subprocess.Popen([LIAR, "--listen", self.path, *args],
                                     stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert select.select([self.proc.stdout], [], [], 30)[0]
        assert self.proc.stdout.readline() == b"listening\n"

    def end(self, sig=signal.SIGTERM):
        """How many lies it told; None if it was killed."""
        self.proc.send_signal(sig)
        out, _ = self.proc.communicate(timeout=30)
        return int(out.split()[1]) if sig == signal.SIGTERM else None

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self.proc.poll() is None:
            self.end()
        self.proc.stdout.close()
        if self.own is not None:
            self.own.cleanup()
