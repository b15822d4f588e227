# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""spimdevd has more clients than the kernel has things for: users share what there is."""

import array
import errno
import os
import resource
import socket
import struct
import sys

import runner
from server import Server
from vfio_user import DMA_MAP, GET_REGION_INFO, HDR, VERSION, Client, Memory, Refused
from test_clients import DOORBELLS, attach, round_trip

# Users of their own, if we may choose.
USERS = [65001, 65002, 65003, 65004] if os.geteuid() == 0 else [os.geteuid()]
ONE_USER = "not shown: only root can be several users"
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


def take_files(c, most, first=0):
    """Maps files of a page, as many as there are; returns their number, the error, the last."""
    last, done = None, 0
    while done < most:
        batch = min(100, most - done)
        fds = []
        for n in range(done, done + batch):
            fds.append(os.memfd_create("spimdevd-test"))
            os.ftruncate(fds[-1], PAGE)
            c.send(DMA_MAP, struct.pack("<IIQQQ", 32, 3, 0, (first + n) * PAGE, PAGE),
                   fds[-1:])
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
    if len(USERS) == 1:
        return ONE_USER
    most = max_map_count()
    if most > 1 << 18:
        return "vm.max_map_count is %d: it would take too long" % most
    with Server("--limit-files", "0", "--limit-user-files", "0") as s:
        os.chmod(s.folder, 0o755)
        taken, clients = [], []
        for uid in USERS:
            said = len(s.err)
            c = connect(s.path, uid)
            n, err, last = take_files(c, most)
            assert err == errno.ENFILE, (taken, n, err)
            s.expect("vm.max_map_count", since=said)
            taken.append(n)
            clients.append((c, last))
        # The first has half of three quarters, the next half of what is left, ...
        assert sum(taken) < most * 3 // 4, taken
        assert min(taken) >= most // 4 * 3 // 2 ** len(taken) - len(taken), taken
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


def thousand_descriptors():
    resource.setrlimit(resource.RLIMIT_NOFILE, (1000, 1000))


def test_descriptors_are_shared_by_users():
    if len(USERS) == 1:
        return ONE_USER
    with Server(preexec_fn=thousand_descriptors) as s:
        os.chmod(s.folder, 0o755)
        taken, clients = [], []
        for uid in USERS:
            before, said = len(clients), len(s.err)
            for n in range(1000):
                try:
                    clients.append(connect(s.path, uid, spim=n % 2 == 0))
                except (ConnectionError, BrokenPipeError, Refused):
                    break
            taken.append(len(clients) - before)
            s.expect("RLIMIT_NOFILE", since=said)
        assert s.fds() < 800, s.fds()
        victim, mem = attach(s.path, spim=True)
        round_trip(victim, mem)
        victim.close()
        for c in clients:
            c.close()
    return "of 1000: connections of each user: %s" % ", ".join(str(n) for n in taken)


def test_descriptors_in_unfinished_messages():
    """They count as well: who begins messages and never ends them leaves enough to others."""
    if len(USERS) == 1:
        return ONE_USER
    mem = Memory(PAGE)
    half = HDR.pack(1, DMA_MAP, HDR.size + 32, 0, 0)
    with Server(preexec_fn=thousand_descriptors) as s:
        os.chmod(s.folder, 0o755)
        clients = []
        for _ in range(150):
            try:
                c = connect(s.path, USERS[0])
            except (ConnectionError, BrokenPipeError):
                break
            c.sock.sendmsg([half], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                                     array.array("i", [mem.fd] * 16))])
            clients.append(c)
        assert len(clients) > 20, len(clients)
        s.expect("RLIMIT_NOFILE")
        assert s.fds() < 800, s.fds()
        victim, own = attach(s.path, spim=True)
        round_trip(victim, own)
        victim.close()
        # What was closed is told at the end of the message.
        refused = 0
        for c in clients:
            try:
                c.sock.sendall(bytes(32))
                refused += c.receive()[3] == errno.EMFILE
            except OSError:
                pass  # it was closed as its message had no end
            c.close()
        figure = "%d connections, %d of their messages refused" % (len(clients), refused)
    mem.close()
    return figure


def few_descriptors():
    resource.setrlimit(resource.RLIMIT_NOFILE, (400, 400))


