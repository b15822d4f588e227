# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""spimgz: both directions, options, files, and what it says."""

import gzip
import os
import pty
import select
import signal
import stat
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager

import runner
from server import Server
from spimgz import (BIG, CHUNK, SPIMGZ, TEXT, TIME, Liar, ends, folder, get, good, gz, member,
                    members, noise, put, right)
from vfio_user import COMPRESS, Client, Memory, Queue

VERSION = "0.1.0"


@contextmanager
def points():
    """Access points: in this process, and of a service."""
    with Server("--workers", "1") as s:
        yield "local", "unix:" + s.path


# ---- Both directions ----

def test_sizes():
    with points() as both:
        for point in both:
            for data in (b"", b"x", TEXT, noise(CHUNK - 1), BIG[:CHUNK], BIG[:CHUNK + 1], BIG):
                packed = good("-c", stdin=data, point=point)
                assert right(packed, data), (point, len(data))
                sizes = [m[3] for m in members(packed)]
                want = [CHUNK] * (len(data) // CHUNK)
                if len(data) % CHUNK or not data:
                    want.append(len(data) % CHUNK)
                assert sizes == want, (point, sizes)
                assert good("-dc", stdin=packed, point=point) == data, (point, len(data))
                assert good("-t", stdin=packed, point=point) == b"", point


def test_levels():
    with folder() as d, points() as both:
        name = put(d + "/text", TEXT)
        for point in both:
            size = {}
            for option, xfl in (("-1", 4), ("--fast", 4), ("-3", 0), ("-6", 0), ("-9", 2),
                                ("--best", 2), ("-c", 0)):
                packed = good(option, "-c", name, point=point)
                assert right(packed, TEXT)
                (head, _, _, _), = members(packed, "text")
                assert head[1:4] == (TIME, xfl, 3), head
                size[option] = len(packed)
            # Of more than 64 KiB at a time, 7 to 9 are 6: a call has a bound of time.
            assert size["-1"] == size["--fast"] > size["-3"] > size["-6"] == size["-9"], size
            assert size["-9"] == size["--best"] and size["-6"] == size["-c"], size
            less = {option: len(good(option, "-c", stdin=TEXT[:60000], point=point))
                    for option in ("-6", "-9")}
            assert less["-9"] < less["-6"], less


def test_members_of_both():
    theirs = gzip.compress(BIG[:700000])
    stored = gzip.compress(noise(200000), compresslevel=0)
    ours = good("-c", stdin=TEXT)
    with points() as both:
        for point in both:
            for mixed, plain in (
                    (theirs, BIG[:700000]),
                    (theirs + ours + theirs, BIG[:700000] + TEXT + BIG[:700000]),
                    (ours + theirs + ours, TEXT + BIG[:700000] + TEXT),
                    (ours * 20 + stored, TEXT * 20 + noise(200000))):
                assert good("-dc", stdin=mixed, point=point) == plain, point


# ---- Files ----

def test_in_place():
    with folder() as d:
        name = put(d + "/file", TEXT)
        os.chmod(name, 0o640)
        if os.getuid() == 0:
            os.chown(name, 12, 34)
        before = os.stat(name)
        good(name)
        assert os.listdir(d) == ["file.gz"]
        for packed in (True, False):
            now = os.stat(name + ".gz" if packed else name)
            assert (now.st_mode, now.st_mtime, now.st_uid, now.st_gid) == \
                (before.st_mode, before.st_mtime, before.st_uid, before.st_gid), now
            if packed:
                assert right(get(name + ".gz"), TEXT)
                good("-d", name + ".gz")
        assert os.listdir(d) == ["file"] and get(name) == TEXT


def test_keep():
    with folder() as d:
        name = put(d + "/file", TEXT)
        good("-k", name)
        assert sorted(os.listdir(d)) == ["file", "file.gz"]
        os.unlink(name)
        good("--keep", "--decompress", name + ".gz")
        assert sorted(os.listdir(d)) == ["file", "file.gz"] and get(name) == TEXT
        assert right(good("--stdout", name), TEXT)
        assert sorted(os.listdir(d)) == ["file", "file.gz"]
        assert good("--test", name + ".gz") == b""
        assert sorted(os.listdir(d)) == ["file", "file.gz"]


def test_output_that_exists():
    with folder() as d:
        name, old = put(d + "/file", TEXT), put(d + "/file.gz", b"old")
        ends(gz(name), 2, "spimgz: %s already exists;\tnot overwritten\n" % old)
        assert get(old) == b"old" and get(name) == TEXT
        good("-f", name)
        assert right(get(old), TEXT) and not os.path.exists(name)
        put(name, b"old")
        ends(gz("-d", old), 2, "spimgz: %s already exists;\tnot overwritten\n" % name)
        good("--force", "-d", old)
        assert get(name) == TEXT and not os.path.exists(old)
        os.mkdir(name + ".gz")
        ends(gz("-f", name), 1, "spimgz: %s.gz: Is a directory\n" % name)


def test_what_is_no_file():
    with folder() as d:
        os.mkdir(d + "/dir")
        os.mkfifo(d + "/fifo")
        put(d + "/file", TEXT)
        os.symlink("file", d + "/link")
        for args, status, err in (
                ((d + "/dir",), 2, "%s/dir is a directory -- ignored"),
                (("-c", d + "/dir"), 2, "%s/dir is a directory -- ignored"),
                (("-t", d + "/dir/"), 2, "%s/dir/. is a directory -- ignored"),
                ((d + "/nothing",), 1, "%s/nothing: No such file or directory"),
                (("-c", d + "/nothing"), 1, "%s/nothing: No such file or directory"),
                ((d + "/no/thing",), 1, "%s/no/thing: No such file or directory"),
                ((d + "/file/",), 1, "%s/file/: Not a directory"), (("",), 1, None),
                ((d + "/link",), 1, "%s/link: Too many levels of symbolic links"),
                # Nobody has it open for writing, which is not waited for.
                ((d + "/fifo",), 2,
                 "%s/fifo is not a directory or a regular file -- ignored")):
            err = ": No such file or directory" if err is None else err % d
            ends(gz(*args), status, "spimgz: " + err + "\n", b"")
        assert right(good("-c", d + "/link"), TEXT)
        good("-f", d + "/link")
        assert right(get(d + "/link.gz"), TEXT) and not os.path.exists(d + "/link")
        assert get(d + "/file") == TEXT


def test_worst_of_several():
    with folder() as d:
        fine, warned, failed = put(d + "/a", TEXT), d + "/b", d + "/c"
        os.mkdir(warned)
        for order, status in (((fine, warned), 2), ((warned, fine), 2), ((failed, warned), 1),
                              ((warned, failed), 1), ((failed, fine), 1), ((fine, fine), 0)):
            done = gz("-k", "-f", *order)
            assert done.status == status, (order, done)


def test_one_bad_among_others():
    with points() as both:
        for point in both:
            one_bad(point)


def one_bad(point):
    with folder() as d:
        names = [put("%s/%d.gz" % (d, i), member(BIG[:400000 + i])) for i in range(5)]
        data = bytearray(member(TEXT))
        data[3000:3004] = b"XXXX"
        put(names[2], bytes(data))
        done = gz("-d", *names, point=point)
        assert done.status == 1 and b"2.gz: invalid compressed data--" in done.err, done
        assert done.err.count(b"\n") == 2, done
        assert sorted(os.listdir(d)) == ["0", "1", "2.gz", "3", "4"], os.listdir(d)
        for i in (0, 1, 3, 4):
            assert get("%s/%d" % (d, i)) == BIG[:400000 + i]


# ---- Standard input and output, and what is said ----

def test_standard_input():
    with folder() as d:
        name = put(d + "/file", TEXT)
        packed = good(stdin=TEXT)
        assert right(packed, TEXT) and members(packed)[0][0][1] == 0
        assert good("-", stdin=TEXT) == packed
        assert good("-d", stdin=packed) == TEXT
        assert good("-t", "-", stdin=packed) == b""
        assert good("-dc", "-", stdin=packed) == TEXT
        both = good("-c", "-", name, stdin=b"first")
        assert right(both, b"first" + TEXT)


def test_pipes_of_any_pace():
    """Whoever writes little at a time does not make other pieces of it."""
    with subprocess.Popen([SPIMGZ, "-s", "local"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as p:
        for at in range(0, len(TEXT), 60000):
            p.stdin.write(TEXT[at:at + 60000])
            p.stdin.flush()
            time.sleep(0.01)
        p.stdin.close()
        packed = p.stdout.read()
    assert p.returncode == 0 and right(packed, TEXT)
    assert len(members(packed)) == 1


def on_terminal(*args, stdin=subprocess.DEVNULL):
    """(status, what was shown); standard output and error are a terminal."""
    main, sub = pty.openpty()
    with subprocess.Popen([SPIMGZ, "-s", "local", *args], stdin=stdin, stdout=sub,
                          stderr=sub) as p:
        os.close(sub)
        shown = b""
        try:
            while part := os.read(main, 65536):
                shown += part
        except OSError:
            pass
    os.close(main)
    return p.returncode, shown


def test_terminal():
    status, shown = on_terminal()
    assert status == 1 and shown.endswith(
        b"spimgz: compressed data is not written to a terminal; -f forces it\r\n"), shown
    status, shown = on_terminal("-f")
    assert status == 0 and b"\x1f\x8b\x08" in shown, shown
    with folder() as d:
        with open(put(d + "/x", member(b"what it says\n")), "rb") as f:
            status, shown = on_terminal("-d", stdin=f)
        assert status == 0 and b"what it says" in shown, shown
        # Progress is shown there, and leaves nothing.
        status, shown = on_terminal(put(d + "/file", TEXT))
        assert status == 0 and shown.endswith(b"\r\x1b[K"), shown


def test_progress():
    with folder() as d:
        name = put(d + "/file", BIG)
        done = gz("-P", "-c", name)
        first = "\r%s: " % name
        assert done.status == 0 and right(done.out, BIG)
        assert done.err.decode().startswith(first), done
        lines = done.err.decode().split("\r")
        assert lines[0] == "" and lines[-1] == "\x1b[K", lines
        for line in lines[1:-1]:
            shown = line[len(name) + 2:]
            assert shown.endswith("%\x1b[K") and 0 <= int(shown[:-4]) <= 100, lines
        assert int(lines[1][len(name) + 2:-4]) <= 20, lines
        done = gz("--progress", "-c", stdin=BIG)
        assert done.err.decode().startswith("\rstdin: 0 MiB\x1b[K"), done
        assert done.err.endswith(b"\r\x1b[K"), done
        assert good("-P", "-q", "-c", stdin=BIG) == done.out


def test_progress_goes_on():
    """Of a slow reading, what is told grows to all of it."""
    with folder() as d:
        os.mkfifo(d + "/fifo")
        with subprocess.Popen([SPIMGZ, "-s", "local", "-P", "-c", d + "/fifo"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as p:
            with open(d + "/fifo", "wb") as f:
                for _ in range(4):
                    f.write(bytes(1 << 20))
                    f.flush()
                    time.sleep(0.3)
            err = p.stderr.read().decode()
        shown = [int(part.split()[-2]) for part in err.split("\r") if "MiB" in part]
        assert p.returncode == 0 and shown[0] == 0 and shown[-1] in (3, 4), err
        assert shown == sorted(shown) and 3 <= len(shown) <= 20, err


def test_verbose():
    with folder() as d:
        name = put(d + "/file", TEXT)
        packed = good("-c", name)
        by = "spimgz: by local\n"
        # Of the data, without headers and trailers.
        saved = "%5.1f%%" % (100 - (len(packed) - 28 - len("file") - 1) / 3000)
        ends(gz("-v", "-c", name), 0, by + "%s:\t%s -- replaced with stdout\n" % (name, saved),
             packed)
        ends(gz("--verbose", "-d", stdin=packed), 0, by + saved + "\n", TEXT)
        ends(gz("-vt", stdin=packed), 0, by + " OK\n", b"")
        ends(gz("-v", stdin=b""), 0, by + "  0.0%\n")
        ends(gz("-kv", name), 0, by + "%s:\t%s -- created %s.gz\n" % (name, saved, name))
        ends(gz("-tv", name + ".gz"), 0, by + "%s.gz:\t OK\n" % name)
        ends(gz("-fv", name), 0, by + "%s:\t%s -- replaced with %s.gz\n" % (name, saved, name))
        ends(gz("-dv", name), 0, by + "%s.gz:\t%s -- replaced with %s\n" % (name, saved, name))
        bad = put(d + "/bad.gz", packed[:1000])
        ends(gz("-v", "-d", bad), 1, by + "\nspimgz: %s: unexpected end of file\n" % bad)


def test_quiet():
    """No warnings; but errors."""
    with folder() as d:
        name = put(d + "/a.gz", TEXT)
        os.mkdir(d + "/dir")
        ends(gz("-q", d + "/dir"), 2, "")
        ends(gz("--quiet", "-d", name), 1, "\nspimgz: %s: not in gzip format\n" % name)
        ends(gz("--silent", d + "/no"), 1, "spimgz: %s/no: No such file or directory\n" % d)
        ends(gz("-q", "-s", "unix:" + d + "/s", point=None), 1,
             "spimgz: accelerator: unix:%s/s: no function (-2), expected spimdevd to listen there\n"
             "spimgz: unix:%s/s: No such file or directory\n" % (d, d))
        ends(gz("-dq", stdin=member(TEXT) + b"junk"), 2, "", TEXT)


def test_usage():
    for option in "-h", "--help", "-H":
        out = good(option, point=None).decode()
        assert out.startswith("Usage: spimgz [OPTION]... [FILE]...\nCompress or expand"), out
        assert out.endswith("\nEnds with 0, with 1 after an error, with 2 after a warning.\n")
        for word in ("-c, --stdout", "-d, --decompress", "-f, --force", "-k, --keep",
                     "-l, --list", "-n, --no-name", "-N, --name", "-r, --recursive",
                     "-S, --suffix SUF", "-t, --test", "-1 to -9", "    --rsyncable",
                     "    --synchronous", "-s, --service NAME", "-P, --progress",
                     "-q, --quiet", "-v, --verbose", "-h, --help", "-L, --license",
                     "-V, --version"):
            assert "\n  " + word + " " in out, word
    for option in "-V", "--version":
        assert good(option, point=None).decode() == "spimgz %s\n" % VERSION
    for option in "-L", "--license":
        assert b"BSD-3-Clause" in good(option, point=None)
    for option, text in (("-x", "invalid option -- 'x'"), ("-0", "invalid option -- '0'"),
                         ("--unknown", "unrecognized option '--unknown'"),
                         ("-Z", "-Z: this format is not supported"),
                         ("--bits=x", "-b x: expected a number"),
                         ("-s", "option requires an argument -- 's'")):
        ends(gz(option, point=None), 1, "spimgz: %s\nTry 'spimgz --help'.\n" % text, b"")
    with open("/dev/full", "wb") as full:
        for option in "-h", "-V", "-L":
            done = subprocess.run([SPIMGZ, option], stdout=full, stderr=subprocess.PIPE,
                                  timeout=60, check=False)
            assert (done.returncode, done.stderr) == \
                (1, b"spimgz: stdout: No space left on device\n"), done


def test_errors_of_files():
    with open("/dev/full", "wb") as full:
        done = subprocess.run([SPIMGZ, "-s", "local", "-c"], input=TEXT, stdout=full,
                              stderr=subprocess.PIPE, timeout=60, check=False)
        assert (done.returncode, done.stderr) == \
            (1, b"spimgz: stdout: No space left on device\n"), done
        done = subprocess.run([SPIMGZ, "-s", "local", "-dc"], input=gzip.compress(TEXT),
                              stdout=full, stderr=subprocess.PIPE, timeout=60, check=False)
        assert (done.returncode, done.stderr) == \
            (1, b"spimgz: stdout: No space left on device\n"), done
    for option in "-c", "-dc", "-t":
        ends(gz(option, "/proc/self/mem"), 1,
             "spimgz: /proc/self/mem: Input/output error\n", b"")


# ---- Access points ----

def test_access_points():
    with folder() as d:
        nobody = "unix:%s/s" % d
        done = gz("-c", stdin=TEXT, point=nobody)
        ends(done, 1, "spimgz: accelerator: %s: no function (-2), expected spimdevd to listen "
             "there\nspimgz: %s: No such file or directory\n" % (nobody, nobody), b"")
        ends(gz("-c", stdin=TEXT, point="elsewhere"), 1,
             "spimgz: accelerator: dev=elsewhere: expected local or unix:PATH\n"
             "spimgz: elsewhere: Invalid argument\n", b"")
    # The service of this machine, or software.
    by = b"unix:/run/spimdev/zip" if os.path.exists("/run/spimdev/zip") else b"local"
    done = gz("-v", stdin=TEXT, point=None)
    assert done.status == 0 and b"spimgz: by " + by + b"\n" in done.err, done
    if by == b"local":
        assert b"no function (-2)" in done.err, done
        assert right(good(stdin=TEXT, point=None), TEXT)


def test_no_queue():
    """All queues are in use: it waits, then goes on in software."""
    with Server("--queues", "1") as s:
        c, mem = Client(s.path), Memory(1 << 20)
        c.dma_map(mem.fd, mem.size, mem.iova)
        assert Queue(c, mem, 0, COMPRESS).status == 0
        start = time.monotonic()
        done = gz("-c", stdin=TEXT, point="unix:" + s.path)
        waited = time.monotonic() - start
        ends(done, 0, "spimgz: unix:%s: Device or resource busy; going on in software\n" % s.path)
        assert right(done.out, TEXT) and waited >= 1, waited
        done = gz("-dc", stdin=done.out, point="unix:" + s.path)
        ends(done, 0, "spimgz: unix:%s: Device or resource busy; going on in software\n" % s.path,
             TEXT)
        # One that comes free in time is waited for.
        refused = s.counter("queues_refused")
        with subprocess.Popen([SPIMGZ, "-s", "unix:" + s.path, "-c"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
            end = time.monotonic() + 60
            while s.counter("queues_refused") == refused:
                assert time.monotonic() < end and p.poll() is None
                time.sleep(0.002)
            c.close()
            out, err = p.communicate(TEXT, timeout=60)
        assert (p.returncode, err) == (0, b"") and right(out, TEXT), err
        mem.close()


@contextmanager
def waits(point, args, data):
    """spimgz, when it has written some and waits for the third result, which does not come."""
    with folder() as d, open(put(d + "/in", data), "rb") as stdin, \
            subprocess.Popen([SPIMGZ, "-s", point, *args], stdin=stdin,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
        try:
            assert select.select([p.stdout], [], [], 30)[0]
            time.sleep(0.2)
            assert p.poll() is None
            yield p
        finally:
            if p.poll() is None:
                p.kill()


def goes_on(p, expand, point, software):
    """It ends, with all of BIG."""
    out, err = p.communicate(timeout=30)
    assert p.returncode == 0, err
    assert out == BIG if expand else right(out, BIG)
    assert (b"spimgz: %s: " % point.encode() in err and
            b"; going on in software\n" in err) == software, err


@contextmanager
def held(p):
    """It does nothing meanwhile: its patience is not the time that a busy machine takes."""
    os.kill(p.pid, signal.SIGSTOP)
    try:
        assert os.waitid(os.P_PID, p.pid, os.WSTOPPED).si_status == signal.SIGSTOP
        yield
    finally:
        os.kill(p.pid, signal.SIGCONT)


def test_the_service_dies():
    """It is killed while results are still to come, for certain."""
    packed = good("-c", stdin=BIG)
    for args, data in ((("-c",), BIG), (("-dc",), packed)):
        for again in True, False:
            with folder() as d, Liar("--lie", "never@3", path=d + "/s") as first, \
                    waits(first.point, args, data) as p:
                with ExitStack() as second:
                    with held(p):
                        first.end(signal.SIGKILL)
                        if again:
                            second.enter_context(Liar("--lie", "none", path=first.path))
                    goes_on(p, data is packed, first.point, not again)


def test_the_real_service_dies():
    """spimdevd, whose third request stalls, so that it is killed at work."""
    for again in True, False:
        with Server("--workers", "1", "--fault", "stall@3") as s, \
                waits("unix:" + s.path, ("-c",), BIG) as p:
            with ExitStack() as second:
                with held(p):
                    s.end(signal.SIGKILL)
                    if again:
                        second.enter_context(Server("--workers", "1", folder=s.folder))
                goes_on(p, False, "unix:" + s.path, not again)


if __name__ == "__main__":
    sys.exit(runner.main(sys.modules[__name__], "spimgz"))
