# SPDX-License-Identifier: MIT
"""loop_spawn in Python: asyncio.create_task(), and await."""

import asyncio
import os
import sys
import time
from statistics import median

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../common"))
import bench  # noqa: E402

MANY = 1000


async def nothing():
    pass


async def spawn(at_once, n):
    start = time.perf_counter_ns()
    for _ in range(n // at_once):
        tasks = [asyncio.create_task(nothing()) for _ in range(at_once)]
        for task in tasks:
            await task
    return time.perf_counter_ns() - start


def main():
    n, _, rounds = bench.parse(50000)
    for metric, at_once in ("ns_per_task_1", 1), ("ns_per_task_1000", MANY):
        took = [asyncio.run(spawn(at_once, n)) for _ in range(rounds + 1)]
        bench.metric(metric, median(took[1:]) / n)


main()
