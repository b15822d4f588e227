# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""The control socket of spimdevd: who may use it, and peers that misuse it."""

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time

import runner
from server import PROGRAM, Server
from spimctl import (FAILED, SPIMCTL, USAGE, control, good, good_json, refused, spimctl, worker)
from vfio_user import Client

NOBODY = 65534


def test_where_the_control_socket_is():
    with Server() as s:
        assert stat.S_IMODE(os.stat(control(s)).st_mode) == 0o600
    with tempfile.TemporaryDirectory() as folder:
        with Server("--control", folder + "/here,mode=0660", folder=folder) as s:
            assert stat.S_IMODE(os.stat(folder + "/here").st_mode) == 0o660
            assert spimctl(folder + "/here", "list")[0] == 0
            assert sorted(os.listdir(folder)) == ["here", "zip"], os.listdir(folder)
        with Server("--control", "none", folder=folder) as s:
            assert os.listdir(folder) == ["zip"], os.listdir(folder)
        assert os.listdir(folder) == []


def test_wrong_control_options():
    with tempfile.TemporaryDirectory() as folder:
        a = folder + "/a"
        for args, want in ((["--control", "/c,mode=9"], "--control mode='9'"),
                           (["--control", "/c,weight=1"], "--control weight="),
                           (["--control", ",mode=1"], "--control without a path"),
                           (["--control", "/" + "x" * 120], "--control '/xxx"),
                           (["--control", a], "is the path of an access point"),
                           (["--listen", a + "x" * (105 - len(a))], None)):
            listen = [] if want is None else ["--listen", a]
            done = subprocess.run([PROGRAM, *listen, *args], capture_output=True, text=True,
                                  timeout=20, check=False)
            assert done.returncode == USAGE, (args, done)
            assert (want or "expected --control") in done.stderr, (args, done.stderr)


def test_permissions():
    def open_to_others(folder):
        os.chmod(folder, 0o755)

    # Programs where anybody can run them.
    with tempfile.TemporaryDirectory() as folder:
        open_to_others(folder)
        copy = shutil.copy(SPIMCTL, folder + "/spimctl")

        def as_nobody(path, *args):
            done = subprocess.run([copy, "-c", path, *args], capture_output=True, text=True,
                                  timeout=20, check=False, user=NOBODY, group=NOBODY,
                                  extra_groups=[])
            return done.returncode, done.stdout + done.stderr

        with Server() as s:
            open_to_others(s.folder)
            status, text = as_nobody(control(s), "list")
            assert status == FAILED and "Permission denied" in text, text
        with tempfile.TemporaryDirectory() as place:
            open_to_others(place)
            path = place + "/control"
            with Server("--control", path + ",mode=0666") as s:
                status, text = as_nobody(path, "list")
                assert status == 0, text
                for args in ("drain", s.path), ("drain", "-a"), ("undrain", s.path):
                    status, text = as_nobody(path, *args)
                    assert status == FAILED and "only root and the user" in text, text
                assert not refused(s.path)
        # Of a service that runs as nobody: it may itself, and so may root.
        with tempfile.TemporaryDirectory() as place:
            os.chown(place, NOBODY, NOBODY)
            with Server("--run-as", "nobody", folder=place) as s:
                st = os.stat(control(s))
                assert (st.st_uid, stat.S_IMODE(st.st_mode)) == (NOBODY, 0o600)
                assert as_nobody(control(s), "drain", s.path)[0] == 0
                assert as_nobody(control(s), "undrain", s.path)[0] == 0
                good(s, "list")


def raw(s):
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(20)
    sock.connect(control(s))
    return sock


def answer(s, request):
    with raw(s) as sock:
        try:
            sock.sendall(request)
        except (BrokenPipeError, ConnectionResetError):
            pass  # answered, and closed, before its end
        out = b""
        while True:
            try:
                part = sock.recv(65536)
            except ConnectionResetError:
                return out
            if not part:
                return out
            out += part


