# SPDX-License-Identifier: MIT
"""memory in Python: pending futures of a ThreadPoolExecutor."""

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../common"))
import bench  # noqa: E402


def resident_bytes():
    with open("/proc/self/smaps_rollup", encoding="ascii") as file:
        for line in file:
            if line.startswith("Rss:"):
                return int(line.split()[1]) * 1024
    sys.exit("no Rss line in /proc/self/smaps_rollup")


def main():
    n, workers, _ = bench.parse(100000)
    args = bench.args_of(n, 0)
    gate = threading.Event()
    entered = threading.Barrier(workers + 1)

    def block():
        entered.wait()
        gate.wait()

    with ThreadPoolExecutor(workers) as pool:
        for _ in range(workers):
            pool.submit(block)
        entered.wait()
        before = resident_bytes()
        futures = [pool.submit(bench.echo, arg) for arg in args]
        after = resident_bytes()
        gate.set()
        bench.check(args, [future.result() for future in futures])
    bench.metric("bytes_per_task", (after - before) / n)


main()
