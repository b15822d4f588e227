# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""Makes the default corpora, one of text and one of programs, of what the machine has."""

import os

SIZE = 4 << 20
# Folders that hold something on the smallest Debian with our packages installed. Spread over
# several kinds, each may give at most its share of what is still missing.
TEXT = ["/usr/share/common-licenses", "/usr/include/dpdk", "/usr/lib/python3",
        "/usr/share/perl", "/usr/include"]
BINARY = ["/usr/bin", "/usr/lib/gcc", "/usr/sbin"]
ELF = b"\x7fELF"


def files_below(folder):
    """Regular files in a fixed order."""
    for root, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(root, name)
            if os.path.isfile(path) and not os.path.islink(path):
                yield path


def is_text(data):
    return b"\0" not in data and data[:4] != ELF


def is_program(data):
    return data[:4] == ELF


def gather(folders, wanted, size):
    """Concatenates wanted files until size is reached."""
    parts, have = [], 0
    for i, folder in enumerate(folders):
        share = have + (size - have) // (len(folders) - i)
        for path in files_below(folder):
            if have >= share:
                break
            try:
                with open(path, "rb") as f:
                    data = f.read(share - have)
            except OSError:
                continue
            if wanted(data):
                parts.append(data)
                have += len(data)
    return b"".join(parts)


def make(folder):
    """Paths of the text and the binary corpus, made below folder unless they are there."""
    os.makedirs(folder, exist_ok=True)
    paths = []
    for name, folders, wanted in (("text", TEXT, is_text), ("binary", BINARY, is_program)):
        path = os.path.join(folder, name)
        if not os.path.exists(path):
            data = gather(folders, wanted, SIZE)
            if len(data) < SIZE // 4:
                raise OSError("only %d bytes of %s found below %s; expected %d"
                              % (len(data), name, ", ".join(folders), SIZE // 4))
            with open(path + ".new", "wb") as f:
                f.write(data)
            os.rename(path + ".new", path)
        paths.append(path)
    return paths
