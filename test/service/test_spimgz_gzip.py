# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""spimgz does what gzip does: names, options, lists, folders, and what is no gzip. Where gzip is
asked for the same, it is the gzip of this machine."""

import gzip
import os
import pty
import re
import struct
import subprocess
import sys
import time
import zlib

import runner
from server import Server
from spimgz import (BIG, CHUNK, SPIMGZ, TEXT, TIME, ends, folder, get, good, gz, member, members,
                    put, right)
from vfio_user import COMPRESS, Client, Memory, Queue

UTC = {"TZ": "UTC0"}


def files(d):
    return sorted(os.listdir(d))


def theirs(*args, stdin=b"", **kw):
    """gzip's (status, standard output)."""
    done = subprocess.run(["gzip", *args], input=stdin, capture_output=True, check=False,
                          timeout=60, env=dict(os.environ, **UTC), **kw)
    return done.returncode, done.stdout


# ---- Names ----

def test_suffixes():
    """Which ones are known, and what becomes of a name."""
    for name, plain in (("a.gz", "a"), ("a.z", "a"), ("a-gz", "a"), ("a-z", "a"), ("a_z", "a"),
                        ("a.Z", "a"), ("a.GZ", "a"), ("a.tgz", "a.tar"), ("a.taz", "a.tar"),
                        ("a.TgZ", "a.tar"), ("a.tar.gz", "a.tar"), ("a.gz.gz", "a.gz")):
        with folder() as d:
            put(d + "/" + name, member(TEXT))
            good("-d", d + "/" + name)
            assert files(d) == [plain] and get(d + "/" + plain) == TEXT, (name, files(d))
            put(d + "/" + name, TEXT)
            os.unlink(d + "/" + plain)
            suffix = name[name.rindex("." if "." in name else name[1]):]
            ends(gz(d + "/" + name), 0, "spimgz: %s/%s already has %s suffix -- unchanged\n" %
                 (d, name, suffix))
            assert files(d) == [name]
            good("-f", d + "/" + name)
            assert files(d) == [name + ".gz"]
    for name in "a.zip", "a", "gz", ".gz", "a.xz", "agz":
        with folder() as d:
            put(d + "/" + name, member(TEXT))
            ends(gz("-d", d + "/" + name), 2,
                 "spimgz: %s/%s: unknown suffix -- ignored\n" % (d, name))
            assert files(d) == [name]
            good(d + "/" + name)
            assert files(d) == [name + ".gz"]


def test_own_suffix():
    for option in ("-S", ".xy"), ("-S.xy",), ("--suffix", ".xy"), ("--suffix=.xy",):
        with folder() as d:
            name = put(d + "/file", TEXT)
            good(*option, name)
            assert files(d) == ["file.xy"]
            ends(gz("-d", name + ".xy"), 2,
                 "spimgz: %s.xy: unknown suffix -- ignored\n" % name)
            good("-d", *option, name + ".xy")
            assert files(d) == ["file"]
            # The usual ones are known all the same.
            good(name)
            good("-d", *option, name + ".gz")
            assert files(d) == ["file"]
    for suffix in "", "x" * 31, ".a/b":
        with folder() as d:
            name = put(d + "/a.gz", member(TEXT))
            for option in [], ["-d"], ["-t"]:
                ends(gz(*option, "-S", suffix, name), 1,
                     "spimgz: invalid suffix '%s'\n" % suffix)
            assert files(d) == ["a.gz"]
    with folder() as d:
        good("-S", "x" * 30, put(d + "/a", TEXT))
        assert files(d) == ["a" + "x" * 30]
        os.rename(d + "/a" + "x" * 30, d + "/a" + "X" * 30)
        good("-d", "-S", "x" * 30, d + "/a" + "X" * 30)
        assert files(d) == ["a"]


def test_without_suffix():
    """-d f is -d f.gz where there is no f; likewise to standard output, -t and -l."""
    for suffix in ".gz", ".z", "-z", ".Z", ".own":
        with folder() as d:
            name = d + "/f"
            own = ["-S", ".own"]
            put(name + suffix, member(TEXT))
            assert good("-dc", *own, name) == TEXT and good("-t", *own, name) == b""
            assert b" 300000 " in good("-l", *own, name)
            good("-d", *own, name)
            assert files(d) == ["f"], files(d)
    with folder() as d:
        put(d + "/f.gz", member(TEXT))
        put(d + "/f.z", b"not this one")
        put(d + "/g", b"here")
        put(d + "/g.gz", member(TEXT))
        good("-d", d + "/f")
        assert files(d) == ["f", "f.z", "g", "g.gz"] and get(d + "/f") == TEXT
        ends(gz("-d", d + "/g"), 2, "spimgz: %s/g: unknown suffix -- ignored\n" % d)
        ends(gz("-d", d + "/h"), 1, "spimgz: %s/h.gz: No such file or directory\n" % d)
        ends(gz("-d", d + "/h.Z"), 1, "spimgz: %s/h.Z: No such file or directory\n" % d)
        ends(gz(d + "/h"), 1, "spimgz: %s/h: No such file or directory\n" % d)


