# SPDX-License-Identifier: MIT
"""Workloads that several of Python's pools go through. A pool has submit() and
is a context manager; open_pool(workers) makes one."""

import collections
import os
import statistics
import sys
import time

import bench

GAP_NS = 100000
PAYLOADS_PER_WORKER = 2
PAYLOADS = {"copy_64k": 64 << 10, "copy_1m": 1 << 20, "copy_16m": 16 << 20}
BALLAST = 1 << 30  # bytes


def submit_all(pool, args):
    """A future for each, then all results."""
    futures = [pool.submit(bench.echo, arg) for arg in args]
    return [future.result() for future in futures]


def timed_batch(pool, n, number, run_batch=submit_all):
    """Nanoseconds for n tasks with arguments of round number."""
    args = bench.args_of(n, number)
    start = time.perf_counter_ns()
    results = run_batch(pool, args)
    took = time.perf_counter_ns() - start
    bench.check(args, results)
    return took


def submit(open_pool, run_batch=submit_all):
    """run_batch(pool, args) gives the results."""
    n, workers, rounds = bench.parse(10000)
    with open_pool(workers) as pool:
        cold, *warm = (timed_batch(pool, n, i, run_batch) / n
                       for i in range(rounds + 1))
    bench.metric("ns_per_task", statistics.median(warm))
    bench.metric("cold_ns_per_task", cold)


def latency(open_pool):
    def busy_for(ns):
        end = time.perf_counter_ns() + ns
        while time.perf_counter_ns() < end:
            pass

    n, workers, _ = bench.parse(7000)
    idle = []
    with open_pool(workers) as pool:
        for i in range(n // 10):
            timed_batch(pool, 1, i)
        hot = [timed_batch(pool, 1, i) for i in range(n)]
        for i in range(n // 7 + 1):
            busy_for(GAP_NS)
            idle.append(timed_batch(pool, 1, i))
    bench.metric("hot_p50_ns", bench.percentile(hot, 0.5))
    bench.metric("hot_p99_ns", bench.percentile(hot, 0.99))
    bench.metric("idle_p50_ns", bench.percentile(idle, 0.5))
    bench.metric("idle_p99_ns", bench.percentile(idle, 0.99))


def same(payload):
    return payload


def timed_payloads(pool, payloads, tasks):
    """MB per second. Comparing the results reads all of them."""
    under_way = collections.deque()
    start = time.perf_counter_ns()
    for i in range(tasks + len(payloads)):
        payload = payloads[i % len(payloads)]
        if i >= len(payloads) and under_way.popleft().result() != payload:
            sys.exit("a payload came back wrong")
        if i < tasks:
            under_way.append(pool.submit(same, payload))
    took = time.perf_counter_ns() - start
    return tasks * len(payloads[0]) * 1e3 / took


def payload(open_pool):
    n, workers, rounds = bench.parse(32)
    slots = workers * PAYLOADS_PER_WORKER
    with open_pool(workers) as pool:
        for name, size in PAYLOADS.items():
            payloads = [os.urandom(size) for _ in range(slots)]
            tasks = max((n << 20) // size, 2 * slots)
            timed_payloads(pool, payloads, tasks)
            bench.metric(name, statistics.median(
                timed_payloads(pool, payloads, tasks) for _ in range(rounds)))


def start(open_pool):
    def start_once(arg):
        begin = time.perf_counter_ns()
        with open_pool(workers) as pool:
            result = pool.submit(bench.echo, arg).result()
        took = time.perf_counter_ns() - begin
        bench.check([arg], [result])
        return took / 1e3

    n, workers, _ = bench.parse(50)
    for i in range(n // 10 + 1):
        start_once(i)
    bench.metric("start_us", statistics.median(
        start_once(i) for i in range(n)))


def recycle(open_pool):
    """The pool starts a process for each task."""

    def measure(name):
        _, *warm = (n * 1e9 / timed_batch(pool, n, i)
                    for i in range(rounds + 1))
        bench.metric(name, statistics.median(warm))

    n, workers, rounds = bench.parse(10)
    with open_pool(workers) as pool:
        measure("plain")
        ballast = bytearray(b"\1") * BALLAST
        measure("with_1gib")
        del ballast
