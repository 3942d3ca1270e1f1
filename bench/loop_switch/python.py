# SPDX-License-Identifier: MIT
"""loop_switch in Python: asyncio.sleep(0)."""

import asyncio
import os
import sys
import time
from statistics import median

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../common"))
import bench  # noqa: E402

MANY = 1000


async def take_turns(times):
    for _ in range(times):
        await asyncio.sleep(0)


async def run_all(tasks, n):
    start = time.perf_counter_ns()
    await asyncio.gather(*[take_turns(n // tasks) for _ in range(tasks)])
    return time.perf_counter_ns() - start


def main():
    n, _, rounds = bench.parse(200000)
    for metric, tasks in ("ns_per_switch_2", 2), ("ns_per_switch_1000", MANY):
        took = [asyncio.run(run_all(tasks, n)) for _ in range(rounds + 1)]
        bench.metric(metric, median(took[1:]) / n)


main()
