# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""spimgz: what becomes of files and descriptors, whatever happens; and who may read what."""

import gzip
import os
import signal
import struct
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import runner
from server import Server
from spimgz import (BIG, SPIMGZ, SPIMGZ_FAIL, TEXT, TIME, Liar, ends, folder, get, good, gz,
                    member, put, right)

NOBODY = {"user": 65534, "group": 100, "extra_groups": []}
GROUP = 34  # which nobody is no member of


# ---- Signals ----

@contextmanager
def at_work(d, **popen):
    """(spimgz, its service), when it has written a part of d/file's output and waits for more."""
    put(d + "/file", BIG)
    with Liar("--lie", "never@3", path=d + "/s") as liar, \
            subprocess.Popen([SPIMGZ, "-s", liar.point, d + "/file"], **popen) as p:
        try:
            end = time.monotonic() + 30
            while not any(os.path.getsize(d + "/" + name) for name in os.listdir(d)
                          if name not in ("file", "s")):
                assert time.monotonic() < end and p.poll() is None
                time.sleep(0.005)
            yield p, liar
        finally:
            if p.poll() is None:
                p.kill()


def files(d):
    return sorted(name for name in os.listdir(d) if name != "s")


ENDS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGPIPE,
        signal.SIGALRM, signal.SIGXCPU, signal.SIGUSR1, signal.SIGUSR2)


def not_ignored():
    """Those who run the tests may have some ignored: nohup, or a shell in the background."""
    for number in ENDS:
        signal.signal(number, signal.SIG_DFL)


def test_signals():
    """Whichever ends it, nothing is left of the output."""
    for number in ENDS:
        with folder() as d, at_work(d, preexec_fn=not_ignored, cwd="/tmp") as (p, _):
            p.send_signal(number)
            assert p.wait(30) == -number, (number, p.returncode)
            assert files(d) == ["file"] and get(d + "/file") == BIG, (number, files(d))


def test_killed():
    """What is left then has another name, and does not look like a result."""
    with folder() as d, at_work(d) as (p, _):
        p.kill()
        assert p.wait(30) == -signal.SIGKILL
        left = files(d)
        assert len(left) == 2 and left[0].startswith(".spimgz-") and left[1] == "file", left
        assert os.stat(d + "/" + left[0]).st_mode & 0o777 == 0o600


def test_signals_that_are_ignored():
    def ignore():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with folder() as d, at_work(d, preexec_fn=ignore) as (p, _):
        p.send_signal(signal.SIGHUP)
        time.sleep(0.2)
        assert p.poll() is None
        p.terminate()
        assert p.wait(30) == -signal.SIGTERM and files(d) == ["file"]


def test_file_size_limit():
    with folder() as d:
        put(d + "/file", BIG)
        done = subprocess.run(["sh", "-c", 'ulimit -f 100; exec "$0" -s local "$1"', SPIMGZ,
                               d + "/file"], capture_output=True, timeout=60, check=False)
        assert done.returncode == -signal.SIGXFSZ and files(d) == ["file"], done


# ---- Standard descriptors ----

