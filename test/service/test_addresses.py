# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""spimdevd has clients with a TiB of memory."""
# not sanitized: the runtimes need a millisecond to unmap 8 MiB of addresses

import os
import struct
import sys

import runner
from server import Server
from vfio_user import DMA_MAP, Client, Memory


def test_1_tib_in_pages_of_1_gib():
    """Addresses only: the files are sparse."""
    gib = 1 << 30
    with Server() as s:
        c = Client(s.path)
        for n in range(1024):
            fd = os.memfd_create("spimdevd-test")
            os.ftruncate(fd, gib)
            c.send(DMA_MAP, struct.pack("<IIQQQ", 32, 3, 0, (n + 4) * gib, gib), [fd])
            os.close(fd)
            assert c.receive()[3] == 0, s.log()
        c.close()


def test_1_tib_in_one_segment():
    """The same, as one file; and more of the user's."""
    gib = 1 << 30
    with Server() as s:
        c, fd = Client(s.path), os.memfd_create("spimdevd-test")
        os.ftruncate(fd, 1024 * gib)
        c.dma_map(fd, 1024 * gib, gib)
        os.close(fd)
        other, mem = Client(s.path), Memory(1 << 22)
        other.dma_map(mem.fd, mem.size, mem.iova)
        other.close()
        c.close()
        mem.close()


if __name__ == "__main__":
    sys.exit(runner.main(sys.modules[__name__], "spimdevd addresses"))
