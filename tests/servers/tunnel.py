"""An HTTP proxy that makes tunnels, and remembers who asked for what."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.servers.raw_site import LoopThread, close_server


@dataclass
class TunnelProxy:
    """Tunnels every ``CONNECT`` to *destination*, whatever host it names; *answer* replaces its own when given."""

    destination: tuple[str, int]
    answer: bytes = b"HTTP/1.1 200 Connection established\r\n\r\n"
    refuses: bool = False
    requests: list[bytes] = field(default_factory=list)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_writer: asyncio.StreamWriter | None = None
        try:
            self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(self.answer)
            if not self.refuses:
                far_reader, far_writer = await asyncio.open_connection(*self.destination)
                await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            for side in (writer, far_writer):
                if side is not None:
                    side.close()
                    with contextlib.suppress(ConnectionError):
                        await side.wait_closed()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()


@contextmanager
def tunnelling(proxy: TunnelProxy) -> Iterator[TunnelProxy]:
    """Run *proxy* on a free port of 127.0.0.1."""
    thread = LoopThread()
    try:
        server = thread.run(asyncio.start_server(proxy.serve, "127.0.0.1", 0))
        proxy.port = server.sockets[0].getsockname()[1]
        try:
            yield proxy
        finally:
            thread.run(close_server(server))
    finally:
        thread.stop()
