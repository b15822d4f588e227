# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""A vfio-user client that speaks raw bytes, and a driver of the ZIP function over it.

It shares no code with the service or with our client library, so that a mistake in those does
not cancel out. Register and ring formats: lib/hisi_hw.
"""

import array
import json
import mmap
import os
import socket
import struct
import time
import weakref

VERSION, DMA_MAP, DMA_UNMAP, GET_INFO, GET_REGION_INFO = 1, 2, 3, 4, 5
GET_IRQ_INFO, SET_IRQS, REGION_READ, REGION_WRITE, DEVICE_RESET = 7, 8, 9, 10, 13
REPLY, NO_REPLY, ERROR = 0x1, 0x10, 0x20
BAR2, BAR4, CONFIG = 2, 4, 7

MAILBOX, DB_SQ_CQ, REG_WAKE = 0x300, 0x1000, 0x2818
MB_SQC, MB_CQC, MB_VFT, MB_STOP_QP = 0x0, 0x1, 0x6, 0x8
MB_BUSY, MB_READ = 1 << 13, 1 << 14
MB_NO_QUEUE = 7
COMPRESS, DECOMPRESS = 0, 1
REQ_DEFLATE, REQ_ZLIB, REQ_GZIP = 1, 2, 3

HDR = struct.Struct("<HHIII")


class Refused(Exception):
    """The server answered with an error; args[0] is the errno."""


class Client:
    """One connection."""

    every = weakref.WeakSet()

    @classmethod
    def close_all(cls, path):
        """Ends those of a service that are still open."""
        for c in [c for c in cls.every if c.path == path]:
            c.close()

    def __init__(self, path, spim=False, negotiate=True, timeout=20):
        self.path = path
        Client.every.add(self)
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(timeout)
        self.sock.connect(path)
        self.msg_id = 0
        self.caps = None
        if negotiate:
            self.negotiate(spim)

    def close(self):
        self.sock.close()

    def negotiate(self, spim=False):
        caps = {"capabilities": {"max_msg_fds": 16, "max_data_xfer_size": 1048576}}
        if spim:
            caps["capabilities"]["spim"] = {"version": 1}
        text = json.dumps(caps).encode() + b"\0"
        reply, _ = self.request(VERSION, struct.pack("<HH", 0, 0) + text)
        self.caps = json.loads(reply[4:].rstrip(b"\0") or b"{}").get("capabilities", {})

    def send(self, cmd, payload, fds=(), flags=0):
        self.msg_id = self.msg_id + 1 & 0xffff
        msg = HDR.pack(self.msg_id, cmd, HDR.size + len(payload), flags, 0) + payload
        anc = []
        if fds:
            anc = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))]
        sent = self.sock.sendmsg([msg], anc)
        while sent < len(msg):
            sent += self.sock.send(msg[sent:])
        return self.msg_id

    def receive(self):
        fds = array.array("i")
        data = b""
        while len(data) < HDR.size:
            part, anc, _, _ = self.sock.recvmsg(HDR.size - len(data), 1024)
            if not part:
                raise ConnectionResetError("closed by the server")
            data += part
            for level, kind, raw in anc:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                    fds.frombytes(raw[:len(raw) - len(raw) % fds.itemsize])
        msg_id, cmd, size, flags, error = HDR.unpack(data)
        body = b""
        while len(body) < size - HDR.size:
            part, anc, _, _ = self.sock.recvmsg(size - HDR.size - len(body), 1024)
            if not part:
                raise ConnectionResetError("closed by the server")
            body += part
            for level, kind, raw in anc:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                    fds.frombytes(raw[:len(raw) - len(raw) % fds.itemsize])
        return msg_id, cmd, flags, error, body, list(fds)

    def request(self, cmd, payload=b"", fds=()):
        """Returns (payload of the reply, descriptors that came with it)."""
        want = self.send(cmd, payload, fds)
        msg_id, got, flags, error, body, got_fds = self.receive()
        if (msg_id, got) != (want, cmd) or not flags & REPLY:
            raise AssertionError("reply %d to command %d, expected %d to %d"
                                 % (msg_id, got, want, cmd))
        if flags & ERROR:
            raise Refused(error)
        return body, got_fds

    def dma_map(self, fd, size, iova, offset=0, prot=3):
        self.request(DMA_MAP, struct.pack("<IIQQQ", 32, prot, offset, iova, size),
                     [fd] if fd is not None else [])

    def dma_unmap(self, iova, size, flags=0):
        self.request(DMA_UNMAP, struct.pack("<IIQQ", 24, flags, iova, size))

    def region_info(self, index):
        """Returns (size, flags, fds)."""
        body, fds = self.request(GET_REGION_INFO, struct.pack("<IIIIQQ", 256, 0, index, 0, 0, 0))
        _, flags, _, _, size, _ = struct.unpack_from("<IIIIQQ", body)
        return size, flags, fds

    def read(self, region, offset, size):
        body, _ = self.request(REGION_READ, struct.pack("<QII", offset, region, size))
        return body[16:]

    def write(self, region, offset, data, posted=False):
        payload = struct.pack("<QII", offset, region, len(data)) + data
        if posted:
            self.send(REGION_WRITE, payload, flags=NO_REPLY)
        else:
            self.request(REGION_WRITE, payload)

    def set_irqs(self, index, fds):
        self.request(SET_IRQS, struct.pack("<IIIII", 20, 0x24, index, 0, len(fds)), fds)

    def reset(self):
        self.request(DEVICE_RESET)

    # ---- The function ----

    def mailbox(self, cmd, queue=0, base=0, read=False):
        """Returns (status, data)."""
        w0 = cmd | MB_BUSY | (MB_READ if read else 0)
        self.write(BAR2, MAILBOX, struct.pack("<HHQI", w0, queue, base, 0))
        end = time.monotonic() + 30
        while True:
            w0, _, data = struct.unpack("<HHQ", self.read(BAR2, MAILBOX, 4)
                                        + self.read(BAR2, MAILBOX + 4, 8))
            if not w0 & MB_BUSY:
                return w0 >> 9 & 0xf, data
            if time.monotonic() > end:
                raise AssertionError("mailbox command %d stays busy" % cmd)

    def queues(self):
        """How many queues the function has (VFT)."""
        status, data = self.mailbox(MB_VFT, read=True)
        assert status == 0, status
        return (data >> 45 & 0x3ff) + 1


class Memory:
    """A memfd that client and service share; handed out from the start on."""

    def __init__(self, size, iova=0x100000000):
        self.fd = os.memfd_create("spimdevd-test")
        os.ftruncate(self.fd, size)
        self.map = mmap.mmap(self.fd, size)
        self.size = size
        self.iova = iova
        self.used = 0

    def close(self):
        self.map.close()
        os.close(self.fd)

    def alloc(self, size, align=128):
        """Returns an offset."""
        off = (self.used + align - 1) // align * align
        self.used = off + size
        assert self.used <= self.size, "the test's memory is too small"
        return off


class Queue:
    """A queue pair of a function: rings, doorbells, requests."""

    RAND = 0x5a5a

    def __init__(self, client, mem, number, kind, depth=16, rev3=True, doorbells=None):
        self.client, self.mem, self.number, self.depth = client, mem, number, depth
        self.rev3, self.doorbells = rev3, doorbells
        self.tail = self.head = 0
        self.phase = 1
        self.sq = mem.alloc(128 * depth)
        self.cq = mem.alloc(16 * depth)
        ctx = mem.alloc(32)
        mem.map[self.cq:self.cq + 16 * depth] = bytes(16 * depth)
        base = mem.iova + self.sq
        mem.map[ctx:ctx + 32] = struct.pack(
            "<HHQIHHHHHHI", 0, 0, base, depth - 1 | 7 << 12, self.RAND, 0, 0, 0, number,
            0x10 | kind << 8, 0)
        self.status, _ = client.mailbox(MB_SQC, number, mem.iova + ctx)
        if self.status == 0:
            base = mem.iova + self.cq
            mem.map[ctx:ctx + 32] = struct.pack(
                "<HHQIHHHHII", 0, 0, base, depth - 1 | 4 << 12, self.RAND, 0, 0, 0, 1, 0)
            self.status, _ = client.mailbox(MB_CQC, number, mem.iova + ctx)

    def ring(self, cmd, index):
        value = self.number | cmd << 12 | self.RAND << 16 | index << 32
        if self.doorbells is None:
            self.client.write(BAR2, DB_SQ_CQ, struct.pack("<Q", value), posted=True)
            return
        # Shadow doorbells: sq at 0, asleep at 8, cq at 64 of each 128 bytes.
        off = 128 * self.number
        at = off + (64 if cmd else 0)
        self.doorbells[at:at + 8] = struct.pack("<Q", value)
        # A store and a load of one thread in an interpreter: fenced by far.
        if not cmd and self.doorbells[off + 8] != 0:
            self.client.write(BAR2, REG_WAKE, struct.pack("<I", self.number), posted=True)

    def push(self, req, src, src_len, dst, dst_len, stream=None):
        """One request without ringing; src and dst are offsets in the memory, as is stream, the
        context of a stream that begins and stays open."""
        iova = self.mem.iova
        dw = [0] * 32
        dw[4] = src_len
        dw[7] = 3 << 28 if self.rev3 else 0
        dw[9] = req | 4 << 12
        dw[14] = dst_len
        dw[18], dw[19] = iova + src & 0xffffffff, iova + src >> 32
        dw[20], dw[21] = iova + dst & 0xffffffff, iova + dst >> 32
        if stream is not None:
            dw[7] |= 3 << 26
            dw[22], dw[23] = iova + stream + 64 & 0xffffffff, iova + stream + 64 >> 32
        off = self.sq + 128 * self.tail
        self.mem.map[off:off + 128] = struct.pack("<32I", *dw)
        self.tail = (self.tail + 1) % self.depth
        return off

    def submit(self):
        self.ring(0, self.tail)

    def poll(self):
        """The offset of the next finished SQE, or None."""
        off = self.cq + 16 * self.head
        cqe = struct.unpack("<IHHHHHH", self.mem.map[off:off + 16])
        if cqe[6] & 1 != self.phase:
            return None
        self.head = (self.head + 1) % self.depth
        self.phase ^= self.head == 0
        self.ring(1, self.head)
        return self.sq + 128 * cqe[3]

    def wait(self, timeout=20):
        """(status, consumed, produced) of the next finished request."""
        end = time.monotonic() + timeout
        while (off := self.poll()) is None:
            if time.monotonic() > end:
                raise AssertionError("no completion within %d s" % timeout)
        consumed, produced, _, dw3 = struct.unpack("<4I", self.mem.map[off:off + 16])
        return dw3 & 0xff, consumed, produced

    def run(self, req, data, room, stream=None):
        """Executes one request; returns (status, output)."""
        src, dst = self.mem.alloc(len(data)), self.mem.alloc(room)
        self.mem.map[src:src + len(data)] = data
        self.push(req, src, len(data), dst, room, stream)
        self.submit()
        status, _, produced = self.wait()
        return status, self.mem.map[dst:dst + produced]
