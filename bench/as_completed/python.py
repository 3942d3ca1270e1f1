# SPDX-License-Identifier: MIT
"""as_completed in Python: concurrent.futures.as_completed()."""

import os
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../common"))
import bench  # noqa: E402


def run_round(pool, n, number):
    args = bench.args_of(n, number)
    start = time.perf_counter_ns()
    futures = [pool.submit(bench.echo, arg) for arg in args]
    submitted = time.perf_counter_ns()
    came = list(as_completed(futures))
    end = time.perf_counter_ns()
    bench.check(args, sorted((f.result() for f in came), reverse=True))
    return (end - start) / n, (end - submitted) / n


def run_size(pool, size, n, rounds):
    times = [run_round(pool, n, number) for number in range(rounds + 1)][1:]
    totals, drains = zip(*times)
    bench.metric(f"{size}_drain_ns", statistics.median(drains))
    bench.metric(f"{size}_total_ns", statistics.median(totals))


def main():
    n, workers, rounds = bench.parse(10000)
    with ThreadPoolExecutor(workers) as pool:
        run_size(pool, "small", n, rounds)


main()
