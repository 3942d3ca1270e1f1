# SPDX-License-Identifier: MIT
"""process_recycle in Python: ProcessPoolExecutor(max_tasks_per_child=1), which
starts its workers by "spawn" unless told otherwise, and refuses "fork"."""

import functools
import os
import sys
from concurrent.futures import ProcessPoolExecutor

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../common"))
import workloads  # noqa: E402

if __name__ == "__main__":
    workloads.recycle(
        functools.partial(ProcessPoolExecutor, max_tasks_per_child=1))
