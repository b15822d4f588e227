# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""spimdevd from outside: command line, start, end, what it gives up."""
# not sanitized: the runtimes need what the service gives up

import os
import pwd
import resource
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile

import runner
from server import EXTRA, PROGRAM, Server
from vfio_user import CONFIG, Client

USAGE, FAILED = 2, 1

# Arguments, and what the line must name.
WRONG = (
    ("", "--listen is missing"),
    ("--listen", "--listen without a value"),
    ("--listen ,weight=1", "--listen without a path"),
    ("--listen /%s" % ("x" * 120), "--listen '/xxx"),
    ("--listen F/a --listen F/a", "--listen 'F/a' given twice"),
    ("--listen F/a,weight", "--listen 'F/a': 'weight'"),
    ("--listen F/a,", "--listen 'F/a': ''"),
    ("--listen F/a,weight=1,weight=2", "--listen 'F/a': weight= given twice"),
    ("--listen F/a --workers 1 --workers 2", "--workers given twice"),
    ("--listen F/a --limit-maps 70000", "--limit-maps '70000'"),
    ("--listen F/a,color=1", "--listen color="),
    ("--listen F/a,weight=0", "--listen weight= '0'"),
    ("--listen F/a,weight=1001", "--listen weight= '1001'"),
    ("--listen F/a,reserve=-1", "--listen reserve= '-1'"),
    ("--listen F/a,reserve=2000", "--listen reserve= '2000'"),
    ("--listen F/a,reserve=5 --queues 4", "5 queues reserved"),
    ("--listen F/a,mode=888", "--listen mode='888'"),
    ("--listen F/a,mode=7777", "--listen mode='7777'"),
    ("--listen F/a --workers 0", "--workers '0'"),
    ("--listen F/a --workers 65", "--workers '65'"),
    ("--listen F/a --workers 1x", "--workers '1x'"),
    ("--listen F/a --queues 0", "--queues '0'"),
    ("--listen F/a --queues 1025", "--queues '1025'"),
    ("--listen F/a --rev v1", "--rev 'v1'"),
    ("--listen F/a --ext yes", "--ext 'yes'"),
    ("--listen F/a --isolation 1", "--isolation '1'"),
    ("--listen F/a --isolation on --rev v2", "--isolation 'on' with --rev v2"),
    ("--listen F/a --sandbox maybe", "--sandbox 'maybe'"),
    ("--listen F/a --limit-queues 2000", "--limit-queues '2000'"),
    ("--listen F/a --limit-memory 1X", "--limit-memory '1X'"),
    ("--listen F/a --limit-memory 99999999999T", "--limit-memory '99999999999T'"),
    ("--listen F/a --limit-user-maps none", "--limit-user-maps 'none'"),
    ("--listen F/a --limit-connections 1", "--limit-connections"),
    ("--listen F/a --no-such-option", "--no-such-option"),
    ("--listen F/a word", "'word'"),
    ("--listen F/a --queues", "--queues without a value"),
)


def run(args):
    """Runs it to its end: (status, standard error)."""
    done = subprocess.run([PROGRAM, *args], capture_output=True, text=True, timeout=60,
                          check=False)
    return done.returncode, done.stdout, done.stderr


def test_wrong_options_are_named():
    with tempfile.TemporaryDirectory() as folder:
        for text, want in WRONG:
            status, _, err = run(text.replace("F/", folder + "/").split())
            want = want.replace("F/", folder + "/")
            assert status == USAGE, "%s: status %d\n%s" % (text, status, err)
            assert want in err, "%s: expected '%s' in\n%s" % (text, want, err)
            assert err.count("\n") == 1, "%s: expected one line\n%s" % (text, err)
        assert os.listdir(folder) == []


def test_what_cannot_be_started_is_named():
    with tempfile.TemporaryDirectory() as folder:
        path = folder + "/a"
        for args, want in (
                (["--listen", folder + "/no/a"], folder + "/no/a"),
                (["--listen", path, "--run-as", "no-such-user-here"], "no-such-user-here"),
                (["--listen", path, "--fault", "nonsense@1"], "nonsense")):
            status, _, err = run(EXTRA + args)
            assert status == FAILED, "%s: status %d\n%s" % (args, status, err)
            assert want in err, "%s: expected '%s' in\n%s" % (args, want, err)
        assert os.listdir(folder) == []


def test_help_and_version():
    status, out, err = run(["--help"])
    assert (status, err) == (0, "") and "--listen" in out and "--limit-user-memory" in out
    status, out, err = run(["--version"])
    assert (status, err) == (0, "") and out.startswith("spimdevd ")


def test_ends_on_sigterm_and_sigint_leaving_nothing():
    for sig in (signal.SIGTERM, signal.SIGINT):
        with tempfile.TemporaryDirectory() as folder:
            with Server("--listen", folder + "/second", folder=folder) as s:
                clients = [Client(s.path), Client(folder + "/second", spim=True),
                           Client(s.path, negotiate=False)]
                assert len(os.listdir(folder)) >= 2
                assert s.end(sig) == 0, s.log()
                assert os.listdir(folder) == [], os.listdir(folder)
                for c in clients:
                    c.sock.settimeout(10)
                    assert c.sock.recv(1) == b"", "the connection was not closed"
                    c.close()


