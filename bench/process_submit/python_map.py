# SPDX-License-Identifier: MIT
"""process_submit in Python: one multiprocessing.Pool.map() for all, without
grouping them."""

import multiprocessing
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../common"))
import bench  # noqa: E402
import workloads  # noqa: E402


def map_all(pool, args):
    return pool.map(bench.echo, args, chunksize=1)


if __name__ == "__main__":
    workloads.submit(multiprocessing.Pool, map_all)
