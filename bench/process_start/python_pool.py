# SPDX-License-Identifier: MIT
"""process_start in Python: multiprocessing.Pool.apply_async()."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../common"))
import pools  # noqa: E402
import workloads  # noqa: E402

if __name__ == "__main__":
    workloads.start(pools.MultiprocessingPool)
