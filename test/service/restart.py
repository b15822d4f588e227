# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""The service is killed over and over under the load of DPDK applications, which must not notice.

Every second client has its data in memory that it mapped by rte_dev_dma_map().

usage: restart.py --client PROGRAM [--clients N] [--seconds N] [--every SECONDS] [--sw off|auto]
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time

from server import TOP, Server

sys.path.insert(0, os.path.join(TOP, "app", "perf"))

import stock  # noqa: E402

EAL = ("--no-huge -m 64 --no-pci --no-telemetry --lcores 0@(0-%d) --log-level=*:error"
       % (os.cpu_count() - 1)).split()


def prefix(number):
    return "restart%d_%d" % (os.getpid(), number)


class Client:
    """A running restart_client."""

    def __init__(self, program, path, number, sw, folder):
        self.log = os.path.join(folder, "client%d" % number)
        vdev = "compress_hisi_zip,dev=unix:%s,sw=%s" % (path, sw)
        with open(self.log, "wb") as log:
            # pylint: disable=consider-using-with
            self.proc = subprocess.Popen(
                [program, *EAL, "--file-prefix", prefix(number), "--vdev", vdev,
                 *(["--", "external"] if number % 2 else [])],
                stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)

    def text(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()

    def alive(self):
        if self.proc.poll() is not None:
            sys.exit("FAILED: a client ended with %d:\n%s" % (self.proc.returncode, self.text()))

    def ready(self, timeout=120):
        end = time.monotonic() + timeout
        while "ready\n" not in self.text():
            self.alive()
            if time.monotonic() > end:
                sys.exit("FAILED: a client is not ready:\n" + self.text())
            time.sleep(0.05)

    def end(self):
        """Returns the ops done, and the longest wait for a burst in us."""
        self.proc.send_signal(signal.SIGTERM)
        status = self.proc.wait(120)
        if status != 0:
            sys.exit("FAILED: a client ended with %d:\n%s" % (status, self.text()))
        done, longest = self.text().splitlines()[-1].split()
        return int(done), int(longest)


def run(args, folder, servers, clients):
    """All that is started is put in these lists, to be ended by the caller."""
    start = time.monotonic()
    servers.append(Server("--workers", "2", folder=folder))
    kills = 0
    for i in range(args.clients):
        clients.append(Client(args.client, servers[0].path, i, args.sw, folder))
    for c in clients:
        c.ready()
    print("     %d clients are ready after %.1f s" % (len(clients), time.monotonic() - start),
          flush=True)
    end = time.monotonic() + args.seconds
    while time.monotonic() < end:
        time.sleep(args.every)
        for c in clients:
            c.alive()
        servers[-1].end(signal.SIGKILL)
        kills += 1
        servers.append(Server("--workers", "2", folder=folder))
    results = [c.end() for c in clients]
    status = servers[-1].end()
    if status != 0:
        sys.exit("FAILED: the service ended with %d:\n%s" % (status, servers[-1].log()))
    done = [r[0] for r in results]
    print("     sw=%s: %d kills, %d clients, %d ops verified (%d to %d each), 0 failed, 0 wrong; "
          "longest wait for a burst %.0f ms" %
          (args.sw, kills, len(clients), sum(done), min(done), max(done),
           max(r[1] for r in results) / 1000), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--client", required=True)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--every", type=float, default=1)
    parser.add_argument("--sw", choices=("off", "auto"), default="off")
    args = parser.parse_args()
    servers, clients = [], []
    with tempfile.TemporaryDirectory(prefix="spimdevd-restart-") as folder:
        try:
            run(args, folder, servers, clients)
        finally:
            for one in clients + servers:
                if one.proc.poll() is None:
                    one.proc.kill()
                    one.proc.wait()
            for number in range(args.clients):
                stock.forget(prefix(number))


if __name__ == "__main__":
    main()