def named(name, mtime=TIME, data=TEXT):
    return b"\x1f\x8b\x08\x08" + struct.pack("<IH", mtime, 0x300) + name + b"\0" + \
        gzip.compress(data)[10:]


def test_name_in_the_header():
    with folder() as d:
        name = put(d + "/file", BIG)
        for args, has, mtime in (([], "file", TIME), (["-N"], "file", TIME),
                                 (["--name"], "file", TIME), (["-n"], None, 0),
                                 (["--no-name"], None, 0), (["-nN"], "file", TIME)):
            packed = good("-c", *args, name)
            for i, found in enumerate(members(packed, has)):
                assert found[0][1] == mtime, (args, i, found[0])
            assert right(packed, BIG)
            # gzip finds the same in it.
            with folder() as e:
                put(e + "/other.gz", packed)
                assert theirs("-dN", e + "/other.gz") == (0, b"")
                assert files(e) == [has or "other"]
        # Of a pipe there is neither; of standard input that is a file, the time.
        assert members(good(stdin=TEXT))[0][0][1] == 0
        with open(name, "rb") as f:
            assert members(good(stdin=f))[0][0][1] == TIME
        with open(name, "rb") as f:
            assert members(good("-n", stdin=f))[0][0][1] == 0


def test_restore_name():
    for data in named(b"name"), named(b"../../etc/name"), named(b"/name"):
        with folder() as d:
            other = put(d + "/other.gz", data)
            os.utime(other, (5, 5))
            good("-dk", other)
            good("-dkn", "-f", other)
            good("-dN", other)
            assert files(d) == ["name", "other"]
            assert os.stat(d + "/name").st_mtime == TIME and os.stat(d + "/other").st_mtime == 5
            assert get(d + "/name") == get(d + "/other") == TEXT
    # Ours, and by its own name.
    with folder() as d:
        packed = good("-c", put(d + "/name", BIG))
        os.unlink(d + "/name")
        put(d + "/other.gz", packed)
        good("-dN", d + "/other.gz")
        assert files(d) == ["name"] and get(d + "/name") == BIG
    # No name, and no time: as without -N.
    with folder() as d:
        other = put(d + "/other.gz", gzip.compress(TEXT, mtime=0))
        good("-dN", other)
        assert files(d) == ["other"] and os.stat(d + "/other").st_mtime == TIME
    for name in b"foo/", b"..", b".", b"/", b"n" * 256, b"n" * 100000:
        with folder() as d:
            other = put(d + "/other.gz", named(name))
            done = gz("-dNf", other)
            assert done.status == 1 and b"corrupted input--" in done.err, done
            assert files(d) == ["other.gz"]
            good("-d", other)
            assert files(d) == ["other"]
    with folder() as d:
        put(d + "/name", b"precious")
        other = put(d + "/other.gz", named(b"name"))
        ends(gz("-dN", other), 2, "spimgz: %s/name already exists;\tnot overwritten\n" % d)
        assert get(d + "/name") == b"precious"


# ---- Options ----

def test_long_names():
    with folder() as d:
        name = put(d + "/a", TEXT)
        packed = good("--to-stdout", name)
        assert packed == good("--stdout", name) == good("-c", name) == \
            good("-c", "--rsyncable", name) == good("-c", "-b", "9", name)
        for option in "--uncompress", "--decompress", "--uncom":
            assert good(option, stdin=packed) == TEXT
        ends(gz("-c", "-a", name), 0, "spimgz: option --ascii ignored on this system\n", packed)
        ends(gz("-qc", "--ascii", name), 0, "spimgz: option --ascii ignored on this system\n",
             packed)
        done = gz("--li", point=None)
        assert done.status == 1 and b"option '--li' is ambiguous" in done.err, done


