# SPDX-License-Identifier: MIT
"""loop_await_pool in Python: asyncio's loop.run_in_executor()."""

import asyncio
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from statistics import median

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../common"))
import bench  # noqa: E402

MANY = 1000
GAP_NS = 100000


def nothing():
    pass


async def one_by_one(pool, n, gap_ns):
    loop = asyncio.get_running_loop()
    took = []
    for _ in range(n):
        start = time.perf_counter_ns()
        while time.perf_counter_ns() < start + gap_ns:
            pass
        start = time.perf_counter_ns()
        await loop.run_in_executor(pool, nothing)
        took.append(time.perf_counter_ns() - start)
    return took


async def many(pool, times):
    loop = asyncio.get_running_loop()
    took = []
    for _ in range(times):
        start = time.perf_counter_ns()
        await asyncio.gather(
            *[loop.run_in_executor(pool, nothing) for _ in range(MANY)])
        took.append((time.perf_counter_ns() - start) / MANY)
    return took


def main():
    n, workers, _ = bench.parse(7000)
    with ThreadPoolExecutor(workers) as pool:
        for name, count, gap_ns in ("hot", n, 0), ("idle", n // 7 + 1, GAP_NS):
            took = asyncio.run(one_by_one(pool, count, gap_ns))
            bench.metric(f"{name}_p50_ns", bench.percentile(took, 0.5))
            bench.metric(f"{name}_p99_ns", bench.percentile(took, 0.99))
        took = asyncio.run(many(pool, n // MANY + 1))
        bench.metric("many_ns_per_task", median(took))


main()
