# SPDX-License-Identifier: MIT
"""An echo server for python.c: serve.py streams|protocol|uvloop REPORT
CONNECTIONS alone|blocked|computing CPU, the last one for the thread pool. Exit
status 77: there is no such server here."""

import asyncio
import os
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor


class Echo(asyncio.Protocol):
    def __init__(self, ended):
        self.ended = ended

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)

    def connection_lost(self, exc):
        self.ended()


def compute():
    end = time.monotonic() + 1
    while time.monotonic() < end:
        pass


async def await_pool(load, cpu, all_ended):
    loop = asyncio.get_running_loop()
    go_there = lambda: os.sched_setaffinity(0, {cpu})
    with ThreadPoolExecutor(1, initializer=go_there) as pool:
        while not all_ended.done():
            if load == "blocked":
                await loop.run_in_executor(pool, time.sleep, 1)
            else:
                await loop.run_in_executor(pool, compute)


async def main(kind, report, connections, load, cpu):
    all_ended = asyncio.get_running_loop().create_future()
    left = connections

    def ended():
        nonlocal left
        left -= 1
        if left == 0:
            all_ended.set_result(None)

    async def echo(reader, writer):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()
        ended()

    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    if kind == "streams":
        await asyncio.start_server(echo, sock=listener)
    else:
        await asyncio.get_running_loop().create_server(
            lambda: Echo(ended), sock=listener)
    os.write(report, b"%d\n" % listener.getsockname()[1])
    if load != "alone":
        await await_pool(load, cpu, all_ended)
    await all_ended


if __name__ == "__main__":
    if sys.argv[1] == "uvloop":
        try:
            import uvloop
        except ImportError:
            print("uvloop is not installed", file=sys.stderr)
            sys.exit(77)
        uvloop.install()
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]),
                     sys.argv[4], int(sys.argv[5])))