def test_variable():
    """GZIP has options that come first, but none that says what is done to files."""
    with folder() as d:
        name = put(d + "/a", TEXT)
        for value, args in (("-1", ["-1"]), ("-9", ["-9"]), (" --fast\t", ["-1"]), ("", []),
                            ("-n -9", ["-n9"]), ("--best --no-name", ["-9n"]), ("  ", []),
                            ("-N --rsyncable -q", [])):
            assert good("-c", name, env={"GZIP": value}) == good("-c", *args, name), value
        assert good("-c", "-9", name, env={"GZIP": "-1"}) == good("-c", "-9", name)
        for value in ("-c", "--stdout", "-d", "-f", "-h", "-k", "-l", "-L", "-r", "-t", "-V",
                      "-S.x", "--suffix .x", "-s local", "--service=local", "-P", "-1c",
                      "--to-stdout"):
            done = gz(name, env={"GZIP": value})
            assert done.status == 1 and done.err.startswith(b"spimgz: ") and \
                b"option not valid in the variable GZIP\n" in done.err, (value, done)
        for value in "a", "-9 a", "--", "-9 --":
            done = gz(name, env={"GZIP": value})
            assert done.status == 1 and b": no option, in the variable GZIP\n" in done.err, done
        assert gz(name, env={"GZIP": "-x"}).status == 1
        assert files(d) == ["a"]


def test_by_name():
    """gunzip and zcat are the same program."""
    packed = good(stdin=TEXT)
    for name in "gunzip", "ungzip", "/usr/bin/gunzip", "zcat", "gzcat":
        assert good(stdin=packed, name=name) == TEXT
        done = gz(stdin=b"no gzip", name=name)
        ends(done, 1, "\n%s: stdin: not in gzip format\n" % os.path.basename(name))
    with folder() as d:
        name = put(d + "/a.gz", packed)
        assert good(name, name="zcat") == TEXT and files(d) == ["a.gz"]
        good(name, name="gunzip")
        assert files(d) == ["a"]


# ---- Lists ----

def test_list():
    """As gzip lists what gzip has made."""
    with folder() as d:
        names = [d + "/a.gz", d + "/b.tgz", d + "/empty.gz", d + "/c"]
        for name, data in zip(names, (TEXT, BIG, b"", b"x")):
            put(name, theirs("-c", stdin=data)[1])
        put(d + "/named.gz", named(b"its name", 1234567890))
        for args in (names[:1], names, ["-q", *names], ["-v", *names], ["-vN", d + "/named.gz"],
                     ["-N", d + "/named.gz"], ["-v", d + "/named.gz"], ["--list", d + "/a"],
                     ["-n", d + "/named.gz"], ["-k", *names]):
            ours = gz("-l", *args, env=UTC)
            assert (ours.status, ours.out) == theirs("-l", *args), (args, ours.out)
            assert files(d) == ["a.gz", "b.tgz", "c", "empty.gz", "named.gz"]
        for args in ["-l"], ["-lv"], ["-lN"]:
            data = get(d + "/named.gz")
            ours = gz(*args, stdin=data, env=UTC).out.decode()
            want = theirs(*args, stdin=data)[1].decode()
            assert ours == want or ours.split("\n")[1].split()[-4:] == \
                want.split("\n")[1].split()[-4:], (ours, want)
        bad = put(d + "/bad.gz", get(names[0])[:-1])
        done = gz("-l", names[0], bad, names[2])
        assert done.status == 1 and done.err == \
            b"\nspimgz: %s: unexpected end of file\n" % bad.encode() and \
            len(done.out.splitlines()) == 4, done
        ends(gz("-l", put(d + "/plain", TEXT)), 1,
             "\nspimgz: %s/plain: not in gzip format\n" % d, b"")