def closed(which, *args, data=b"", point="local"):
    """Runs it with a standard descriptor that is closed."""
    done = subprocess.run(["sh", "-c", 'exec "$0" "$@" ' + which, SPIMGZ, "-s", point, *args],
                          input=data, capture_output=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def test_closed_descriptors():
    bad = b"spimgz: std%s: Bad file descriptor\n"
    with folder() as d, Server("--workers", "1") as s:
        name, packed = put(d + "/file", TEXT), put(d + "/packed.gz", member(TEXT))
        for point in "local", "unix:" + s.path:
            for args in [], ["-d"], ["-t"], ["-l"]:
                assert closed("<&-", *args, point=point) == (1, b"", bad % b"in"), (args, point)
            for args in ["-c", name], ["-dc", packed], ["-d"], []:
                assert closed(">&-", *args, data=member(TEXT), point=point) == \
                    (1, b"", bad % b"out"), (args, point)
            # What it says goes nowhere, above all not into the output.
            assert closed("2>&-", "-vk", name, point=point) == (0, b"", b"")
            assert right(get(name + ".gz"), TEXT)
            os.unlink(name + ".gz")
            assert closed("<&- >&- 2>&-", "-vk", name, point=point) == (0, b"", b"")
            assert right(get(name + ".gz"), TEXT)
            os.unlink(name + ".gz")
            assert closed("2>&-", "-vk", d + "/no", point=point) == (1, b"", b"")
    for option in "--help", "--version":
        assert closed(">&-", option) == (1, b"", bad % b"out"), option


def test_non_blocking():
    """Input and output that are not ready are waited for."""
    for args, data, correct in (((), BIG, lambda out: right(out, BIG)),
                                (("-d",), gzip.compress(BIG), lambda out: out == BIG),
                                (("-d",), member(TEXT) * 30, lambda out: out == TEXT * 30)):
        (their_in, our_in), (our_out, their_out) = os.pipe(), os.pipe()
        os.set_blocking(their_in, False)
        os.set_blocking(their_out, False)
        with subprocess.Popen([SPIMGZ, "-s", "local", *args], stdin=their_in, stdout=their_out,
                              stderr=subprocess.PIPE) as p:
            os.close(their_in)
            os.close(their_out)

            def feed(fd=our_in, data=data):
                time.sleep(0.2)
                with open(fd, "wb") as f:
                    f.write(data[:100000])
                    f.flush()
                    time.sleep(0.2)
                    f.write(data[100000:])
            feeder = threading.Thread(target=feed)
            feeder.start()
            time.sleep(0.5)
            with open(our_out, "rb") as f:
                out = f.read()
            feeder.join()
            assert (p.wait(30), p.stderr.read()) == (0, b"") and correct(out), args


# ---- Output that is there ----

def test_force_keeps_until_there_is_another():
    """What -f replaces stays, until its successor is complete."""
    corrupt = bytearray(gzip.compress(BIG))
    corrupt[-5] ^= 1
    for data in (b"no gzip", b"", gzip.compress(BIG)[:-1], bytes(corrupt), member(TEXT) + b"x",
                 member(TEXT)[:1000], member(TEXT) + bytes(corrupt)):
        with folder() as d:
            old, name = put(d + "/file", b"precious"), put(d + "/file.gz", data)
            assert gz("-d", "-f", name).status == 1
            assert get(old) == b"precious" and get(name) == data and len(files(d)) == 2, files(d)
    with folder() as d:
        # Compressed by a service that fails.
        old, name = put(d + "/file.gz", b"precious"), put(d + "/file", BIG)
        with Liar("--lie", "status-unknown@3") as liar:
            assert gz("-f", name, point=liar.point).status == 1
        assert get(old) == b"precious" and get(name) == BIG and len(files(d)) == 2, files(d)


def test_output_is_there_when_it_is_complete():
    with folder() as d, at_work(d):
        assert "file.gz" not in files(d)


@contextmanager
def halted(d):
    """spimgz at work on d/file, which ends when the block does; then p has its last words."""
    with at_work(d, stderr=subprocess.PIPE) as (p, liar):
        p.send_signal(signal.SIGSTOP)
        assert os.waitid(os.P_PID, p.pid, os.WSTOPPED).si_status == signal.SIGSTOP
        yield p
        liar.end(signal.SIGKILL)
        os.unlink(liar.path)
        with Liar("--lie", "none", path=liar.path):
            p.send_signal(signal.SIGCONT)
            p.said = p.communicate(timeout=60)[1].decode().splitlines()[-1]


def test_output_that_comes_meanwhile():
    with folder() as d:
        with halted(d) as p:
            put(d + "/file.gz", b"precious")
        assert (p.returncode, p.said) == (1, "spimgz: %s/file.gz: File exists" % d), p.said
        assert get(d + "/file.gz") == b"precious" and get(d + "/file") == BIG
        assert files(d) == ["file", "file.gz"]


def test_input_that_is_replaced():
    """Another file that got the input's name meanwhile was not compressed: it stays."""
    with folder() as d:
        with halted(d) as p:
            os.rename(put(d + "/new", b"another"), d + "/file")
        assert (p.returncode, p.said) == \
            (2, "spimgz: %s/file: another file has this name now; it stays" % d), p.said
        assert get(d + "/file") == b"another" and right(get(d + "/file.gz"), BIG)


def test_same_file():
    """The name in the header is that of the compressed file itself."""
    with folder() as d:
        name = put(d + "/x", TEXT)
        packed = bytearray(good("-c", name))
        packed[20:22] = b"y\0"
        name = put(d + "/y", bytes(packed))
        ends(gz("-dNf", "-S", "y", d + "/y"), 2, "spimgz: %s/y: unknown suffix -- ignored\n" % d)
        os.rename(name, d + "/y.gz")
        data = get(d + "/y.gz").replace(b"y\0", b"y.gz\0", 1)
        put(d + "/y.gz", data)
        for force in [], ["-f"]:
            ends(gz("-dN", *force, d + "/y.gz"), 1,
                 "spimgz: %s/y.gz and %s/y.gz are the same file\n" % (d, d))
        assert get(d + "/y.gz") == data


def test_synchronous():
    """The input stays until its output is on the disk: the file, and then its name."""
    with folder() as d:
        for n, left in ("1", ["file"]), ("2", ["file", "file.gz"]), ("3", ["file.gz"]):
            name = put(d + "/file", TEXT)
            env = {"FAIL_NTH": n, "FAIL_NTH_OF": "fsync"}
            done = gz("--synchronous", name, env=env, program=SPIMGZ_FAIL)
            ends(done, int(n != "3"), "" if n == "3" else
                 "fail_nth: fsync\nspimgz: %s.gz: Input/output error\n" % name)
            assert files(d) == left, left
            if n == "3":
                assert right(get(name + ".gz"), TEXT)
            for name in left:
                os.unlink(d + "/" + name)
        # Who does not ask for it does not wait.
        env["FAIL_NTH"] = "1"
        ends(gz(put(d + "/file", TEXT), env=env, program=SPIMGZ_FAIL), 0, "")


# ---- Attributes ----

def test_groups():
    """Where the group cannot be kept, nobody else gets what its members could do."""
    for mode, want in ((0o640, 0o600), (0o664, 0o604), (0o604, 0o600), (0o666, 0o606),
                       (0o600, 0o600), (0o644, 0o604)):
        with folder() as d:
            os.chown(d, NOBODY["user"], -1)
            name = put(d + "/file", TEXT)
            os.chown(name, NOBODY["user"], GROUP)
            os.chmod(name, mode)
            ends(gz(name, **NOBODY), 0, "")
            st = os.stat(name + ".gz")
            assert (st.st_uid, st.st_gid, st.st_mode & 0o7777) == \
                (NOBODY["user"], NOBODY["group"], want), (oct(mode), oct(st.st_mode))
            os.chown(name + ".gz", -1, GROUP)
            os.chmod(name + ".gz", mode)
            ends(gz("-d", name + ".gz", **NOBODY), 0, "")
            assert os.stat(name).st_mode & 0o7777 == want
            # A member of the group keeps it.
            os.chown(name, -1, GROUP)
            os.chmod(name, mode)
            ends(gz(name, **dict(NOBODY, extra_groups=[GROUP])), 0, "")
            st = os.stat(name + ".gz")
            assert (st.st_gid, st.st_mode & 0o7777) == (GROUP, mode), oct(st.st_mode)


ACL = "system.posix_acl_access"


def acl(*entries):
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *e) for e in entries)


