# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""spimctl with a service that says what is scripted: all of its output, byte by byte.

What it shall print is in spimctl_told.txt: a line "$ ARGUMENTS", then the output."""

import os
import shlex
import socket
import subprocess
import sys
import tempfile
import threading

import runner
from spimctl import FAILED, SPIMCTL

SERVICE = ("service version=9.8 pid=12 uptime_ms=9999 connections=3 accepted=40 refused=5 "
           "workers=4 workers_asleep=1 queues=6 queues_awake=2 queues_peak=7 queues_max=1024 "
           "ops=1000 bytes_in=123456 bytes_out=999 wakes=8 sleeps=9 later=1\n")
POINTS = ("point path=/a%20b mode=438 weight=3 reserve=2 draining=1 connections=2 accepted=30 "
          "refused=4 queues=5 queues_peak=6 queues_refused=1 ops=500 bytes_in=2048 "
          "bytes_out=1024 errors=3 status=14:2,255:1 wait=10:100 service=20:10\n"
          "point path=/b mode=384 weight=1 reserve=0 draining=0 connections=1 queues=1\n")
FIRST = ("client id=7 path=/a%20b pid=0 uid=1000 gid=100 age_ms=61000 negotiated=1 queues=2 "
         "streams=1 maps=3 files=4 mapped=1048576 messages=50 message_errors=6 irqs=7 resets=8 "
         "mailbox_errors=9 doorbells_dropped=10 ops=400 bytes_in=4096 bytes_out=100 errors=1 "
         "status=32:1 wait=0:1 service=12:4\n")
OTHERS = ("client id=8 path=/b pid=0 uid=0 gid=0 age_ms=5 negotiated=0 queues=0\n"
          "client id=9 path=/a%20b pid=0 uid=0 queues=1 age_ms=5 ops=10 bytes_in=9000 "
          "bytes_out=10\n")
QUEUES = ("queue number=0 live=1 asleep=0 waiting=3 inflight=2 ops=40 bytes_in=400 bytes_out=4 "
          "errors=1 wait=1:1 service=30:1\n"
          "queue number=5 live=1 asleep=1 ops=1\nqueue number=6 live=0 asleep=1\n")
ALL = SERVICE + POINTS + FIRST + OTHERS + "end\n"
FREE = SERVICE + POINTS.replace("queues=5", "queues=0") + "end\n"


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
    "list": [("clients", ALL)],
    "-j list": [("clients", ALL)],
    "show": [("points", SERVICE + POINTS + "end\n")],
    "show --json": [("points", SERVICE + POINTS + "end\n")],
    "show '/a b'": [("clients", ALL)],
    "show '/a b' --json": [("clients", ALL)],
    "show 7": [("client 7", SERVICE + POINTS + FIRST + QUEUES + "end\n")],
    "show 7 -j": [("client 7", SERVICE + POINTS + FIRST + QUEUES + "end\n")],
    "top -n1 -d0.1": [("clients", ALL.replace("pid=12", "pid=11")), ("clients", ALL)],
    "top -n1 -d0.1 -j": [("clients", ALL.replace("pid=12", "pid=11")), ("clients", ALL)],
    "drain '/a b'": [("drain /a%20b", SERVICE + POINTS + "end\n")],
    "drain '/a b' -j": [("drain /a%20b", SERVICE + POINTS + "end\n")],
    "drain --all": [("drain-all", SERVICE + POINTS + "end\n")],
    "undrain --all --json": [("undrain-all", SERVICE + POINTS + "end\n")],
    "undrain /b": [("undrain /b", SERVICE + POINTS + "end\n")],
    "drain '/a b' --wait 30": [("drain /a%20b", SERVICE + POINTS + "end\n"),
                               ("points", SERVICE + POINTS + "end\n"), ("points", FREE)],
    "drain /b -w0": [("drain /b", SERVICE + POINTS + "end\n")],
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
        assert asked == [a + "\n" for a, _ in answers], (args, asked)
        assert out == want[args], "%s:\n%s\nexpected\n%s" % (args, out, want[args])
        if args == "drain /b -w0":
            assert (status, err) == (
                FAILED, "spimctl: 1 queues are still in use after 0 seconds\n"), (status, err)
        else:
            assert (status, err) == (0, ""), (args, status, err)


def test_refusals():
    for answer, args, want in (
            ("error no connection has this number\n", ("show", "7"),
             "the service refuses: no connection has this number"),
            (SERVICE + "end\n", ("show", "7"), "connection 7 ended"),
            (SERVICE + FIRST + FIRST + "end\n", ("show", "7"), "connection 7 ended"),
            (SERVICE + POINTS + "end\n", ("show", "/a"), "no access point has the path '/a'"),
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