def test_list_ours():
    """All members count, and the last one's CRC is told."""
    with folder() as d:
        name = put(d + "/a", BIG)
        good(name)
        size = os.path.getsize(name + ".gz")
        lines = gz("-lv", name + ".gz", env=UTC).out.decode().splitlines()
        last = BIG[len(BIG) // CHUNK * CHUNK:]
        assert re.fullmatch("defla %08x Feb  3 00:00 %19d %19d +[0-9.]+%% %s" % (
            zlib.crc32(last), size, len(BIG), re.escape(name)), lines[1]), lines
        # The ratio is that of the data, without all headers and trailers.
        packed = get(name + ".gz")
        data = sum(len(found[1]) for found in members(packed, "a"))
        assert lines[1].split()[-2] == "%.1f%%" % (100 - 100 * data / len(BIG)), lines
        with open("/dev/full", "wb") as full:
            done = subprocess.run([SPIMGZ, "-s", "local", "-l", name + ".gz"], stdout=full,
                                  stderr=subprocess.PIPE, timeout=60, check=False)
            assert (done.returncode, done.stderr) == \
                (1, b"spimgz: stdout: No space left on device\n"), done


# ---- Folders ----

def tree(d):
    return sorted(os.path.relpath(os.path.join(at, name), d)
                  for at, _, names in os.walk(d) for name in names)


def test_recursive():
    for path in "", "/":
        with folder() as d:
            top = d + "/top"
            os.makedirs(top + "/s/t")
            os.mkdir(top + "/none")
            for name in "a", "s/b", "s/t/c", "s/t/d.gz":
                put(top + "/" + name, member(TEXT))
            good("-r", top + path)
            assert tree(top) == ["a.gz", "s/b.gz", "s/t/c.gz", "s/t/d.gz"], tree(top)
            assert right(get(top + "/s/t/c.gz"), member(TEXT))
            good("-r", top + path)
            put(top + "/plain", TEXT)
            assert len(good("-rl", top + path).splitlines()) == 6
            good("-rt", top + path)
            good("-dr", top + path)
            assert tree(top) == ["a", "plain", "s/b", "s/t/c", "s/t/d"], tree(top)
            assert get(top + "/s/t/d") == TEXT
            # Once each, though there are more files with each that is done.
            good("-rf", top + path)
            assert tree(top) == ["a.gz", "plain.gz", "s/b.gz", "s/t/c.gz", "s/t/d.gz"], tree(top)
            ends(gz(top), 2, "spimgz: %s is a directory -- ignored\n" % top)


def test_recursive_what_is_special():
    """Links out of it are not followed, and nobody is waited for."""
    with folder() as d:
        os.mkdir(d + "/out")
        put(d + "/out/secret", TEXT)
        put(d + "/file", TEXT)
        top = d + "/top"
        os.mkdir(top)
        put(top + "/z", TEXT)
        os.symlink("../out", top + "/folder")
        os.symlink("../file", top + "/link")
        os.mkfifo(top + "/fifo")
        done = gz("-r", top)
        ends(done, 1, "spimgz: %s/fifo is not a directory or a regular file -- ignored\n"
             "spimgz: %s/folder: Too many levels of symbolic links\n"
             "spimgz: %s/link: Too many levels of symbolic links\n" % (top, top, top))
        assert tree(d) == ["file", "out/secret", "top/fifo", "top/link", "top/z.gz"], tree(d)
        # By force a linked file is taken, but no linked folder.
        ends(gz("-rf", top), 2, "spimgz: %s/fifo is not a directory or a regular file -- ignored\n"
             "spimgz: %s/folder is a directory -- ignored\n" % (top, top))
        assert tree(d) == ["file", "out/secret", "top/fifo", "top/link.gz", "top/z.gz.gz"], tree(d)
        assert right(get(top + "/link.gz"), TEXT) and get(d + "/file") == TEXT


# ---- Terminals ----

def at_terminal(*args, typed=b"", stdout=subprocess.DEVNULL):
    """(status, standard error) with a terminal as standard input."""
    main, sub = pty.openpty()
    with subprocess.Popen([SPIMGZ, "-s", "local", *args], stdin=sub, stdout=stdout,
                          stderr=subprocess.PIPE) as p:
        os.close(sub)
        os.write(main, typed)
        try:
            err = p.communicate(timeout=30)[1]
        finally:
            p.kill()
            os.close(main)
    return p.returncode, err.decode()


def test_terminal():
    assert at_terminal("-d") == \
        (1, "spimgz: compressed data is not read from a terminal; -f forces it\n")
    question = "spimgz: %s already exists; do you wish to overwrite (y or n)? "
    for typed, yes in ((b"n\n", False), (b"\n", False), (b"\x04", False), (b"y\n", True),
                       (b"yes\n", True), (b"Y\n", True), (b"no, y\n", False)):
        with folder() as d:
            name, old = put(d + "/a", TEXT), put(d + "/a.gz", b"precious")
            assert at_terminal(name, typed=typed) == \
                (0 if yes else 2, question % old + ("" if yes else "\tnot overwritten\n"))
            assert files(d) == (["a.gz"] if yes else ["a", "a.gz"])
            assert right(get(old), TEXT) if yes else get(old) == b"precious"
    with folder() as d:
        name, old = put(d + "/a", TEXT), put(d + "/a.gz", b"precious")
        ends(gz("---presume-input-tty", name, stdin=b"y\n"), 0, question % old)
        assert right(get(old), TEXT)


# ---- What is no gzip ----

def test_passing_on():
    """-dcf gives what is no gzip as it is, from where on it is none."""
    one = gzip.compress(b"theirs\n")
    ours = member(b"ours\n")
    for plain in (b"", b"x", b"\x1f", b"\0", bytes(100), b"xy\n", TEXT, BIG, b"\x1fplain"):
        for before, expanded in ((b"", b""), (one, b"theirs\n"), (ours, b"ours\n"),
                                 (ours * 20 + one, b"ours\n" * 20 + b"theirs\n")):
            assert good("-dcf", stdin=before + plain) == expanded + plain, (before, plain[:9])
    with folder() as d:
        name = put(d + "/plain", TEXT)
        assert good("-dcf", name) == TEXT
        assert good(name, "-f", name="zcat") == TEXT
        # Only there.
        for args in ["-df"], ["-tf"], ["-dc"], ["-lf"]:
            os.rename(name, d + "/plain.gz")
            done = gz(*args, d + "/plain.gz")
            ends(done, 1, "\nspimgz: %s/plain.gz: not in gzip format\n" % d)
            os.rename(d + "/plain.gz", name)


def test_statuses():
    """What gzip ends with, in many cases."""
    with folder() as d, folder() as e:
        for top in d, e:
            put(top + "/a", TEXT)
            put(top + "/b.gz", gzip.compress(TEXT))
            put(top + "/cut.gz", gzip.compress(TEXT)[:-5])
            put(top + "/junk.gz", gzip.compress(TEXT) + b"junk")
            put(top + "/byte.gz", gzip.compress(TEXT) + b"j")
            put(top + "/zeros.gz", gzip.compress(TEXT) + bytes(10))
            put(top + "/empty.gz", b"")
            put(top + "/plain.gz", TEXT)
            put(top + "/old", TEXT)
            os.utime(top + "/old", (-5, -5))
            os.mkdir(top + "/dir")
            os.symlink("a", top + "/link")
            put(top + "/two", TEXT)
            os.link(top + "/two", top + "/two2")
            put(top + "/there", TEXT)
            put(top + "/there.gz", TEXT)
        for args in ("a b.gz -k", "b.gz", "-kf b.gz", "-dc cut.gz", "-dc junk.gz", "-dc byte.gz",
                     "-dc zeros.gz", "-dc empty.gz", "-dc plain.gz", "-dcf plain.gz", "-t junk.gz",
                     "-tq junk.gz", "-l junk.gz", "-l plain.gz", "-kn old", "-kf old", "-kfq old",
                     "dir", "-q dir", "-c dir", "link", "-c link", "-kf link", "two", "-kf two",
                     "-k there", "-kq there", "-kd there.gz", "nothing", "-d nothing",
                     "-q nothing", "dir nothing", "nothing dir", "-d a", "-t a", "-l a",
                     "-dk junk.gz", "-df cut.gz", "-r dir", "-S", "-S .x -kd b.gz", "-Z a", "-b x"):
            done = gz(*args.split(), cwd=d, env=UTC)
            assert done.status == theirs(*args.split(), cwd=e)[0], (args, done)
            assert files(d) == files(e), (args, files(d), files(e))


# ---- Services that refuse ----

def by_default(s, *args, data=TEXT):
    """spimgz where this service is the machine's own."""
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", 'mount -t tmpfs none /run && mkdir /run/spimdev && '
         'mount --bind "$0" /run/spimdev && exec "$@"', s.folder, SPIMGZ, *args], input=data,
        capture_output=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr.decode()


