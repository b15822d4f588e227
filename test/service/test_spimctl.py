# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""spimctl: what it tells, drains and refuses."""

import json
import os
import pty
import re
import select
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter

import runner
from server import TOP, Server, ask
from spimctl import (FAILED, SIZE, SPIMCTL, USAGE, busy, control, good, good_json, ordered,
                     refused, spimctl, worker)
from vfio_user import COMPRESS, MB_NO_QUEUE, MB_STOP_QP, Client, Memory, Queue

COMPLETION = os.path.join(TOP, "app", "completion", "spimdev.bash")
SPIMGZ = os.path.join(TOP, "build", "app", "spimgz")


# ---- What is told ----

def test_list():
    with Server(listen=",weight=3,reserve=2") as s, worker(s.path) as (_, work):
        idle = Client(s.path)
        assert work(10) == [0] * 10
        told = good_json(s, "list")
        assert told["service"]["pid"] == s.proc.pid
        assert (told["service"]["connections"], told["service"]["queues"]) == (2, 1)
        point, = told["access_points"]
        assert (point["path"], point["mode"], point["draining"]) == (s.path, "0666", False), point
        assert (point["weight"], point["reserve"], point["connections"]) == (3, 2, 2), point
        first, second = told["clients"]
        assert first["id"] < second["id"]
        for c in first, second:
            assert (c["pid"], c["uid"], c["path"]) == (os.getpid(), os.getuid(), s.path), c
            assert c["command"] == open("/proc/self/comm", encoding="ascii").read().strip(), c
        assert (first["ops"], first["bytes_in"], first["queues"]) == (10, 10 * SIZE, 1), first
        assert 0 < first["bytes_out"] < 10 * SIZE and first["maps"] == 1, first
        assert first["service"]["samples"] == 10 and ordered(first["service"]), first
        assert 0 < first["wait"]["samples"] <= 10 and ordered(first["wait"]), first
        assert (second["ops"], second["queues"]) == (0, 0), second
        assert second["service"] == {"samples": 0, "p50_us": None, "p90_us": None,
                                     "p99_us": None}, second
        assert (point["ops"], point["bytes_in"]) == (10, 10 * SIZE), point

        lines = good(s, "list").splitlines()
        row = [line.split() for line in lines if line.split()[4:5] == [str(first["id"])]]
        assert len(row) == 1 and row[0][1] == str(os.getpid()), lines
        assert row[0][6] == "10" and row[0][3] == s.path, row
        assert any(line.split()[:2] == [s.path, "open"] for line in lines), lines
        idle.close()


def test_show():
    with Server() as s, worker(s.path) as (_, work):
        work(3)
        assert set(work(2, room=64)) == {0x0e}
        service = good_json(s, "show")["service"]
        assert (service["ops"], service["accepted"]) == (5, 1), service
        assert re.search(r"^queues_max +1024$", good(s, "show"), re.M)

        point = good_json(s, "show", s.path)
        client, = point["clients"]
        assert point["access_point"]["errors_by_cause"] == {"output_full": 2}, point
        text = good(s, "show", s.path)
        assert re.search(r"^errors +2\n  output_full +2$", text, re.M), text

        told = good_json(s, "show", str(client["id"]))
        assert told["client"]["errors"] == 2, told
        assert told["client"]["errors_by_cause"] == {"output_full": 2}, told
        queue, = told["queues"]
        assert (queue["number"], queue["live"], queue["ops"]) == (0, True, 5), queue
        assert queue["service"]["samples"] == 5 and ordered(queue["service"]), queue
        text = good(s, "show", str(client["id"]))
        assert re.search(r"^command +\S+$", text, re.M) and "QUEUE STATE" in text, text

        status, out, err = spimctl(control(s), "show", "999")
        assert (status, out) == (FAILED, "") and "no connection has this number" in err, err
        status, out, err = spimctl(control(s), "show", "/not/there")
        assert (status, out) == (FAILED, "") and "/not/there" in err, err


