# SPDX-License-Identifier: MIT
"""loop_parked in Python: asyncio's tasks wait for an Event."""

import asyncio
import os
import resource
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../common"))
import bench  # noqa: E402

SETTLE_S = 0.5
IDLE_S = 1


def used_bytes():
    used = 0
    for path, key in (("/proc/self/smaps_rollup", "Rss:"),
                      ("/proc/self/status", "VmPTE:")):
        with open(path, encoding="ascii") as file:
            for line in file:
                if line.startswith(key):
                    used += int(line.split()[1]) * 1024
    return used


def others_slept():
    return (resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw
            - resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw)


async def wait_for(event):
    await event.wait()


async def park(n, shared):
    event = asyncio.Event()
    tasks = [asyncio.create_task(wait_for(event)) for _ in range(n)]
    shared["loop"] = asyncio.get_running_loop()
    shared["event"] = event
    await asyncio.sleep(0)
    shared["parked"].set()
    for task in tasks:
        await task


def main():
    n, _, _ = bench.parse(100000)
    shared = {"parked": threading.Event()}
    before = used_bytes()
    thread = threading.Thread(target=lambda: asyncio.run(park(n, shared)))
    thread.start()
    shared["parked"].wait()
    time.sleep(SETTLE_S)
    used = used_bytes() - before
    slept = others_slept()
    time.sleep(IDLE_S)
    slept = others_slept() - slept
    shared["loop"].call_soon_threadsafe(shared["event"].set)
    thread.join()
    bench.metric("bytes_per_task", used / n)
    bench.metric("wake_ups_per_s", slept / IDLE_S)


main()
