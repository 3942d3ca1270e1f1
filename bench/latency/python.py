# SPDX-License-Identifier: MIT
"""latency in Python: ThreadPoolExecutor.submit(...).result()."""

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../common"))
import bench  # noqa: E402

GAP_NS = 100000


def one_task(pool, arg):
    start = time.perf_counter_ns()
    result = pool.submit(bench.echo, arg).result()
    took = time.perf_counter_ns() - start
    bench.check([arg], [result])
    return took


def busy_for(ns):
    end = time.perf_counter_ns() + ns
    while time.perf_counter_ns() < end:
        pass


def main():
    n, workers, _ = bench.parse(7000)
    idle = []
    with ThreadPoolExecutor(workers) as pool:
        for i in range(n // 10):
            one_task(pool, i)
        hot = [one_task(pool, i) for i in range(n)]
        for i in range(n // 7 + 1):
            busy_for(GAP_NS)
            idle.append(one_task(pool, i))
    bench.metric("hot_p50_ns", bench.percentile(hot, 0.5))
    bench.metric("hot_p99_ns", bench.percentile(hot, 0.99))
    bench.metric("idle_p50_ns", bench.percentile(idle, 0.5))
    bench.metric("idle_p99_ns", bench.percentile(idle, 0.99))


main()
