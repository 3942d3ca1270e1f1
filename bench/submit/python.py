# SPDX-License-Identifier: MIT
"""submit in Python: ThreadPoolExecutor.submit() and Future.result()."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../common"))
import workloads  # noqa: E402

if __name__ == "__main__":
    workloads.submit(ThreadPoolExecutor)
