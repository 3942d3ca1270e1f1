# SPDX-License-Identifier: MIT
"""loop_sleep in Python: asyncio.sleep()."""

import asyncio
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../common"))
import bench  # noqa: E402

SLEEP_NS = 100000


async def sleep_often(n):
    late = []
    for _ in range(n):
        start = time.perf_counter_ns()
        await asyncio.sleep(SLEEP_NS / 1e9)
        late.append(time.perf_counter_ns() - start - SLEEP_NS)
    return late


def main():
    n, _, _ = bench.parse(2000)
    late = asyncio.run(sleep_often(n))
    bench.metric("earliest_ns", min(late))
    bench.metric("late_p50_ns", bench.percentile(late, 0.5))
    bench.metric("late_p99_ns", bench.percentile(late, 0.99))


main()
