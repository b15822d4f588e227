# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""Starts and ends spimdevd, and looks into it from outside."""

import json
import os
import select
import signal
import socket
import subprocess
import tempfile
import time

from vfio_user import Client

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.environ.get("SPIMDEVD", os.path.join(TOP, "build", "app", "spimdevd"))
# Further arguments of every start: a sanitizer needs "--sandbox off".
EXTRA = os.environ.get("SPIMDEVD_ARGS", "").split()


def ask(control, command, kind, **argument):
    """What the control socket tells of this kind of things: a list of dicts."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(control)
        sock.sendall(json.dumps(dict(argument, command=command)).encode() + b"\n")
        # A path need not be text.
        with sock.makefile("r", encoding="utf-8", errors="surrogateescape", newline="\n") as f:
            lines = [json.loads(line) for line in f]
    assert lines[-1] == {"end": True}, lines[-1]
    return [line[kind] for line in lines if kind in line]


class Server:
    """A running service; a context manager that ends it."""

    def __init__(self, *args, listen="", folder=None, env=None, wait=True, program=PROGRAM,
                 **popen):
        self.own = tempfile.TemporaryDirectory(prefix="spimdevd-") if folder is None else None
        self.folder = folder or self.own.name
        self.path = os.path.join(self.folder, "zip")
        argv = [program, "--listen", self.path + listen, *EXTRA, *args]
        self.err = b""
        # pylint: disable=consider-using-with
        self.proc = subprocess.Popen(argv, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                                     env=dict(os.environ, **(env or {})), **popen)
        self.base = None
        if wait:
            self.expect("listening on")
            self.base = {"fds": self.fds(), "maps": 0, "connections": 0, "queues": 0}

    def read(self, timeout):
        """More of the log, if some comes in time. False at its end."""
        if not select.select([self.proc.stderr], [], [], timeout)[0]:
            return True
        part = os.read(self.proc.stderr.fileno(), 65536)
        self.err += part
        return part != b""

    def expect(self, text, timeout=30, since=0):
        """Waits until the log has this, behind so many bytes."""
        end = time.monotonic() + timeout
        more = True
        while text.encode() not in self.err[since:]:
            if not more or time.monotonic() > end:
                raise AssertionError("the log lacks '%s':\n%s" % (text, self.log()))
            more = self.read(0.2)

    def log(self):
        return self.err.decode(errors="replace")

    def end(self, sig=signal.SIGTERM, timeout=30):
        """Returns the exit status."""
        if self.proc.poll() is None:
            self.proc.send_signal(sig)
        end = time.monotonic() + timeout
        while self.read(0.2) and time.monotonic() < end:
            pass
        try:
            return self.proc.wait(timeout)
        except subprocess.TimeoutExpired:
            self.proc.kill()
            self.proc.wait()
            raise

    def __enter__(self):
        return self

    def given_back(self):
        """All that clients had is there again: asked after every test, whose clients end here."""
        Client.close_all(self.path)
        end = time.monotonic() + 30
        while (have := self.left()) != self.base and time.monotonic() < end:
            time.sleep(0.005)
        assert have == self.base, "left behind: %s; before: %s" % (have, self.base)

    def left(self):
        """What the service has, from outside and by its own account."""
        told = dict(self.base)
        if os.path.exists(self.path + ".control"):
            service, = ask(self.path + ".control", "access_points", kind="service")
            told = {key: service[key] for key in ("connections", "queues")}
        # After the session, whose descriptor is closed then.
        return dict(told, fds=self.settle(self.fds, self.base["fds"], 1), maps=self.maps())

    def __exit__(self, *exc):
        try:
            if exc[0] is None and self.base and self.proc.poll() is None:
                self.given_back()
            # Ended by the test itself, or now; a crash is neither.
            if self.proc.poll() is None:
                status = self.end()
                assert status == 0 or exc[0] is not None, \
                    "ended with status %d:\n%s" % (status, self.log())
            else:
                while self.read(0):
                    pass
        finally:
            self.proc.stderr.close()
            if self.own is not None:
                self.own.cleanup()

    def counter(self, name):
        """A counter of the access point, as the control socket tells it."""
        return ask(self.path + ".control", "access_points", kind="access_point")[0][name]

    # ---- From outside ----

    def status(self, key):
        """A number of /proc/PID/status, kB if it has a unit."""
        with open("/proc/%d/status" % self.proc.pid, encoding="ascii", errors="replace") as f:
            for line in f:
                if line.startswith(key + ":"):
                    return int(line.split()[1], 16 if key.startswith("Cap") else 10)
        raise KeyError(key)

    def words(self, key):
        """What /proc/PID/status has behind a key."""
        with open("/proc/%d/status" % self.proc.pid, encoding="ascii", errors="replace") as f:
            return next(line.split()[1:] for line in f if line.startswith(key + ":"))

    def fds(self):
        return len(os.listdir("/proc/%d/fd" % self.proc.pid))

    def kept_on_exec(self):
        """Descriptors that a program would have if the service executed one."""
        kept = []
        for fd in os.listdir("/proc/%d/fd" % self.proc.pid):
            try:
                with open("/proc/%d/fdinfo/%s" % (self.proc.pid, fd), encoding="ascii") as f:
                    flags = next(int(line.split()[1], 8) for line in f if line.startswith("flags"))
            except FileNotFoundError:
                continue  # closed meanwhile
            if not flags & os.O_CLOEXEC:
                kept.append(int(fd))
        return sorted(kept)

    def holdings(self):
        """What it has: descriptors, client memory, threads."""
        return {"fds": self.fds(), "maps": self.maps(), "threads": self.status("Threads")}

    def settle_to(self, want, timeout=30):
        """Waits until it has what it had, and nothing more; fewer threads may be left of it."""
        end = time.monotonic() + timeout

        def same():
            return have["threads"] <= want["threads"] and {**have, "threads": 0} == {
                **want, "threads": 0}

        while (have := self.holdings()) is not None and not same() and time.monotonic() < end:
            time.sleep(0.01)
        assert same(), "left behind: %s, before: %s" % (have, want)

    def maps(self):
        """Lines of /proc/PID/maps that are a client's memory."""
        with open("/proc/%d/maps" % self.proc.pid, encoding="utf-8") as f:
            return sum("memfd:spimdevd-test" in line for line in f)

    def cpu(self):
        """Seconds of CPU time so far."""
        with open("/proc/%d/stat" % self.proc.pid, encoding="ascii") as f:
            fields = f.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def settle(self, what, want, timeout=20):
        """Waits until what() is at most want; returns it."""
        end = time.monotonic() + timeout
        while (have := what()) > want and time.monotonic() < end:
            time.sleep(0.01)
        return have
