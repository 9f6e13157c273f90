"""One connection to a server: requests out, the bytes that come back handed to a reception, nothing read twice."""

from __future__ import annotations

import asyncio
import select

from archive.errors import StorageError
from archive.exchange import Tls
from crawler.wire.reception import Reception


class Connection(asyncio.Protocol):
    """A connection that carries one exchange at a time.

    While it is idle nothing may arrive: bytes that no request asked for end it, so that they can never be taken
    for the answer to a later one.
    """

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self._clock = loop.time
        self._transport: asyncio.Transport | None = None
        self._reception: Reception | None = None
        self._answered: asyncio.Future[None] | None = None
        self.closed: asyncio.Future[None] = loop.create_future()
        self.peer: str | None = None  # address of the server; None behind a proxy
        self.tls: Tls | None = None
        self.exchanges = 0
        self._aborted = False
        self.first_byte_at = self.last_byte_at = 0.0  # loop time, of the present exchange

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    @property
    def usable(self) -> bool:
        """Return whether the connection is open and nothing waits to be read from it."""
        if self._transport is None or self._transport.is_closing() or self.closed.done():
            return False
        socket = self._transport.get_extra_info("socket")
        if socket is None or socket.fileno() < 0:
            return False
        poll = select.poll()
        poll.register(socket.fileno(), select.POLLIN)
        return not poll.poll(0)

    async def perform(self, request: bytes, reception: Reception) -> None:
        """Send *request* and feed *reception* until it is done; it says how that went.

        Cancelled, it leaves *reception* as far as it came, and the connection to be aborted. Raises ``StorageError``
        when what came could not be kept: that is no fault of the server's.
        """
        assert self._reception is None
        self.exchanges += 1
        self.first_byte_at = self.last_byte_at = 0.0
        if self._transport is None or self._transport.is_closing():
            reception.end(cleanly=False)
            return
        self._reception = reception
        self._answered = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        try:
            await self._answered
        finally:
            self._reception = None

    def data_received(self, data: bytes) -> None:
        reception = self._reception
        if reception is None:
            self.abort()
            return
        self.last_byte_at = self._clock()
        self.first_byte_at = self.first_byte_at or self.last_byte_at
        try:
            reception.feed(data)
        except StorageError as error:
            self._give_up(error)
            return
        if reception.done:
            self._finish(reception)

    def eof_received(self) -> None:
        self._end(cleanly=True)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.closed.done():
            self.closed.set_result(None)
        self._end(cleanly=exc is None and not self._aborted)

    def _end(self, *, cleanly: bool) -> None:
        reception = self._reception
        if reception is None:
            return
        try:
            reception.end(cleanly=cleanly)
        except StorageError as error:
            self._give_up(error)
        else:
            self._finish(reception)

    def _give_up(self, error: StorageError) -> None:
        """Hand *error* to whoever waits: raised here, asyncio would make a lost connection of it."""
        self._reception = None
        self.abort()
        assert self._answered is not None
        if not self._answered.done():
            self._answered.set_exception(error)

    def _finish(self, reception: Reception) -> None:
        self._reception = None
        if not reception.reusable:
            self.close()
        assert self._answered is not None
        if not self._answered.done():
            self._answered.set_result(None)

    def close(self) -> None:
        """Close politely; under TLS the other side is told."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close at once; an exchange under way ends as if the line had been cut."""
        self._aborted = True
        if self._transport is not None:
            self._transport.abort()
