# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""spimgz: files that are broken, services that lie, and calls that fail."""

import gzip
import os
import struct
import subprocess
import sys
import zlib

import runner
from server import Server
from spimgz import (BIG, CHUNK, SPIMGZ_FAIL, TEXT, Liar, ends, folder, get, good, gz, member,
                    ours, put, right)
from vfio_user import COMPRESS, Client, Memory, Queue

PACKED = zlib.compressobj(6, zlib.DEFLATED, -15)
PACKED = PACKED.compress(TEXT) + PACKED.flush()
CRC = zlib.crc32(TEXT)
CORRUPT = "\nspimgz: stdin: invalid compressed data--%s\n"
END = "\nspimgz: stdin: unexpected end of file\n"
NO_GZIP = "\nspimgz: stdin: not in gzip format\n"


def expands(data, plain=TEXT):
    assert good("-dc", stdin=data) == plain


def fails(data, err, out=None):
    ends(gz("-dc", stdin=data), 1, err, out)


# ---- Files ----

def test_what_a_trailer_says():
    for data, told in (
            (ours(PACKED, CRC ^ 1, len(TEXT)), "crc error"),
            (ours(PACKED, CRC, len(TEXT) - 1), "length error"),
            (ours(PACKED, CRC, len(TEXT) + 1), "length error"),
            (ours(PACKED, CRC, CHUNK + 1), "length error"),
            # Two bytes behind the stream, which the size in the header counts in.
            (ours(PACKED + b"ab", CRC, len(TEXT)), "crc error"),
            (ours(PACKED[:1000] + b"\xff" * 200 + PACKED[1200:], CRC, len(TEXT)),
             "format violated")):
        fails(data, CORRUPT % told)
    fails(ours(PACKED[:-9], CRC, len(TEXT)), END)
    whole = BIG[:CHUNK]
    expands(member(whole), whole)


def test_what_a_header_says():
    """A size that is wrong there is that of another program's field, and its data is right."""
    most = CHUNK + CHUNK // 8 + 4096
    more = bytes(most + 1)
    fine, theirs = member(b"fine"), gzip.compress(b"theirs")
    for size in most, most + 1, 0, 0xffffffff, 1, 5, len(PACKED) - 1, len(PACKED) + 1, 100000:
        one = ours(PACKED, CRC, len(TEXT), size=size)
        for before in b"", fine, fine * 9, theirs:
            for behind in b"", fine, fine * 20, theirs, one:
                plain = gzip.decompress(before + one + behind)
                expands(before + one + behind, plain)
    body = zlib.compressobj(6, zlib.DEFLATED, -15)
    body = body.compress(more) + body.flush()
    expands(ours(body, zlib.crc32(more), len(more)), more)
    # The subfield with another length, another name, beside others, and of another program.
    rest = ours(PACKED, CRC, len(TEXT))[20:]
    size = struct.pack("<I", len(PACKED))
    wrong = struct.pack("<I", 5)
    for extra in (b"SZ\4\0" + size, b"XX\2\0ab" + b"SZ\4\0" + size,
                  b"XX\0\0" + b"SZ\4\0" + size + b"YY\1\0c", b"SX\4\0" + wrong,
                  b"XZ\4\0" + wrong, b"SZ\3\0abc", b"SZ\5\0" + wrong + b"x",
                  b"SZ\4\0" + wrong[:3], b"SZ\4", b"", b"XX\377\0" + wrong,
                  b"SZ\4\0" + wrong, b"BC\2\0ab", bytes(32768), bytes(65535)):
        for flags, fields in ((0, b""), (8, b"name\0"), (16, b"comment\0"),
                              (24, b"n" * 40000 + b"\0comment\0")):
            head = b"\x1f\x8b\x08" + bytes([flags | 4]) + bytes(5) + b"\3"
            data = head + struct.pack("<H", len(extra)) + extra + fields + rest
            expands(data)
            fails(data[:-8] + struct.pack("<II", CRC ^ 1, len(TEXT)), CORRUPT % "crc error")


