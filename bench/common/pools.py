# SPDX-License-Identifier: MIT
"""Python's other process pools, made to look like executors."""

import multiprocessing.pool

import bench


class MultiprocessingPool(multiprocessing.pool.Pool):
    def submit(self, fn, arg):
        handle = self.apply_async(fn, (arg,))
        handle.result = handle.get
        return handle


def mpi():
    """mpi4py's executor; without it, the program ends here."""
    try:
        from mpi4py.futures import MPIPoolExecutor
    except (ImportError, RuntimeError) as error:
        bench.skip(f"mpi4py: {error}")
    return MPIPoolExecutor