def test_hostile_requests():
    with Server() as s, worker(s.path) as (_, work):
        fds = s.fds()
        for request in (b"\n", b" \n", b"x\n", b"list\n", b"points \n", b"clients x\n",
                        b"client\n", b"client \n", b"client -1\n", b"client 1x\n",
                        b"client 99999999999999999999999\n", b"client 7 7\n", b"drain\n",
                        b"drain \n", b"drain %\n", b"drain %4\n", b"drain %zz\n",
                        b"drain %00\n", b"drain /a\0b\n", b"points\0\n", b"\xff" * 100 + b"\n",
                        b"drain-all x\n", b"A" * 512, b"A" * 100000, b"%n%s%n\n"):
            got = answer(s, request)
            assert got.startswith(b"error ") and got.endswith(b"\n"), (request[:20], got)
            assert got.count(b"\n") == 1, got
        # A byte at a time is fine, and what is behind a request does not count.
        with raw(s) as sock:
            for byte in b"points":
                sock.send(bytes([byte]))
            sock.send(b"\ndrain-all\n")  # at once: the answer closes
            assert sock.recv(7) == b"service"
        assert not refused(s.path)
        assert work(3) == [0] * 3
        assert s.settle(s.fds, fds) <= fds


def test_control_clients_that_stall_are_closed():
    with Server() as s, worker(s.path) as (_, work):
        others = [Client(s.path) for _ in range(800)]
        fds = s.fds()
        silent, slow, half = raw(s), raw(s), raw(s)
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        slow.sendall(b"clients\n")  # and does not read
        half.sendall(b"clien")
        start = time.monotonic()
        while time.monotonic() - start < 2:
            assert work(1) == [0]
            good(s, "show")
        for sock in silent, half:
            assert sock.recv(1) == b"", "not closed"
        assert s.settle(s.fds, fds) <= fds
        s.expect("does not read its answer")
        s.expect("does not end its request")
        data = b""
        while part := slow.recv(65536):
            data += part
        assert not data.endswith(b"\nend\n"), "all of it fitted: the test needs more clients"
        assert 4 < time.monotonic() - start < 30
        before = s.cpu()
        time.sleep(1)
        assert s.cpu() - before < 0.1, "the service does not sleep"
        for sock in silent, slow, half, *others:
            sock.close()


def test_more_control_clients_than_there_is_room_for():
    with Server() as s, worker(s.path) as (_, work):
        fds = s.fds()
        many = [raw(s) for _ in range(40)]
        last = many[-1].recv(100)
        assert last == b"error too many ask at the same time\n", last
        assert s.settle(s.fds, fds + 16) <= fds + 16
        status, _, err = spimctl(control(s), "list")
        assert status == FAILED and "too many" in err, err
        assert work(2) == [0] * 2
        for sock in many:
            sock.close()
        assert s.settle(s.fds, fds) <= fds
        good(s, "list")


def test_strangers_leave_room():
    with tempfile.TemporaryDirectory() as place:
        os.chmod(place, 0o755)
        path = place + "/control"
        with Server("--control", path + ",mode=0666") as s:
            pid = os.fork()
            if pid == 0:
                os.setresgid(NOBODY, NOBODY, NOBODY)
                os.setresuid(NOBODY, NOBODY, NOBODY)
                socks = [socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) for _ in range(16)]
                for sock in socks:
                    sock.connect(path)
                time.sleep(60)
                os._exit(0)
            time.sleep(0.5)
            assert spimctl(path, "list")[0] == 0
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def test_clients_come_and_go_while_they_are_told():
    with Server() as s:
        stay = [Client(s.path) for _ in range(200)]
        stop = threading.Event()

        def storm():
            while not stop.is_set():
                some = [Client(s.path) for _ in range(20)]
                for c in some:
                    c.close()

        threads = [threading.Thread(target=storm) for _ in range(2)]
        for t in threads:
            t.start()
        for _ in range(20):
            told = good_json(s, "list")["clients"]
            assert len(told) >= 200 and len({c["id"] for c in told}) == len(told)
        stop.set()
        for t in threads:
            t.join()
        # One that goes while it is told of.
        told = good_json(s, "list")["clients"]
        for c in stay:
            c.close()
        status, _, err = spimctl(control(s), "show", str(told[0]["id"]))
        assert status in (0, FAILED), (status, err)


if __name__ == "__main__":
    sys.exit(runner.main(sys.modules[__name__], "control socket"))