def histograms(s, kind):
    """Wait and service times of the first of a kind."""
    told = ask(control(s), "clients", kind)[0]
    return [Counter({i: n for i, n in enumerate(told[key]) if n}) for key in ("wait", "service")]


def test_counters_of_clients_that_ended_stay_with_the_access_point():
    with Server() as s:
        wait, service = Counter(), Counter()
        for _ in range(3):
            with worker(s.path) as (c, work):
                work(4)
                work(2, room=64)
                # The last one may be counted after it was seen to be done.
                end = time.monotonic() + 10
                while sum((more := histograms(s, "client"))[1].values()) < 6:
                    assert time.monotonic() < end, more
                wait, service = wait + more[0], service + more[1]
                c.close()
            end = time.monotonic() + 10
            while good_json(s, "list")["clients"]:
                assert time.monotonic() < end
        assert histograms(s, "access_point") == [wait, service]
        assert sum(wait.values()) > 0 and sum(service.values()) == 18, (wait, service)
        end = time.monotonic() + 10
        while (point := good_json(s, "list")["access_points"][0])["connections"]:
            assert time.monotonic() < end, point
        assert (point["ops"], point["accepted"]) == (18, 3), point
        assert point["bytes_in"] >= 12 * SIZE and point["errors"] == 6, point
        assert point["service"]["samples"] == 18, point
        # Who submits one at a time need not have waited for each.
        assert 0 < point["wait"]["samples"] <= 18, point
        point = good_json(s, "show", s.path)["access_point"]
        assert point["errors_by_cause"] == {"output_full": 6}, point


def test_queues_in_all_their_states():
    with Server() as s, worker(s.path) as (c, work):
        work(3)
        number = ask(control(s), "clients", "client")[0]["id"]

        def queues():
            return ask(control(s), "client", "queue", id=number)

        end = time.monotonic() + 20
        while (queue := queues()[0])["ops"] != 3:
            assert time.monotonic() < end, queue
        # No shadow doorbells: nothing can wake it but a doorbell, and nothing waits.
        assert (queue["number"], queue["live"], queue["waiting"], queue["inflight"]) == (
            0, True, 0, 0), queue
        assert c.mailbox(MB_STOP_QP, 0)[0] == 0
        c.reset()
        for kind in "access_point", "service":
            told, = ask(control(s), "access_points", kind)
            assert (told["queues"], told["queues_peak"]) == (0, 1), told
        # One that was in use is told of, with what it has done.
        queue, = queues()
        assert (queue["number"], queue["live"], queue["ops"]) == (0, False, 3), queue


def test_many_clients_are_all_told():
    with Server() as s:
        clients = [Client(s.path) for _ in range(500)]
        told = good_json(s, "list")["clients"]
        assert len(told) == len({c["id"] for c in told}) == 500, len(told)
        assert [c["id"] for c in told] == sorted(c["id"] for c in told)
        for c in clients:
            c.close()


def test_spimgz_is_a_client():
    with Server() as s, tempfile.NamedTemporaryFile() as f:
        f.write(os.urandom(1 << 16) * 512)
        f.flush()
        with open(os.devnull, "wb") as null, subprocess.Popen(
                [SPIMGZ, "-9", "-q", "-c", "-s", "unix:" + s.path, f.name], stdout=null) as p:
            seen = None
            while p.poll() is None:
                for c in good_json(s, "list")["clients"]:
                    if c["command"] == "spimgz" and c["ops"]:
                        seen = c
            assert p.returncode == 0
        assert seen is not None and seen["pid"] == p.pid, seen
        assert good_json(s, "list")["access_points"][0]["bytes_in"] >= 1 << 25


