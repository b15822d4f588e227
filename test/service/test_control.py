# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""The control socket of spimdevd: who may use it, and peers that misuse it."""

import json
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


# No requests: no JSON, none that is expected, or hostile.
REFUSED = (
    b"\n", b" \n", b"access_points\n", b"x\n", b"{\n", b"}\n", b"{}\n", b"[]\n", b"null\n", b"1\n",
    b'"access_points"\n', b'["access_points"]\n', b'{"command":"access_points"\n',
    b'{"command":"access_points"}}\n',
    b'{"command":"access_points"}{"command":"access_points"}\n', b'{"command":"access_points"} x\n',
    b'{"command":"access_points",}\n', b'{"command":}\n', b'{"command"}\n', b"{command:points}\n",
    b"{'command':'access_points'}\n", b'{"command":"clients\t"}\n',
    b'{"command":"client","id":NaN}\n', b'{"command":"access_points"/**/}\n',
    b'{"command":"access\\qpoints"}\n', b'{"command":"access_points\n"}\n',
    # Of a wrong type, too little, too much.
    b'{"command":1}\n', b'{"command":null}\n', b'{"command":["access_points"]}\n',
    b'{"command":{"command":"access_points"}}\n', b'{"command":true}\n', b'{"command":"list"}\n',
    b'{"command":""}\n', b'{"Command":"access_points"}\n', b'{"command":"ACCESS_POINTS"}\n',
    b'{"command":"access_points","id":1}\n', b'{"command":"access_points","path":"/x"}\n',
    b'{"command":"access_points","more":1}\n', b'{"command":"clients","":1}\n', b'{"path":"/x"}\n',
    b'{"command":"client"}\n', b'{"command":"client","path":"/x"}\n',
    b'{"command":"client","id":"1"}\n', b'{"command":"client","id":-1}\n',
    b'{"command":"client","id":1.0}\n', b'{"command":"client","id":1e0}\n',
    b'{"command":"client","id":1x}\n', b'{"command":"client","id":0x1}\n',
    b'{"command":"client","id":01}\n', b'{"command":"client","id":null}\n',
    b'{"command":"client","id":[1]}\n', b'{"command":"client","id":1,"path":"/x"}\n',
    b'{"command":"client","id":7}\n', b'{"command":"client","id":18446744073709551616}\n',
    b'{"command":"client","id":' + b"9" * 900 + b"}\n",
    b'{"command":"client","id":1e' + b"9" * 900 + b"}\n",
    b'{"command":"drain"}\n', b'{"command":"drain","path":1}\n', b'{"command":"drain","path":""}\n',
    b'{"command":"drain","path":["/x"]}\n', b'{"command":"drain","id":1}\n',
    b'{"command":"drain-all","path":"/x"}\n', b'{"command":"drain-all","path":null}\n',
    # A byte 0, as it is or escaped, ends nothing early.
    b'{"command":"drain-all"}\0\n', b'{"command":"drain-all\0"}\n',
    b'\0{"command":"access_points"}\n',
    b'{"command":"drain-all\\u0000"}\n', b'{"command":"drain","path":"/x\\u0000"}\n', b"\0\n",
    # Too deep, too long.
    b'{"command":{"a":{"b":1}}}\n', b'{"a":[[1]],"command":"access_points"}\n',
    b"[" * 1000 + b"\n", b'{"command":' * 90 + b"\n", b"A" * 1024, b"A" * 100000,
    b'{"command":"access_points"' + b" " * 1024 + b"}\n",
    b'{"command":"access_points","a":"' + b"x" * 2000000,
    # What is none of Unicode.
    b"\xff" * 100 + b"\n", b'{"command":"\xff\xfe"}\n', b'{"command":"\\ud800"}\n',
    b'{"command":"\\u12"}\n', b"%n%s%n\n", b'{"command":"%n%s%n"}\n',
)


def test_hostile_requests():
    with Server() as s, worker(s.path) as (_, work):
        fds = s.fds()
        for request in REFUSED:
            got = answer(s, request)
            assert got.endswith(b"\n") and got.count(b"\n") == 1, (request[:40], got)
            assert list(json.loads(got)) == ["error"], (request[:40], got)
        # A byte at a time is fine, and what is behind a request does not count.
        with raw(s) as sock:
            for byte in b'{"command": "access_points"}':
                sock.send(bytes([byte]))
            sock.send(b'\n{"command":"drain-all"}\n' * 100)  # at once: the answer closes
            assert sock.recv(11) == b'{"service":'
        assert not refused(s.path)
        assert work(3) == [0] * 3
        assert s.settle(s.fds, fds) <= fds


def test_paths_of_any_bytes():
    """Those that need escapes, and those that are no text at all."""
    for name in (b'a"b\\c%20', b"tab\tnew\nline\x01\x7f", "\u20ac".encode(),
                 b"\xff\xc3\x28", b"'{}"):
        with tempfile.TemporaryDirectory() as folder:
            path = os.fsencode(folder) + b"/" + name
            with Server("--listen", path, folder=folder) as s:
                done = subprocess.run([SPIMCTL, "-c", control(s), "-j", "drain", path],
                                      capture_output=True, timeout=20, check=True)
                point, = json.loads(done.stdout)["access_points"]
                assert point["draining"], point
                assert refused(path) and not refused(s.path)


def test_control_clients_that_stall_are_closed():
    with Server() as s, worker(s.path) as (_, work):
        others = [Client(s.path) for _ in range(800)]
        fds = s.fds()
        silent, slow, half = raw(s), raw(s), raw(s)
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        slow.sendall(b'{"command":"clients"}\n')  # and does not read
        half.sendall(b'{"command":"cli')
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
        assert not data.endswith(b'{"end":true}\n'), \
            "all of it fitted: the test needs more clients"
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
        assert json.loads(last) == {"error": "too many ask at the same time"}, last
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