def test_permissions_of_the_socket():
    for listen, mode in (("", 0o666), (",mode=0600", 0o600), (",mode=0660", 0o660)):
        with Server(listen=listen) as s:
            assert stat.S_IMODE(os.stat(s.path).st_mode) == mode


def test_a_second_server_on_the_path_is_refused():
    with Server() as s:
        status, _, err = run([*EXTRA, "--listen", s.path])
        assert status == FAILED and s.path in err, (status, err)
        c = Client(s.path)  # the first one is still there
        assert c.read(CONFIG, 0, 4) == bytes.fromhex("e51951a2")
        c.close()


def test_a_stale_socket_is_replaced():
    with tempfile.TemporaryDirectory() as folder:
        with Server(folder=folder) as s:
            s.proc.kill()
            s.proc.wait()
        assert "zip" in os.listdir(folder)
        with Server(folder=folder) as s:
            Client(s.path).close()
            assert s.end() == 0
        assert os.listdir(folder) == [], os.listdir(folder)


def test_a_file_that_is_no_socket_is_kept():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "zip")
        with open(path, "w", encoding="ascii") as f:
            f.write("precious")
        status, _, err = run([*EXTRA, "--listen", path])
        assert status == FAILED and path in err, (status, err)
        with open(path, encoding="ascii") as f:
            assert f.read() == "precious"


def test_tells_the_service_manager():
    with tempfile.TemporaryDirectory() as folder:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        sock.bind(folder + "/notify")
        sock.settimeout(10)
        with Server(env={"NOTIFY_SOCKET": folder + "/notify"}) as s:
            assert sock.recv(100) == b"READY=1"
            assert s.end() == 0
            assert sock.recv(100) == b"STOPPING=1", s.log()
        sock.close()


def test_gives_up_privileges():
    with tempfile.TemporaryDirectory() as folder:
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        # Root, with groups that nobody is not in.
        with Server("--run-as", "nobody", folder=folder, extra_groups=[0, 4, 1234]) as s:
            # Real, effective, saved, and of the file system.
            assert s.words("Uid") == [str(nobody.pw_uid)] * 4, s.words("Uid")
            assert s.words("Gid") == [str(nobody.pw_gid)] * 4, s.words("Gid")
            groups = sorted(map(int, s.words("Groups")))
            assert groups == sorted(os.getgrouplist("nobody", nobody.pw_gid)), groups
            for caps in "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb":
                assert s.status(caps) == 0, (caps, s.words(caps))
            assert s.status("NoNewPrivs") == 1
            if "--sandbox" not in EXTRA:
                assert s.status("Seccomp") == 2
            c = Client(s.path)
            assert c.queues() == 64
            c.close()
            assert s.end() == 0, s.log()
        assert os.listdir(folder) == [], os.listdir(folder)


def few_descriptors():
    resource.setrlimit(resource.RLIMIT_NOFILE,
                       (256, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))


def test_root_keeps_no_privileges():
    with Server(preexec_fn=few_descriptors) as s:
        for caps in "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb":
            assert s.status(caps) == 0, (caps, s.words(caps))
        assert s.status("NoNewPrivs") == 1
        # A connection takes descriptors: as many as it may have.
        soft, hard = resource.prlimit(s.proc.pid, resource.RLIMIT_NOFILE)
        assert soft == hard > 256, (soft, hard)


def test_run_as_without_privileges():
    """Who is no root may say its own name, and nobody else's."""
    nobody = pwd.getpwnam("nobody")
    own = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    with tempfile.TemporaryDirectory() as folder:
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        program = shutil.copy(PROGRAM, folder)
        with Server("--run-as", "nobody", folder=folder, program=program, **own) as s:
            assert s.words("Uid") == [str(nobody.pw_uid)] * 4
            c = Client(s.path)
            assert c.queues() == 64
            c.close()
        # Another one, and root, whom the check for "own" must not take for itself.
        for name in "daemon", "root":
            done = subprocess.run([program, "--listen", folder + "/a", "--run-as", name, *EXTRA],
                                  capture_output=True, text=True, timeout=60, check=False, **own)
            assert done.returncode == FAILED, done
            assert done.stderr.startswith("spimdevd: error: --run-as '%s': initgroups: "
                                          "Operation not permitted\n" % name), done.stderr
        assert os.listdir(folder) == ["spimdevd"], os.listdir(folder)


def test_the_log_is_clean():
    with Server() as s:
        c = Client(s.path, spim=True)
        c.queues()
        c.close()
        s.proc.send_signal(signal.SIGUSR1)
        s.expect(" queues, ")
        assert s.end() == 0
        lines = s.log().splitlines()
        assert all(line.startswith("spimdevd: ") for line in lines), s.log()
        assert lines[0].startswith("spimdevd: listening on %s" % s.path), s.log()
        assert not any("warning" in line or "error" in line for line in lines), s.log()
        assert len(lines) <= 4, s.log()


if __name__ == "__main__":
    sys.exit(runner.main(sys.modules[__name__], "spimdevd"))
