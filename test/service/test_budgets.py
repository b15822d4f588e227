# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""spimdevd has more clients than the kernel has things for: users share what there is."""

import errno
import os
import resource
import struct
import sys

import runner
from server import Server
from vfio_user import DMA_MAP, Client, Refused
from test_clients import attach, round_trip

# Users of their own, if we may choose; else all that follows is one user's.
USERS = [65001, 65002, 65003, 65004] if os.geteuid() == 0 else [os.geteuid()]
PAGE = 4096


class As:
    """Who connects in here is this user."""

    def __init__(self, uid):
        self.uid = uid

    def __enter__(self):
        os.seteuid(self.uid)

    def __exit__(self, *exc):
        os.seteuid(os.getuid())


def connect(path, uid, **how):
    with As(uid):
        return Client(path, **how)


def take_files(c, most):
    """Maps files of a page, as many as there are; returns their number, the error, the last."""
    last, done, batch = None, 0, 100
    while done < most:
        fds = []
        for n in range(done, done + batch):
            fds.append(os.memfd_create("spimdevd-test"))
            os.ftruncate(fds[-1], PAGE)
            c.send(DMA_MAP, struct.pack("<IIQQQ", 32, 3, 0, n * PAGE, PAGE), fds[-1:])
        errors = [c.receive()[3] for _ in fds]
        good = errors.count(0)
        for fd in fds[:good - 1] + fds[good:] + ([last] if last and good else []):
            os.close(fd)
        done += good
        last = fds[good - 1] if good else last
        if good < batch:
            assert len(set(errors[good:])) == 1, errors
            return done, errors[good], last
    return done, 0, last


def max_map_count():
    with open("/proc/sys/vm/max_map_count", encoding="ascii") as f:
        return int(f.read())


def test_mappings_are_shared_by_users():
    """Each takes what it gets; then another user still has something, and a repair succeeds."""
    most = max_map_count()
    if most > 1 << 18:
        return "vm.max_map_count is %d: it would take too long" % most
    with Server("--limit-files", "0", "--limit-user-files", "0") as s:
        os.chmod(s.folder, 0o755)
        taken, clients = [], []
        for uid in USERS:
            c = connect(s.path, uid)
            n, err, last = take_files(c, most)
            assert err == errno.ENFILE, (taken, n, err)
            s.expect("vm.max_map_count")
            taken.append(n)
            clients.append((c, last))
        # The first has two thirds of three quarters, the next two thirds of what is left, ...
        assert sum(taken) < most * 3 // 4, taken
        assert min(taken) >= most // 4 * 3 // 3 ** len(taken), taken
        victim, mem = attach(s.path, spim=True)
        round_trip(victim, mem)
        # One takes the memory of its rings away.
        c, last = clients[0]
        os.ftruncate(last, 0)
        c.sock.settimeout(30)
        try:
            c.mailbox(0, 0, (taken[0] - 1) * PAGE)
            assert c.sock.recv(1) == b"", "its connection goes on"
        except (ConnectionError, BrokenPipeError):
            pass
        round_trip(victim, mem, first=2)
        victim.close()
        for c, last in clients:
            c.close()
            os.close(last)
    return "of %d: %s" % (most, ", ".join(str(n) for n in taken))


def few_descriptors():
    resource.setrlimit(resource.RLIMIT_NOFILE, (400, 400))


def test_descriptors_are_shared_by_users():
    with Server(preexec_fn=few_descriptors) as s:
        os.chmod(s.folder, 0o755)
        taken, clients = [], []
        for uid in USERS:
            before = len(clients)
            for n in range(400):
                try:
                    clients.append(connect(s.path, uid, spim=n % 2 == 0))
                except (ConnectionError, BrokenPipeError, Refused):
                    break
            taken.append(len(clients) - before)
            s.expect("RLIMIT_NOFILE")
        assert s.fds() < 320, s.fds()
        victim, mem = attach(s.path, spim=True)
        round_trip(victim, mem)
        victim.close()
        for c in clients:
            c.close()
    return "of 400: connections of each user: %s" % ", ".join(str(n) for n in taken)


if __name__ == "__main__":
    sys.exit(runner.main(sys.modules[__name__], "spimdevd budgets"))
