# SPDX-License-Identifier: MIT
"""process_kill in Python: a ProcessPoolExecutor's worker dies, and with it the
pool, so that each kill has a new one."""

import mmap
import os
import signal
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../common"))
import bench  # noqa: E402

SETTLE_S = 200e-6
PID_SIZE = 8
shared = mmap.mmap(-1, PID_SIZE)  # shared with forked processes


def block():
    shared[:] = os.getpid().to_bytes(PID_SIZE, "little")
    while True:
        signal.pause()


def kill_once(workers):
    shared[:] = bytes(PID_SIZE)
    with ProcessPoolExecutor(workers, mp_context=get_context("fork")) as pool:
        future = pool.submit(block)
        while not any(shared[:]):
            time.sleep(0)
        time.sleep(SETTLE_S)
        start = time.perf_counter_ns()
        os.kill(int.from_bytes(shared[:], "little"), signal.SIGKILL)
        error = future.exception()
        took = time.perf_counter_ns() - start
    if not isinstance(error, BrokenProcessPool):
        sys.exit("the task did not fail as a killed one")
    return took / 1e3


def main():
    n, workers, _ = bench.parse(30)
    for _ in range(n // 10 + 1):
        kill_once(workers)
    us = [kill_once(workers) for _ in range(n)]
    bench.metric("kill_us", statistics.median(us))


if __name__ == "__main__":
    main()
