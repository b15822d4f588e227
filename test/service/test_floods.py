# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""One user floods the service: administrators, other users and its end do not wait."""

import os
import select
import signal
import socket
import struct
import sys
import time

import runner
from server import Server, ask
from vfio_user import (BAR2, CONFIG, DMA_MAP, DMA_UNMAP, GET_REGION_INFO, HDR, MAILBOX, NO_REPLY,
                       REGION_READ, REGION_WRITE, SET_IRQS, VERSION, Client)

CONNECTIONS = 64
FLOODER = 65533  # a user of its own, if we may choose

VERSION_BODY = struct.pack("<HH", 0, 0) + b"{}\0"


def message(cmd, payload=b"", flags=0):
    return HDR.pack(1, cmd, HDR.size + len(payload), flags, 0) + payload


def region(cmd, offset, size, data=b"", flags=0):
    return message(cmd, struct.pack("<QII", offset, BAR2, size) + data, flags)


MAP = struct.pack("<IIQQQ", 32, 3, 0, 1 << 32, 4096)
FLOODS = {
    "register reads": region(REGION_READ, MAILBOX, 16),
    "reads of 32 KiB": region(REGION_READ, 0, 32768),
    "posted writes": region(REGION_WRITE, MAILBOX, 16, bytes(16), NO_REPLY),
    "maps": message(DMA_MAP, MAP) + message(DMA_UNMAP, struct.pack("<IIQQ", 24, 2, 0, 0)),
    "interrupts": message(SET_IRQS, struct.pack("<IIIII", 20, 0x21, 1, 0, 0)),
    "errors": message(GET_REGION_INFO, bytes(32)),
}


def connect(path):
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(20)
    sock.connect(path)
    sock.sendall(message(VERSION, VERSION_BODY))
    sock.recv(4096)
    sock.setblocking(False)
    return sock


def send_without_end(path, batch, told):
    """Messages over many connections, whose answers are read and thrown away."""
    poll = select.poll()
    socks = {}
    for _ in range(CONNECTIONS):
        sock = connect(path)
        socks[sock.fileno()] = [sock, batch]
        poll.register(sock, select.POLLIN | select.POLLOUT)
    os.write(told, b"x")
    while True:
        for fd, events in poll.poll():
            sock, left = socks[fd]
            if events & select.POLLIN:
                sock.recv(1 << 20)
            if events & select.POLLOUT:
                sent = sock.send(left)
                # The rest of a message first.
                socks[fd][1] = left[sent:] or batch


def connect_without_end(path, told):
    """Connections that say what they must and go."""
    os.write(told, b"x")
    while True:
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(path)
        sock.send(message(VERSION, VERSION_BODY))
        sock.close()


class Flood:
    """Processes that flood a service, of a user of their own; a context manager."""

    def __init__(self, path, what):
        self.pids = []
        got, told = os.pipe()
        for _ in range(2):
            pid = os.fork()
            if pid == 0:
                self.run(path, what, told)
            self.pids.append(pid)
        os.close(told)
        with os.fdopen(got, "rb") as f:
            assert f.read(2) == b"xx", "the flood did not begin"

    @staticmethod
    def run(path, what, told):
        """In a process that does nothing else."""
        try:
            if os.getuid() == 0:
                os.setuid(FLOODER)
            os.nice(5)
            if what in FLOODS:
                batch = FLOODS[what] * (65536 // len(FLOODS[what]))
                send_without_end(path, batch, told)
            connect_without_end(path, told)
        finally:
            os._exit(0)

    def goes_on(self):
        for pid in self.pids:
            assert os.waitpid(pid, os.WNOHANG) == (0, 0), "the flood has ended"

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        for pid in self.pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def took(call, *args, **kw):
    begun = time.monotonic()
    call(*args, **kw)
    return time.monotonic() - begun


def check(what):
    """What the administrator, another user, and who ends the service wait for under a flood."""
    with Server() as s:
        os.chmod(s.folder, 0o711)
        victim = Client(s.path)
        s.base = None  # it ends with what the flood has
        with Flood(s.path, what) as flood:
            asked = sorted(took(ask, s.path + ".control", "clients", kind="client")
                           for _ in range(5))
            read = sorted(took(victim.read, CONFIG, 0, 4) for _ in range(25))
            flood.goes_on()
            ended = took(s.end)
        victim.close()
    # A median of few, as the machine has others to serve.
    assert asked[2] < 1, "the control socket took %s" % asked
    assert read[12] < 0.5, "another user's read took %s" % read
    assert ended < 3, "the end took %.1f s" % ended
    return "%s: asked %.0f ms, read %.1f ms, ended %.0f ms" % (
        what, asked[2] * 1000, read[12] * 1000, ended * 1000)


def test_nobody_waits_for_a_flood():
    return "; ".join(check(what) for what in [*FLOODS, "connections"])


if __name__ == "__main__":
    sys.exit(runner.main(sys.modules[__name__], "floods"))