def test_a_process_that_is_gone_has_no_command():
    with Server() as s:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        pid = os.fork()
        if pid == 0:
            sock.connect(s.path)  # and we hold it, too
            os._exit(0)
        os.waitpid(pid, 0)
        client, = good_json(s, "list")["clients"]
        assert (client["pid"], client["command"]) == (pid, "-"), client
        sock.close()


# ---- top ----

def test_top_tells_rates():
    with Server() as s, worker(s.path) as (c, work), busy(work):
        idle = Client(s.path)
        lines = good(s, "--json", "top", "-n", "2", "-d", "0.5").splitlines()
        assert len(lines) == 2, lines
        for view in map(json.loads, lines):
            row, = view["clients"]
            assert 0.4 < view["seconds"] < 10 and view["idle"] == 1, view
            assert row["bytes_in_per_s"] > 0 and row["pid"] == os.getpid(), row
            ratio = row["bytes_in_per_s"] / row["ops_per_s"]
            assert SIZE * 0.9 < ratio < SIZE * 1.1, row
            assert row["service"]["samples"] > 0 and ordered(row["service"]), row
            point, = view["access_points"]
            assert (point["path"], point["connections"]) == (s.path, 2), point
        text = good(s, "top", "-n", "3", "-d", "0.2")
        assert text.count("spimdevd pid %d" % s.proc.pid) == 3 and "\033" not in text, text
        assert text.count("ACCESS POINT") == 6 and "1 of them idle" in text, text
        idle.close()
        return "%.0f ops/s, service p50 %.0f us" % (row["ops_per_s"], row["service"]["p50_us"])


def test_top_has_the_busiest_first():
    with Server("--workers", "2") as s, worker(s.path) as (_, little), \
            worker(s.path) as (_, much):
        with subprocess.Popen([SPIMCTL, "-j", "-c", control(s), "top", "-d", "0.3"],
                              stdout=subprocess.PIPE) as p:
            first = [row["id"] for row in json.loads(p.stdout.readline())["clients"]]
            assert first == [1, 2], first
            much(20)
            little(1)
            for _ in range(20):
                rows = json.loads(p.stdout.readline())["clients"]
                done = [row["bytes_in_per_s"] + row["bytes_out_per_s"] for row in rows]
                assert done == sorted(done, reverse=True), rows
                if rows[0]["id"] == 2:
                    break
            else:
                raise AssertionError("the busier client was never first")
            p.kill()


def test_top_on_a_terminal():
    with Server() as s, worker(s.path) as (_, work):
        work(1)
        pid, fd = pty.fork()
        if pid == 0:
            os.execv(SPIMCTL, [SPIMCTL, "-c", control(s), "top", "-n", "2", "-d", "0.2"])
        out = b""
        while select.select([fd], [], [], 20)[0]:
            try:
                part = os.read(fd, 65536)
            except OSError:  # the other end is closed
                break
            out += part
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, out
        os.close(fd)
        assert out.count(b"\033[H") == out.count(b"\033[J") == 2, out
        assert all(len(re.sub(rb"\033\[.", b"", line)) <= 81 for line in out.split(b"\n")), out