def test_headers_of_others():
    raw = gzip.compress(TEXT, mtime=0)[10:]
    for flags, fields in (
            (8, b"name\0"), (16, b"comment\0"), (24, b"name\0comment\0"), (8, b"\0"),
            (4, b"\6\0ab\2\0cd"), (28, b"\4\0ab\0\0name\0comment\0"),
            (8, b"n" * 600 + b"\0"), (8, b"n" * 5000 + b"\0"),
            (24, b"n" * 3000 + b"\0" + b"c" * 3000 + b"\0"),
            (12, b"\377\377" + bytes(65535) + b"n" * 30000 + b"\0")):
        head = b"\x1f\x8b\x08" + bytes([flags]) + bytes(6) + fields
        expands(head + raw)
        crc = struct.pack("<H", zlib.crc32(b"\x1f\x8b\x08" + bytes([flags | 2]) + bytes(6) +
                                           fields) & 0xffff)
        expands(b"\x1f\x8b\x08" + bytes([flags | 2]) + bytes(6) + fields + crc + raw)
        head = b"\x1f\x8b\x08" + bytes([flags | 2]) + bytes(6) + fields
        fails(head + bytes([crc[0] ^ 1, crc[1]]) + raw, CORRUPT % "header crc error", b"")
    # A header that does not end.
    fails(b"\x1f\x8b\x08\x08" + bytes(6) + b"n" * 200000, END)
    for data, said in ((b"", "unexpected end of file"), (b"x", "unexpected end of file"),
                       (b"\x1f", "unexpected end of file"), (TEXT, "not in gzip format"),
                       (b"\x1e\x8b\x08\0" + raw, "not in gzip format"),
                       (b"\x1f\x8c\x08\0" + raw, "not in gzip format"),
                       (b"\x1f\x9d\x08\0" + raw, "a format that is not supported"),
                       (b"\x1f\x8b\x07\0" + bytes(6) + raw,
                        "a compression method that is not supported"),
                       *((b"\x1f\x8b\x08" + bytes([flag]) + bytes(6) + raw,
                          "header flags that are not supported") for flag in (32, 64, 128))):
        fails(data, "\nspimgz: stdin: %s\n" % said, b"")


