"""What the capture middleware hands to the archive, and what it leaves behind."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from scrapy import Request
from scrapy.http import Response

from archive.errors import DiskFull, StorageError
from archive.exchange import Exchange
from archive.spool import Spool
from crawler.addresses import Guard
from crawler.capture import CaptureMiddleware
from crawler.wire import ConnectFailed, WireClient, WireOptions

AT = datetime(2026, 11, 21, tzinfo=UTC)
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Session:
    """Keeps what it is given, and closes it as the real one does; fails when told to."""

    def __init__(self, failure: StorageError | None = None) -> None:
        self.failure = failure
        self.captured: list[tuple[bytes, dict[str, str]]] = []
        self.stopped: list[Exception] = []

    async def capture(self, exchange: Exchange, evidence: Sequence[tuple[str, str]], *, whole: bool = False) -> None:
        assert not whole
        self.captured.append((exchange.request, dict(evidence)))
        exchange.response.close()
        if self.failure:
            raise self.failure

    def stop(self, error: Exception) -> None:
        self.stopped.append(error)


def exchange(request: bytes, forerunner: Exchange | None = None) -> Exchange:
    return Exchange("http://a.test/", "GET", request, Spool(), AT, AT, forerunner=forerunner)


def closed(exchange: Exchange) -> bool:
    try:
        exchange.response.read()
    except ValueError:
        return exchange.forerunner is None or closed(exchange.forerunner)
    return False


def keeping(session: Session) -> CaptureMiddleware:
    made: Any = session
    return CaptureMiddleware(made)


def test_a_request_sent_in_vain_is_kept_when_no_second_connection_comes_about():
    """A real one: the server goes away between the first answer and the second request."""

    async def twice() -> tuple[Session, Exchange]:
        gone = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(ANSWER)
            await reader.readuntil(b"\r\n\r\n")
            server.close()
            writer.close()
            gone.set()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        client = WireClient(WireOptions(Guard(allow_private=True)))
        session = Session()
        try:
            (await client.fetch("GET", f"{url}/first", timeout_s=20, max_bytes=None)).close()
            with pytest.raises(ConnectFailed) as caught:
                await client.fetch("GET", f"{url}/second", timeout_s=20, max_bytes=None)
            request = Request(f"{url}/second", meta={"exchange": caught.value.exchange})
            await keeping(session).process_exception(request, caught.value)
            assert request.meta["capture"] is None
            await gone.wait()
        finally:
            await client.close()
        return session, caught.value.exchange

    session, kept = asyncio.run(twice())
    ((sent, evidence),) = session.captured
    assert sent.startswith(b"GET /second ")
    assert "the kept connection was dead; cannot connect" in evidence["error"]
    assert closed(kept)


def test_a_request_sent_twice_is_kept_twice_in_order():
    session, kept = Session(), exchange(b"second", exchange(b"first"))
    request = Request("http://a.test/", meta={"exchange": kept})
    asyncio.run(keeping(session).process_response(request, Response("http://a.test/")))
    assert [sent for sent, _ in session.captured] == [b"first", b"second"]
    assert "was sent once more" in session.captured[0][1]["error"]
    assert closed(kept)


def test_what_was_never_sent_is_not_kept():
    session, kept = Session(), exchange(b"")
    request = Request("http://a.test/", meta={"exchange": kept})
    asyncio.run(keeping(session).process_exception(request, ConnectionError("no route")))
    assert session.captured == []
    assert closed(kept)


def test_a_store_that_fails_at_the_first_of_two_gets_no_second():
    session, kept = Session(DiskFull("no room")), exchange(b"second", exchange(b"first"))
    request = Request("http://a.test/", meta={"exchange": kept})
    with pytest.raises(DiskFull):
        asyncio.run(keeping(session).process_response(request, Response("http://a.test/")))
    assert len(session.captured) == 1
    assert closed(kept)


@pytest.mark.parametrize("left", [None, b"sent"])
def test_no_room_for_a_response_stops_the_crawl(left: bytes | None):
    session, error = Session(), DiskFull("/tmp: no room left")
    kept = exchange(left) if left else None
    request = Request("http://a.test/", meta={"exchange": kept} if kept else {})
    asyncio.run(keeping(session).process_exception(request, error))
    assert session.stopped == [error]
    assert session.captured == []
    assert kept is None or closed(kept)
