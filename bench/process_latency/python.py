# SPDX-License-Identifier: MIT
"""process_latency in Python: ProcessPoolExecutor."""

import os
import sys
from concurrent.futures import ProcessPoolExecutor

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../common"))
import workloads  # noqa: E402

if __name__ == "__main__":
    workloads.latency(ProcessPoolExecutor)
