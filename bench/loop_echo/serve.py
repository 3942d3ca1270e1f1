# SPDX-License-Identifier: MIT
"""An echo server for python.c: serve.py streams|protocol|uvloop REPORT
CONNECTIONS. Exit status 77: there is no such server here."""

import asyncio
import os
import socket
import sys


class Echo(asyncio.Protocol):
    def __init__(self, ended):
        self.ended = ended

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)

    def connection_lost(self, exc):
        self.ended()


async def main(kind, report, connections):
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
    await all_ended


if __name__ == "__main__":
    if sys.argv[1] == "uvloop":
        try:
            import uvloop
        except ImportError:
            print("uvloop is not installed", file=sys.stderr)
            sys.exit(77)
        uvloop.install()
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