def test_descriptors_that_nobody_takes():
    """Those of doorbells count as the service's until they are read: it has as many for others."""
    if len(USERS) == 1:
        return ONE_USER
    info = struct.pack("<IIIIQQ", 256, 0, DOORBELLS, 0, 0, 0)
    with Server(preexec_fn=few_descriptors) as s:
        os.chmod(s.folder, 0o755)
        before = s.fds()
        # Two that ask again and again, and read nothing.
        askers = []
        for _ in range(2):
            c = connect(s.path, USERS[0], spim=True)
            c.sock.settimeout(2)
            askers.append(c)
            try:
                for _ in range(1500):
                    c.send(GET_REGION_INFO, info)
            except OSError:
                pass  # it is full, or the service has ended it
        assert s.fds() <= before + 4, (s.fds(), before)
        for c in askers:
            c.close()
        # Who is thrown out has the descriptor still.
        thrown = []
        try:
            for _ in range(450):
                c = connect(s.path, USERS[0], spim=True)
                thrown.append(c)
                c.send(GET_REGION_INFO, info)
                c.sock.sendall(bytes(64))
        except (OSError, Refused):
            pass
        assert 50 < len(thrown) < 300, len(thrown)
        victim, mem = attach(s.path, spim=True)
        _, _, fds = victim.region_info(DOORBELLS)
        assert len(fds) == 1, fds
        os.close(fds[0])
        round_trip(victim, mem)
        # Whoever has read all, or is gone, has given it back.
        for n, c in enumerate(thrown):
            if n % 2 == 0:
                c.close()
        for c in thrown[1::2]:
            while True:
                try:
                    data, got, _, _ = socket.recv_fds(c.sock, 65536, 16)
                except OSError:
                    break
                for fd in got:
                    os.close(fd)
                if not data:
                    break
        victim.close()
        assert s.settle(s.fds, before) <= before, (s.fds(), before)
        connect(s.path, USERS[0], spim=True).close()
        for c in thrown[1::2]:
            c.close()
    return "%d connections of one user" % len(thrown)


# ---- What the default limits leave room for ----

def raise_descriptors(count):
    """At least so many descriptors for us, if we may. Returns how many."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(hard, count),) * 2)
        return max(hard, count)
    except (ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        return hard


def test_4096_processes_of_a_user():
    """Each as the C library has it: shadow doorbells, a file for its rings, and one for data."""
    # Half of three quarters are for one user, and each takes two: fewer where that is less.
    count = min(4096, raise_descriptors(24000) * 3 // 16 - 100) // 64 * 64
    if count < 2048:
        return "not shown: there are descriptors for %d" % count
    text = struct.pack("<HH", 0, 0) + b'{"capabilities":{"spim":{"version":1}}}\0'
    mem = Memory(16 * PAGE)
    with Server() as s:
        clients = []
        for _ in range(count // 64):
            some = [Client(s.path, negotiate=False) for _ in range(64)]
            for c in some:
                c.send(VERSION, text)
            # The answers of many at once: they do not wait for each other.
            for c in some:
                c.send(DMA_MAP, struct.pack("<IIQQQ", 32, 3, 0, mem.iova, mem.size), [mem.fd])
                own = os.memfd_create("spimdevd-test")
                os.ftruncate(own, PAGE)
                c.send(DMA_MAP, struct.pack("<IIQQQ", 32, 3, 0, 0, PAGE), [own])
                os.close(own)
            for c in some:
                errors = [c.receive()[3] for _ in range(3)]
                assert errors == [0, 0, 0], (len(clients), errors, s.log())
            clients += some
        used = s.fds()
        victim, own = attach(s.path, spim=True)
        round_trip(victim, own)
        victim.close()
        for c in clients:
            c.close()
    mem.close()
    return "%d connections, %d descriptors of the service" % (len(clients), used)


def test_32_gib_in_pages_of_2_mib():
    """A file for each, as EAL has it; the service keeps no descriptor of them."""
    with Server() as s:
        c = Client(s.path)
        before = s.fds()
        n, err, last = take_files(c, 16384)
        assert (n, err) == (16384, 0), (n, err)
        assert s.settle(s.fds, before) <= before, (s.fds(), before)
        # What is too much is refused; what was there stays.
        more, err, _ = take_files(c, 8192, 16384)
        assert (more, err) == (20480 - 16384, errno.EMFILE), (more, err)
        os.close(last)
        c.close()


if __name__ == "__main__":
    sys.exit(runner.main(sys.modules[__name__], "spimdevd budgets"))