def test_truncated():
    """At each byte of header and trailer, and within the data."""
    data = member(TEXT)
    first = member(b"first")
    for cut in (*range(1, 22), 1000, len(data) // 2, *range(len(data) - 9, len(data))):
        done = gz("-dc", stdin=first + data[:cut])
        ends(done, 1, END)
        assert done.out.startswith(b"first") and TEXT.startswith(done.out[5:]), done
    theirs = gzip.compress(TEXT)
    for cut in (*range(1, 12), 1000, *range(len(theirs) - 9, len(theirs))):
        done = gz("-dc", stdin=first + theirs[:cut])
        assert (done.status, done.err.decode()) == (1, END), (cut, done)
        assert done.out.startswith(b"first"), cut


def test_corrupt_of_others():
    theirs = bytearray(gzip.compress(TEXT))
    for at, said in ((len(theirs) - 8, "crc error"), (len(theirs) - 4, "length error")):
        bad = bytearray(theirs)
        bad[at] ^= 1
        fails(bytes(bad), CORRUPT % said)
    bad = bytearray(theirs)
    bad[len(bad) // 2] ^= 0xff
    done = gz("-dc", stdin=bytes(bad))
    assert done.status == 1 and b"\nspimgz: stdin: invalid compressed data--" in done.err, done


def test_what_is_behind():
    data = member(TEXT)
    for rest in b"", b"\0", bytes(1000), bytes(300000):
        expands(data + rest)
    garbage = "\nspimgz: stdin: decompression OK, trailing garbage ignored\n"
    other = "\nspimgz: stdin: a %s that is not supported\n"
    for rest, status, err in (
            (b"junk", 2, garbage), (bytes(1000) + b"x", 2, garbage), (b"xy", 2, garbage),
            (b"\0\x1f\x8b\x08", 2, garbage), (b"\x1fjunk", 2, garbage),
            # What may be more of it is no garbage.
            (b"x", 1, END), (b"\x1f", 1, END), (b"\x1f\x8b", 1, END), (b"\x1f\x8b\x08", 1, END),
            (b"\x1f\x8bjunk and more", 1, other % "compression method"),
            (b"\x1f\x1ejunk", 1, other % "format")):
        ends(gz("-dc", stdin=data + rest), status, err, TEXT)
    with folder() as d:
        name = put(d + "/file.gz", data + b"junk")
        ends(gz("-d", name), 2,
             "\nspimgz: %s: decompression OK, trailing garbage ignored\n" % name)
        assert get(d + "/file") == TEXT and not os.path.exists(name)


def test_one_bad_member_among_good():
    """Whatever follows, which may be in work already, it counts; it is where the output ends."""
    fine, theirs = member(b"fine"), gzip.compress(b"theirs")
    bad = ours(PACKED, CRC ^ 1, len(TEXT))
    for behind in (b"", fine, fine * 20, theirs, fine + theirs, fine + theirs + fine, b"junk"):
        fails(fine + bad + behind, CORRUPT % "crc error", b"fine" + TEXT)


def test_nothing_is_left_of_what_failed():
    with folder() as d:
        data = member(TEXT) + ours(PACKED, CRC ^ 1, len(TEXT))
        name = put(d + "/file.gz", data)
        done = gz("-d", name)
        assert done.status == 1 and b"file.gz: invalid compressed data--crc" in done.err, done
        assert os.listdir(d) == ["file.gz"] and get(name) == data
        assert gz("-t", name).status == 1


# ---- Services that lie ----

# What is said of each when it compresses, and when it expands: "": nothing, the result is right.
NOT_DONE = "spimgz: %s: not executed\n"
DOUBT = "spimgz: %s: a wrong result; going on in software\n"  # then the result is right
LIES = {
    "none": ("", ""),
    "tag": ("", ""),
    "sq-head": ("", ""),
    "other-slot": ("", ""),
    "status-nega": ("", ""),
    "status-high": ("", ""),
    "produced-more": (NOT_DONE, NOT_DONE),
    "produced-huge": (NOT_DONE, NOT_DONE),
    "consumed-more": (NOT_DONE, NOT_DONE),
    "lengths": (NOT_DONE, NOT_DONE),
    "garbage": (NOT_DONE, NOT_DONE),
    "status-unknown": (NOT_DONE, NOT_DONE),
    "consumed-less": (NOT_DONE, DOUBT),
    "zero": (NOT_DONE, DOUBT),
    "untouched": (NOT_DONE, DOUBT),
    "twice": ("", ""),
    "status-no-space": ("spimgz: %s: the output does not fit\n", DOUBT),
    "status-bad-data": ("spimgz: %s: corrupt data\n", DOUBT),
    "checksum": ("spimgz: %s: CRC ", ""),
    "data": ("spimgz: %s: a wrong result, or no memory to check it\n", DOUBT),
}


def lied(done, said, point, correct):
    if said == "":
        assert (done.status, done.err) == (0, b"") and correct(done.out), done
    else:
        said = said % point if "%" in said else said
        if said == DOUBT % point:
            ends(done, 2, said)
            assert correct(done.out), done
            return
        assert done.status == 1 and said in done.err.decode(), done


def test_lies():
    three = BIG[:2 * CHUNK + 1000]
    for lie, (compress, expand) in LIES.items():
        # The second of two completions is one too many only where nothing else is awaited.
        data = TEXT if lie == "twice" else three
        packed = good("-c", stdin=data)
        for n in {"none": ("",), "twice": ("", "@1")}.get(lie, ("", "@1", "@3")):
            with Liar("--lie", lie + n) as liar:
                done = gz("-1", "-c", stdin=data, point=liar.point)
                lied(done, compress, liar.point, lambda out, data=data: right(out, data))
                done = gz("-dc", stdin=packed, point=liar.point)
                lied(done, expand, liar.point, lambda out, data=data: out == data)
                told = liar.end()
                assert (told == 0) == (lie == "none"), (lie, n, told)


def test_lies_about_nothing():
    """No input: what was not done looks as if it had used all of it."""
    for lie, why in (("status-unknown", "not executed"), ("status-bad-data", "corrupt data"),
                     ("status-no-space", "the output does not fit")):
        with Liar("--lie", lie) as liar:
            ends(gz("-c", point=liar.point), 1, "spimgz: %s: %s\n" % (liar.point, why), b"")
            assert liar.end() == 1


def test_a_lie_is_put_right():
    with folder() as d, Liar("--lie", "data@5") as liar:
        packed = good("-c", stdin=BIG)
        name = put(d + "/file.gz", packed)
        done = gz("-d", name, point=liar.point)
        ends(done, 2, DOUBT % liar.point)
        assert os.listdir(d) == ["file"] and get(d + "/file") == BIG
        assert liar.end() == 1


def test_services_that_will_not_do():
    for lie, why in (("version-json", "Protocol error"), ("region-small", "Protocol error"),
                     ("fd-unsealed", "Protocol error"), ("pci-device", "No such device"),
                     ("close@3", "Transport endpoint is not connected"),
                     ("error-enospc@3", "No space left on device"),
                     ("mailbox-status", "Input/output error")):
        with Liar("--lie", lie) as liar:
            done = gz("-c", stdin=TEXT, point=liar.point)
            assert done.status == 1 and done.out == b"", (lie, done)
            assert done.err.decode().endswith("\nspimgz: %s: %s\n" % (liar.point, why)), (lie, done)
    with Liar("--plain") as liar:
        ends(gz("-c", stdin=TEXT, point=liar.point), 1,
             "spimgz: %s: Operation not supported\n" % liar.point, b"")
    # No memory for the data: the small pages are the first, this is the second.
    with Liar("--lie", "error-enospc:2@2") as liar:
        ends(gz("-c", stdin=TEXT, point=liar.point), 1,
             "spimgz: no memory: No space left on device\n", b"")


# ---- Calls that fail ----

# What is said of each, and the status; where calls of one name end in several ways, by text.
MEMORY = ("spimgz: local: Cannot allocate memory", "spimgz: no memory: Cannot allocate memory",
          "spimgz: %s: no memory", "spimgz: no memory")
ENDS = {
    "calloc": MEMORY, "malloc": MEMORY, "aligned_alloc": MEMORY, "mmap": MEMORY,
    "pthread_create": ("spimgz: local: Resource temporarily unavailable",),
    "open": ("spimgz: %s: Too many open files",),
    "openat": ("spimgz: %s: Too many open files",),
    "fstat": ("spimgz: %s: Input/output error",), "read": ("spimgz: %s: Input/output error",),
    "write": ("spimgz: %s: No space left on device",),
    "fchown": ("spimgz: %s: owner: Operation not permitted",
               "spimgz: %s: group: Operation not permitted"),
    "fchmod": ("spimgz: %s: mode and times: Operation not permitted",),
    "futimens": ("spimgz: %s: mode and times: Operation not permitted",),
    "unlinkat": ("spimgz: %s: Permission denied",),
    "renameat2": ("spimgz: %s: Disk quota exceeded",),
}
WARNINGS = ("fchmod", "futimens", "unlinkat") + (("fchown",) if os.geteuid() == 0 else ())
# A queue that is not to be had is asked for again; without events one looks now and then.
QUEUE = ("calloc", "posix_memalign", "aligned_alloc", "malloc")
EVENTS = "epoll_create1", "eventfd", "epoll_ctl"


def failing(d, files, args, stdin, **env):
    """(Done, lines of standard error, the call that failed or "") of a run with these files."""
    for name in os.listdir(d):
        os.unlink(d + "/" + name)
    for name, data in files.items():
        put(d + "/" + name, data)
    done = gz(*args, program=SPIMGZ_FAIL, env=env, stdin=stdin)
    lines = done.err.decode().splitlines()
    return done, lines, "".join(line[10:] for line in lines if line.startswith("fail_nth: "))


def sweep(d, files, args, names, right_now, stdin=b""):
    """Runs it with each call that fails in turn.
    names: of input and output in messages; right_now(done, call): whether all is as it should."""
    # Who never has to wait for a result asks for no events: they are not counted among the
    # others, which else would not be the same in each run.
    for name in EVENTS:
        done, _, call = failing(d, files, args, stdin, FAIL_NTH="1", FAIL_NTH_OF=name)
        assert call in ("", name) and done.status == 0 and right_now(done, call), done
    struck, errors = set(), 0
    for n in range(1, 1000):
        done, lines, call = failing(d, files, args, stdin, FAIL_NTH=str(n),
                                    FAIL_NTH_BUT=" ".join(EVENTS))
        if not call:
            assert done.status == 0 and right_now(done, call), (n, done)
            assert all(line.startswith("spimgz: by ") or line[-1] == "%" for line in lines), done
            break
        struck.add(call)
        if done.status == 0:
            # The first of these calls are those of the opening, which cannot do without. Only
            # who is root must give the file away.
            assert (call in QUEUE and errors > 20) or \
                (call == "fchown" and os.geteuid() != 0) or \
                call == "fcntl", (n, call, done)  # which asks what is open
            assert right_now(done, call), (n, call, done)
            continue
        assert done.status == (2 if call in WARNINGS else 1), (n, call, done)
        said = [text % name if "%" in text else text for text in ENDS[call] for name in names]
        assert lines[-1] in said, (n, call, done)
        assert sum(line in said for line in lines) == 1, (n, call, done)
        if done.status == 2:
            assert right_now(done, call), (n, call, done)
            continue
        errors += 1
        # What was to be read is still there, and nothing that is half.
        assert {name: get(d + "/" + name) for name in os.listdir(d)} == files, (n, call, done)
        # Nothing is told of what was not done.
        assert b"%\n" not in done.err, (n, call, done)
    assert not call, n
    return struck, "%d calls, %d errors" % (n - 1, errors)


ALWAYS = {"aligned_alloc", "calloc", "fcntl", "fstat", "malloc", "mmap", "posix_memalign",
          "pthread_create", "read", "write"}
OPENED = ALWAYS | {"open", "openat"}
OF_FILES = OPENED | {"fchown", "fchmod", "futimens", "renameat2", "unlinkat"}


def test_failures_to_compress():
    with folder() as d:
        def is_right(done, call):
            return done.out == b"" and right(get(d + "/a.gz"), TEXT) and \
                sorted(os.listdir(d)) == (["a", "a.gz"] if call == "unlinkat" else ["a.gz"])
        struck, told = sweep(d, {"a": TEXT}, [d + "/a"], (d + "/a", d + "/a.gz"), is_right)
        assert struck == OF_FILES, struck
        return told


def test_failures_to_expand():
    with folder() as d:
        def is_right(done, call):
            return done.out == b"" and get(d + "/a") == TEXT and \
                sorted(os.listdir(d)) == (["a", "a.gz"] if call == "unlinkat" else ["a"])
        struck, told = sweep(d, {"a.gz": member(TEXT)}, ["-d", d + "/a.gz"],
                             (d + "/a", d + "/a.gz"), is_right)
        assert struck == OF_FILES, struck
        return told


def test_failures_with_the_members_of_others():
    data = gzip.compress(TEXT) + member(TEXT)
    with folder() as d:
        struck, told = sweep(d, {"a.gz": data}, ["-dc", d + "/a.gz"], (d + "/a.gz", "stdout"),
                             lambda done, call: done.out == TEXT * 2)
        assert struck == OPENED, struck
        return told


def test_failures_of_a_pipe():
    """With what was done told at the end, if it was."""
    plain = TEXT[:4000]  # read at once
    packed = good("-c", stdin=plain)
    line = "%5.1f%%\n" % (100 - (len(packed) - 28) / 40)
    with folder() as d:
        struck, told = sweep(d, {}, ["-v"], ("stdin", "stdout"), lambda done, call:
                             right(done.out, plain) and line.encode() in done.err, plain)
        assert struck == ALWAYS, struck
        return told


def test_nothing_is_left_at_the_end():
    """No memory and no descriptor, however it ends: with 0 there is a line if there is."""
    env = {"FAIL_NTH": "0"}
    theirs = gzip.compress(TEXT)
    with folder() as d:
        for args, stdin, status in (
                ((), TEXT, 0), (("-d",), member(TEXT) * 20, 0), (("-d",), theirs * 2, 0),
                (("-d",), theirs[:-1], 1), (("-d",), theirs[:1000] + b"x" * 1000, 1),
                (("-d",), ours(PACKED, CRC ^ 1, len(TEXT)) * 3, 1), (("-d",), b"x", 1),
                (("-d",), ours(PACKED, CRC, len(TEXT), size=9) * 3, 0), (("-cdf",), b"xyz", 0),
                (("-d",), member(TEXT) + b"xy", 2), (("-P",), TEXT, 0), (("-x",), b"", 1),
                (("-f", d + "/a", d + "/a", d + "/b"), b"", 1), (("-d", d + "/a"), b"", 2),
                ((d + "/a", d), b"", 2), (("-k", d + "/b", d + "/b"), b"", 2),
                (("-rf", d), b"", 0), (("-rl", d), b"", 0), (("-S", ""), b"", 1),
                (("-dkN", d + "/c.gz"), b"", 2), (("-dkNf", d + "/c.gz"), b"", 0)):
            put(d + "/c.gz", good("-c", put(d + "/c", TEXT)))
            put(d + "/a", TEXT)
            put(d + "/b", TEXT)
            for name in "a.gz", "b.gz", "c.gz.gz":
                if os.path.exists(d + "/" + name):
                    os.unlink(d + "/" + name)
            done = gz(*args, stdin=stdin, env=env, program=SPIMGZ_FAIL)
            assert done.status == status and b"fail_nth" not in done.err, (args, done)
    for lie in "none", "status-unknown@2", "mailbox-status", "version-json":
        with Liar("--lie", lie) as liar:
            done = gz("-c", stdin=BIG, env=env, program=SPIMGZ_FAIL, point=liar.point)
            assert done.status == (lie != "none") and b"fail_nth" not in done.err, (lie, done)
    with Server("--queues", "1") as s:
        c, mem = Client(s.path), Memory(1 << 20)
        c.dma_map(mem.fd, mem.size, mem.iova)
        assert Queue(c, mem, 0, COMPRESS).status == 0
        ends(gz("-c", stdin=TEXT, env=env, program=SPIMGZ_FAIL, point="unix:" + s.path), 0,
             "spimgz: unix:%s: Device or resource busy; going on in software\n" % s.path)
        mem.close()


def test_without_standard_input():
    """A file may have its number, and is opened and closed as with any other."""
    with folder() as d:
        name = put(d + "/a", TEXT)
        for args in [name], ["-d", name + ".gz"], ["-k", name], ["-kf", name, name]:
            done = subprocess.run(["sh", "-c", 'exec "$0" "$@" <&-', SPIMGZ_FAIL, "-s", "local",
                                   *args], capture_output=True, timeout=60, check=False,
                                  env=dict(os.environ, FAIL_NTH="0"))
            assert (done.returncode, done.stdout, done.stderr) == (0, b"", b""), (args, done)
        assert get(name) == TEXT and right(get(name + ".gz"), TEXT)


def test_neither_queue_nor_software():
    with Server("--queues", "1") as s:
        c, mem = Client(s.path), Memory(1 << 20)
        c.dma_map(mem.fd, mem.size, mem.iova)
        assert Queue(c, mem, 0, COMPRESS).status == 0
        done = gz("-v", stdin=TEXT, point="unix:" + s.path, program=SPIMGZ_FAIL,
                  env={"FAIL_NTH": "1", "FAIL_NTH_OF": "pthread_create"})
        lines = done.err.decode().splitlines()
        assert lines[:3] == ["spimgz: by unix:" + s.path, "spimgz: unix:%s: Device or resource "
                             "busy; going on in software" % s.path,
                             "fail_nth: pthread_create"], done
        assert (done.status, done.out) == (1, b"") and b"%\n" not in done.err, done
        mem.close()


def test_little_at_a_time():
    packed = good("-c", stdin=TEXT[:20000])
    for bytes_ in "1", "7", "4096":
        env = {"FAIL_NTH_SHORT": bytes_}
        assert good("-c", stdin=TEXT[:20000], env=env, program=SPIMGZ_FAIL) == packed
        assert good("-dc", stdin=packed, env=env, program=SPIMGZ_FAIL) == TEXT[:20000]


if __name__ == "__main__":
    sys.exit(runner.main(sys.modules[__name__], "spimgz"))
