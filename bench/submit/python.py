# SPDX-License-Identifier: MIT
"""submit in Python: ThreadPoolExecutor.submit() and Future.result()."""

import os
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../common"))
import bench  # noqa: E402


def run_round(pool, n, number):
    args = bench.args_of(n, number)
    start = time.perf_counter_ns()
    futures = [pool.submit(bench.echo, arg) for arg in args]
    results = [future.result() for future in futures]
    took = time.perf_counter_ns() - start
    bench.check(args, results)
    return took / n


def main():
    n, workers, rounds = bench.parse(10000)
    with ThreadPoolExecutor(workers) as pool:
        cold = run_round(pool, n, 0)
        warm = [run_round(pool, n, i + 1) for i in range(rounds)]
    bench.metric("ns_per_task", statistics.median(warm))
    bench.metric("cold_ns_per_task", cold)


main()
