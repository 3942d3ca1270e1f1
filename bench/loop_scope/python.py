# SPDX-License-Identifier: MIT
"""loop_scope in Python: asyncio.timeout(), or wait_for() before 3.11."""

import asyncio
import os
import sys
import time
from statistics import median

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../common"))
import bench  # noqa: E402

PENDING = 10000


async def nothing():
    pass


async def run(n):
    loop = asyncio.get_running_loop()
    pending = [loop.call_later(1000, sys.exit) for _ in range(PENDING)]
    start = time.perf_counter_ns()
    for _ in range(n):
        if hasattr(asyncio, "timeout"):
            async with asyncio.timeout(1):
                await nothing()
        else:
            await asyncio.wait_for(nothing(), 1)
    took = time.perf_counter_ns() - start
    for timer in pending:
        timer.cancel()
    return took / n


def main():
    n, _, rounds = bench.parse(50000)
    took = [asyncio.run(run(n)) for _ in range(rounds + 1)]
    bench.metric("ns_per_scope", median(took[1:]))


main()