def test_access_control_lists():
    """With one, the group's bits are the mask of others' rights."""
    none = 0xffffffff
    # User 12 may read it, its group may not.
    mine = acl((1, 6, none), (2, 4, 12), (4, 0, none), (16, 4, none), (32, 0, none))
    with folder() as d:
        name = put(d + "/file", TEXT)
        os.setxattr(name, ACL, mine)
        assert os.stat(name).st_mode & 0o777 == 0o640
        good(name)
        assert os.getxattr(name + ".gz", ACL) == mine
        good("-d", name + ".gz")
        assert os.getxattr(name, ACL) == mine
        os.chown(d, NOBODY["user"], -1)
        os.chown(name, NOBODY["user"], GROUP)
        ends(gz(name, **NOBODY), 0, "")
        assert os.stat(name + ".gz").st_mode & 0o777 == 0o600
        assert ACL not in os.listxattr(name + ".gz")
        # The folder's default is not what the input has.
        os.unlink(name + ".gz")
        name = put(d + "/file", TEXT)
        os.setxattr(d, "system.posix_acl_default", mine)
        os.chmod(name, 0o640)
        good(name)
        assert ACL not in os.listxattr(name + ".gz")
        assert os.stat(name + ".gz").st_mode & 0o777 == 0o640


def test_special_bits():
    """Files with them are not taken, or taken without them."""
    for bit, what in ((0o4000, "user-ID"), (0o2000, "group-ID"), (0o1000, "sticky")):
        with folder() as d:
            for args, name in (([], "file"), (["-d"], "file.gz")):
                name = put(d + "/" + name, member(TEXT))
                os.chmod(name, 0o755 | bit)
                ends(gz(*args, name), 2,
                     "spimgz: %s is set-%s -- ignored; -f takes it\n" % (name, what))
                ends(gz("-q", *args, name), 2, "")
                assert len(files(d)) == 1, files(d)
                assert right(good("-c", name), member(TEXT)) if not args else \
                    good("-dc", name) == TEXT
                good("-f", *args, name)
                out, = files(d)
                assert os.stat(d + "/" + out).st_mode & 0o7777 == 0o755
                os.unlink(d + "/" + out)


