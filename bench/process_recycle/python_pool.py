# SPDX-License-Identifier: MIT
"""process_recycle in Python: multiprocessing.Pool(maxtasksperchild=1), which
forks its workers from the program, as it is then."""

import functools
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../common"))
import pools  # noqa: E402
import workloads  # noqa: E402

if __name__ == "__main__":
    workloads.recycle(
        functools.partial(pools.MultiprocessingPool, maxtasksperchild=1))