def test_refusals():
    """Whatever a service that nobody named refuses, software does; -v says why."""
    for args, takes in (((), ""), (("--limit-files", "1"), ""), (("--limit-memory", "1M"), ""),
                        (("--limit-maps", "1"), ""), (("--limit-user-connections", "1"), ""),
                        (("--queues", "1"), "queue"), (("--limit-user-queues", "1"), "queue"),
                        (("--limit-user-memory", "2M"), ""), (("--limit-user-files", "1"), ""),
                        (("--ext", "off"), "")):
        with Server("--workers", "1", *args) as s:
            c, mem = Client(s.path), Memory(1 << 20)
            if takes:
                c.dma_map(mem.fd, mem.size, mem.iova)
                assert Queue(c, mem, 0, COMPRESS).status == 0
            begun = time.monotonic()
            status, out, err = by_default(s)
            assert (status, err) == (0, "") and right(out, TEXT), (args, err)
            assert time.monotonic() - begun < 30
            status, out, err = by_default(s, "-d", data=out)
            assert (status, out, err) == (0, TEXT, ""), (args, err)
            status, out, err = by_default(s, "-v")
            assert status == 0 and right(out, TEXT), (args, err)
            assert ("; going on in software\n" in err) == (args != ()), (args, err)
            assert err.startswith("spimgz: by unix:/run/spimdev/zip\n") or args, err
            c.close()
            mem.close()


if __name__ == "__main__":
    sys.exit(runner.main(sys.modules[__name__], "spimgz"))