def test_hard_links():
    with folder() as d:
        name = put(d + "/file", TEXT)
        for links, text in ((1, "1 other link"), (2, "2 other links")):
            os.link(name, d + "/%d" % links)
            ends(gz(name), 2, "spimgz: %s has %s -- ignored; -f takes it\n" % (name, text))
        ends(gz("-k", name), 2, "spimgz: %s has 2 other links -- ignored; -f takes it\n" % name)
        assert files(d) == ["1", "2", "file"]
        good("-f", name)
        assert files(d) == ["1", "2", "file.gz"] and get(d + "/1") == TEXT


def test_times():
    """Those that the format has no room for are not told as others."""
    for seconds, told in ((-2**31, 0), (-1, 0), (0, 0), (1, 1), (TIME, TIME), (2**31, 2**31),
                          (2**32 - 1, 2**32 - 1), (2**32, 0), (2**33 + 5, 0)):
        for args in [], ["-c"], ["-n"]:
            with folder() as d:
                name = put(d + "/file", TEXT)
                os.utime(name, (seconds, seconds))
                # The file system may have a range of its own.
                assert os.stat(name).st_mtime == seconds
                done = gz(*args, name)
                if told or args == ["-n"]:
                    ends(done, 0, "")
                else:
                    ends(done, 2, "spimgz: %s: warning: file timestamp out of range for gzip "
                         "format\n" % name)
                packed = done.out or get(name + ".gz")
                assert struct.unpack_from("<I", packed, 4)[0] == (told if args != ["-n"] else 0)
                if args != ["-c"]:
                    assert os.stat(name + ".gz").st_mtime == seconds


# ---- CPUs ----

def test_many_cpus():
    """As many threads as are of use, and not more than there can be."""
    for online in "0-63", "0-64", "0-127", "0-4095":
        with folder() as d:
            online = put(d + "/online", online.encode() + b"\n")
            done = subprocess.run(
                ["unshare", "-m", "sh", "-c", 'mount --bind "$0" /sys/devices/system/cpu/online '
                 '&& [ "$(getconf _NPROCESSORS_ONLN)" -ge 64 ] && exec "$@"', online, SPIMGZ,
                 "-s", "local"], input=TEXT, capture_output=True, timeout=60, check=False)
            assert (done.returncode, done.stderr) == (0, b""), done
            assert right(done.stdout, TEXT)


if __name__ == "__main__":
    sys.exit(runner.main(sys.modules[__name__], "spimgz"))