def test_top_when_the_service_dies():
    with Server() as s:
        with subprocess.Popen([SPIMCTL, "-c", control(s), "top", "-d", "0.2"], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
            assert p.stdout.readline().startswith("spimdevd pid")
            s.proc.kill()
            _, err = p.communicate(timeout=20)
        assert p.returncode == FAILED, err
        # Between two looks, or in one.
        assert "no service listens there" in err or "the service ended" in err, err


def test_top_when_the_service_is_started_anew():
    with tempfile.TemporaryDirectory() as folder:
        with Server(folder=folder) as s:
            # pylint: disable=consider-using-with
            p = subprocess.Popen([SPIMCTL, "-j", "-c", control(s), "top", "-n", "2", "-d", "4"],
                                 text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            first = json.loads(p.stdout.readline())
            s.proc.kill()
            s.proc.wait()
        with Server(folder=folder) as s, worker(s.path) as (_, work):
            work(3)
            out, err = p.communicate(timeout=30)
            second = json.loads(out)
            assert p.returncode == 0, err
            assert first["service"]["pid"] != second["service"]["pid"] == s.proc.pid
            # One decimal of a rate.
        assert second["clients"][0]["ops_per_s"] * second["seconds"] > \
            2.9 - second["seconds"] / 20, second


# ---- drain ----

def test_drain_and_undrain():
    with tempfile.TemporaryDirectory() as folder:
        other = folder + "/other path"
        with Server("--listen", other, folder=folder) as s, worker(s.path) as (c, work):
            told = good_json(s, "drain", s.path)["access_points"]
            assert told == [{"path": s.path, "draining": True, "connections": 1, "queues": 1}]
            assert refused(s.path)
            Client(other).close()
            # What there is goes on, and a queue that was given back is gone.
            assert work(5) == [0] * 5
            mem = Memory(1 << 16, iova=1 << 40)
            c.dma_map(mem.fd, mem.size, mem.iova)
            assert Queue(c, mem, 1, COMPRESS).status == MB_NO_QUEUE
            status, _, err = spimctl(control(s), "drain", s.path, "--wait", "0.3")
            assert status == FAILED and "1 queues are still in use" in err, (status, err)
            c.reset()
            out = good(s, "drain", s.path, "--wait", "10")
            assert out == "%s: draining, 1 clients, 0 queues in use\n" % s.path, out
            assert " draining " in good(s, "list") and " draining " in good(s, "top", "-n1")
            point = good_json(s, "show", s.path)["access_point"]
            assert point["draining"] and point["refused"] == 1, point
            assert point["queues_refused"] >= 1, point

            assert good(s, "undrain", s.path) == "%s: open, 1 clients, 0 queues in use\n" % s.path
            assert Queue(c, mem, 1, COMPRESS).status == 0
            assert not refused(s.path)

            assert good(s, "drain", "--all").count(": draining") == 2
            assert refused(s.path) and refused(other)
            good(s, "undrain", other)
            assert refused(s.path) and not refused(other)
            told = good_json(s, "undrain", "--all")["access_points"]
            assert [p["draining"] for p in told] == [False, False], told
            assert not refused(s.path)
            status, _, err = spimctl(control(s), "drain", "/not/there")
            assert status == FAILED and "no access point has this path" in err, err
            s.expect("%s: drains, by pid" % s.path)
            s.expect("%s: is open again, by pid" % s.path)
            mem.close()


# ---- Wrong use ----

def test_bash_completes():
    with Server() as s:
        def words(*typed):
            script = ('. "$1"; spimctl() { "$2" -c "$3" "$@"; }; shift 3; COMP_WORDS=("$@"); '
                      'COMP_CWORD=$(($# - 1)); _spimdev "$1"; printf "%s\\n" "${COMPREPLY[@]}"')
            script = script.replace('"$2" -c "$3"', "%s -c %s" % (SPIMCTL, control(s)))
            done = subprocess.run(["bash", "-c", script, "bash", COMPLETION, "", "", *typed],
                                  capture_output=True, text=True, timeout=60, check=True)
            assert done.stderr == "", done.stderr
            return done.stdout.split()

        assert words("spimctl", "dr") == ["drain"], words("spimctl", "dr")
        assert words("spimctl", "") == ["list", "show", "top", "drain", "undrain"]
        assert words("spimctl", "--js") == ["--json"], words("spimctl", "--js")
        assert words("spimctl", "drain", "") == [s.path], words("spimctl", "drain", "")
        assert words("spimctl", "-n", "") == []


def test_wrong_usage():
    for args, want in (
            ("", "Usage:"),
            ("lsit", "'lsit'"),
            ("list more", "'more'"),
            ("show a b", "'b'"),
            ("drain", "expected the path of an access point"),
            ("undrain", "expected the path of an access point"),
            ("drain /a /b", "'/b'"),
            ("drain --all /b", "'/b'"),
            ("list --all", "--all with 'list'"),
            ("undrain /a --wait 1", "--wait with 'undrain'"),
            ("drain /a --wait soon", "--wait 'soon'"),
            ("list -n 1", "with 'list'"),
            ("top -d 0", "--delay '0'"),
            ("top -d nan", "--delay 'nan'"),
            ("top -n -1", "--count '-1'"),
            ("top -n 1x", "--count '1x'"),
            ("list --color", "--color"),
            ("list --control", "--control")):
        done = subprocess.run([SPIMCTL, *args.split()], capture_output=True, text=True,
                              timeout=20, check=False)
        assert done.returncode == USAGE and done.stdout == "", (args, done)
        assert want in done.stderr, (args, done.stderr)


def test_limits_of_seconds():
    """What may be is tried; there is nobody to ask."""
    with tempfile.TemporaryDirectory() as folder:
        for option, text, status in (
                ("-d", "0.1", FAILED), ("-d", "3600", FAILED), ("-d", "0.0999", USAGE),
                ("-d", "3600.1", USAGE), ("-d", "1x", USAGE), ("-d", "", USAGE),
                ("--wait", "0", FAILED), ("--wait", "3600", FAILED), ("--wait", "-0.1", USAGE),
                ("--wait", "3600.1", USAGE)):
            command = ["top"] if option == "-d" else ["drain", "/a"]
            got, out, err = spimctl(folder + "/none", *command, option, text)
            assert (got, out) == (status, ""), (option, text, got, out, err)


def test_help_and_version():
    for args, want in ("--help", "undrain PATH"), ("--version", "spimctl "):
        done = subprocess.run([SPIMCTL, args], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "") and want in done.stdout, done


def test_no_service():
    with tempfile.TemporaryDirectory() as folder:
        for args in ["list"], ["show"], ["show", "1"], ["top"], ["drain", "/a"], ["undrain", "-a"]:
            status, out, err = spimctl(folder + "/none", *args)
            assert (status, out) == (FAILED, ""), (args, status, out)
            assert err == "spimctl: %s/none: no service listens there\n" % folder, err
        status, _, err = spimctl("x" * 200, "list")
        assert status == FAILED and "200 bytes" in err, err


def test_a_service_that_is_none():
    """What answers something else, half an answer, or nothing."""
    for answer, want in ((b"", "not complete"), (b"HTTP/1.1 400\r\n\r\n", "not complete"),
                         (b'{"service":{"pid":1}}\n{"end":tru', "not complete"),
                         (b'{"client":{"wait":[1,"zz"]}}\n{"end":true}\n', "not complete"),
                         (b'{"client":{"id":1e99}}\n{"end":true}\n', "not complete"),
                         (b'{"error":"\\u001b[2J no"}\n', "no"),
                         (b'{"error":"' + b"x" * 1000 + b'"}\n', "not complete"),
                         (b'{"client":' * 3000 + b"\n", "not complete"),
                         (b"[" * 40000 + b"\n", "not complete"),
                         (b'{"client":{"path":"' + b"x" * 100000, "not complete")):
        with tempfile.TemporaryDirectory() as folder:
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            listener.bind(folder + "/c")
            listener.listen()

            def serve(listener=listener, answer=answer):
                peer, _ = listener.accept()
                peer.recv(100)
                try:
                    peer.sendall(answer)
                except OSError:
                    pass
                peer.close()

            thread = threading.Thread(target=serve)
            thread.start()
            status, out, err = spimctl(folder + "/c", "list")
            thread.join()
            assert (status, out) == (FAILED, "") and want in err, (answer[:50], status, err)
            assert "\x1b" not in err, err
            listener.close()


if __name__ == "__main__":
    sys.exit(runner.main(sys.modules[__name__], "spimctl"))
