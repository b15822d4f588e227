# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""spimctl with a service that says what is scripted: all of its output, byte by byte.

What it shall print is in spimctl_told.txt: a line "$ ARGUMENTS", then the output."""

import json
import os
import shlex
import socket
import subprocess
import sys
import tempfile
import threading

import runner
from spimctl import FAILED, SPIMCTL


def line(kind, value=None, **members):
    return json.dumps({kind: members if value is None else value}) + "\n"


SERVICE = line("service", version="9.8", pid=12, uptime_ms=9999, connections=3, accepted=40,
               refused=5, workers=4, workers_asleep=1, queues=6, queues_awake=2, queues_peak=7,
               queues_max=1024, ops=1000, bytes_in=123456, bytes_out=999, wakes=8, sleeps=9,
               later=1)
POINTS = (line("access_point", path="/a b", mode="0666", weight=3, reserve=2, draining=True,
               connections=2, accepted=30, refused=4, queues=5, queues_peak=6, queues_refused=1,
               ops=500, bytes_in=2048, bytes_out=1024, errors=3,
               errors_by_cause={"output_full": 2, "other": 1}, wait=[0] * 10 + [100],
               service=[0] * 20 + [10]) +
          line("access_point", path="/b", mode="0600", weight=1, reserve=0, draining=False,
               connections=1, queues=1))
FIRST = line("client", id=7, path="/a b", pid=0, uid=1000, gid=100, age_ms=61000, negotiated=True,
             queues=2, streams=1, maps=3, files=4, mapped=1048576, messages=50, message_errors=6,
             irqs=7, resets=8, mailbox_errors=9, doorbells_dropped=10, ops=400, bytes_in=4096,
             bytes_out=100, errors=1, errors_by_cause={"bad_data": 1}, wait=[1],
             service=[0] * 12 + [4])
OTHERS = (line("client", id=8, path="/b", pid=0, uid=0, gid=0, age_ms=5, negotiated=False,
               queues=0) +
          line("client", id=9, path="/a b", pid=0, uid=0, queues=1, age_ms=5, ops=10,
               bytes_in=9000, bytes_out=10))
QUEUES = (line("queue", number=0, live=True, asleep=False, waiting=3, inflight=2, ops=40,
               bytes_in=400, bytes_out=4, errors=1, wait=[0, 1], service=[0] * 30 + [1]) +
          line("queue", number=5, live=True, asleep=True, ops=1) +
          line("queue", number=6, live=False, asleep=True))
END = line("end", True)
POINTS_ONLY = SERVICE + POINTS + END
ALL = SERVICE + POINTS + FIRST + OTHERS + END
OTHER = ALL.replace('"pid": 12', '"pid": 11')
FREE = SERVICE + POINTS.replace('"queues": 5', '"queues": 0') + END


def ask(answers, *args):
    """(requests, status, standard output, standard error) of a run with these answers."""
    with tempfile.TemporaryDirectory() as folder, \
            socket.socket(socket.AF_UNIX) as listener:
        listener.bind(folder + "/c")
        listener.listen()
        asked = []

        def serve():
            for answer in answers:
                conn, _ = listener.accept()
                with conn:
                    asked.append(conn.recv(4096).decode())
                    conn.sendall(answer.encode())

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        done = subprocess.run([SPIMCTL, "-c", folder + "/c", *args], capture_output=True,
                              text=True, timeout=30, check=False)
        thread.join(10)
        return asked, done.returncode, done.stdout, done.stderr


# By arguments: what is asked, and what is answered each time. Of another service, all that it
# did is since it began: with that, rates are the same in each run.
ANSWERS = {
    "list": [({"command": "clients"}, ALL)],
    "-j list": [({"command": "clients"}, ALL)],
    "show": [({"command": "access_points"}, POINTS_ONLY)],
    "show --json": [({"command": "access_points"}, POINTS_ONLY)],
    "show '/a b'": [({"command": "clients"}, ALL)],
    "show '/a b' --json": [({"command": "clients"}, ALL)],
    "show 7": [({"command": "client", "id": 7}, SERVICE + POINTS + FIRST + QUEUES + END)],
    "show 7 -j": [({"command": "client", "id": 7}, SERVICE + POINTS + FIRST + QUEUES + END)],
    "top -n1 -d0.1": [({"command": "clients"}, OTHER), ({"command": "clients"}, ALL)],
    "top -n1 -d0.1 -j": [({"command": "clients"}, OTHER), ({"command": "clients"}, ALL)],
    "drain '/a b'": [({"command": "drain", "path": "/a b"}, POINTS_ONLY)],
    "drain '/a b' -j": [({"command": "drain", "path": "/a b"}, POINTS_ONLY)],
    "drain --all": [({"command": "drain-all"}, POINTS_ONLY)],
    "undrain --all --json": [({"command": "undrain-all"}, POINTS_ONLY)],
    "undrain /b": [({"command": "undrain", "path": "/b"}, POINTS_ONLY)],
    "drain '/a b' --wait 30": [({"command": "drain", "path": "/a b"}, POINTS_ONLY),
                               ({"command": "access_points"}, POINTS_ONLY),
                               ({"command": "access_points"}, FREE)],
    "drain /b -w0": [({"command": "drain", "path": "/b"}, POINTS_ONLY)],
}


def expected():
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "spimctl_told.txt"),
              encoding="ascii") as f:
        parts = f.read().split("$ ")[1:]
    return {args: out for args, _, out in (part.partition("\n") for part in parts)}


def test_all_output():
    want = expected()
    assert set(want) == set(ANSWERS)
    for args, answers in ANSWERS.items():
        asked, status, out, err = ask([a for _, a in answers], *shlex.split(args))
        assert all(a.endswith("\n") for a in asked), (args, asked)
        assert [json.loads(a) for a in asked] == [a for a, _ in answers], (args, asked)
        assert out == want[args], "%s:\n%s\nexpected\n%s" % (args, out, want[args])
        if args == "drain /b -w0":
            assert (status, err) == (
                FAILED, "spimctl: 1 queues are still in use after 0 seconds\n"), (status, err)
        else:
            assert (status, err) == (0, ""), (args, status, err)


def test_refusals():
    for answer, args, want in (
            (line("error", "no connection has this number"), ("show", "7"),
             "the service refuses: no connection has this number"),
            (SERVICE + END, ("show", "7"), "connection 7 ended"),
            (SERVICE + FIRST + FIRST + END, ("show", "7"), "connection 7 ended"),
            (SERVICE + POINTS + END, ("show", "/a"), "no access point has the path '/a'"),
            (SERVICE + POINTS, ("list",),
             "the answer is not complete: the service ended, or is none"),
            ("x" * 40000, ("list",),
             "the answer is not complete: the service ended, or is none")):
        _, status, out, err = ask([answer], *args)
        assert (status, out, err) == (FAILED, "", "spimctl: %s\n" % want), (args, status, err)


def test_a_path_that_no_request_holds():
    _, status, out, err = ask([], "drain", "/" + " " * 1000)
    assert (status, out, err) == \
        (FAILED, "", "spimctl: no access point has so long a path\n"), (status, err)


def test_standard_output_that_is_full():
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener, \
            open("/dev/full", "wb") as full:
        listener.bind(folder + "/c")
        listener.listen()
        with subprocess.Popen([SPIMCTL, "-c", folder + "/c", "list"], stdout=full,
                              stderr=subprocess.PIPE) as p:
            conn, _ = listener.accept()
            with conn:
                conn.recv(100)
                conn.sendall(ALL.encode())
            _, err = p.communicate(timeout=30)
        assert (p.returncode, err) == \
            (FAILED, b"spimctl: standard output: No space left on device\n"), (p.returncode, err)


if __name__ == "__main__":
    sys.exit(runner.main(sys.modules[__name__], "spimctl"))
