"""Receiving one response: which bytes belong to it, when it ends, and how it ended. No sockets here."""

from __future__ import annotations

from typing import Literal

from archive.errors import MalformedMessage
from archive.exchange import Truncation
from archive.http1 import MAX_HEAD_BYTES, BodyLength, Dechunker, Head, body_length, find_head_end, read_response_head
from archive.spool import Spool

_SURELY_HTTP_BYTES = 64  # past the leading blank lines and "HTTP/": the opening need not be looked at again
MAX_INTERIM = 64  # 1xx responses before the final one; 100 and 103 come once, a processing server sends a few 102

Failure = Literal["", "lost", "malformed", "head-too-large"]


class Reception:
    """The response to one request, as it arrives in pieces of any size.

    Feed it until *done*. Then *spool* holds the response's own bytes, interim 1xx responses (counted in *interim*)
    left out and nothing beyond its end; *truncated* says why it stops early, if it does. *failure* is set when no
    head could be read; *problem* puts into words what was wrong, also where the response could still be received.
    *reusable* says that the connection stands exactly at the response's end and may carry another request.
    """

    __slots__ = (
        "_dechunker",
        "_framing",
        "_is_http",
        "_left",
        "_max_bytes",
        "_method",
        "_pending",
        "_searched",
        "done",
        "failure",
        "head",
        "interim",
        "problem",
        "received_anything",
        "reusable",
        "spool",
        "truncated",
    )

    def __init__(self, method: str, max_bytes: int | None, spool: Spool) -> None:
        self.spool = spool
        self.head: Head | None = None
        self.interim = 0
        self.done = False
        self.truncated: Truncation | None = None
        self.failure: Failure = ""
        self.problem = ""
        self.reusable = False
        self.received_anything = False
        self._method = method
        self._max_bytes = max_bytes
        self._pending = bytearray()  # the head while it is incomplete
        self._searched = 0
        self._is_http = False
        self._framing = BodyLength("close")
        self._left = 0  # bytes of a body of known length still to come
        self._dechunker: Dechunker | None = None

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the connection."""
        self.received_anything = True
        if self.head is None:
            self._pending += data
            if not self._read_heads():
                return
            data = bytes(self._pending)
            self._pending.clear()
        self._feed_body(data)

    def end(self, *, cleanly: bool) -> None:
        """The connection has ended; *cleanly* when the other side closed it, not when it broke."""
        if self.head is None:
            self._fail("lost", "the connection ended inside the response head" if self._pending else "no answer came")
        elif self._framing.kind == "close" and cleanly:
            self.done = True
        else:
            self.cut("disconnect")

    def cut(self, why: Truncation) -> None:
        """Stop here, with what has come."""
        if self.done:
            return
        if self._pending:
            self.spool.write(self._pending)
            self._pending.clear()
        self.truncated = why
        self.done = True

    def _fail(self, failure: Failure, problem: str, why: Truncation = "disconnect") -> None:
        self.failure, self.problem = failure, problem
        self.cut(why)

    def _read_heads(self) -> bool:
        """Take heads off what is pending; return whether the final one is complete."""
        limit = MAX_HEAD_BYTES if self._max_bytes is None else min(MAX_HEAD_BYTES, self._max_bytes)
        while not self.done:
            size = find_head_end(self._pending, self._searched)
            if (size if size >= 0 else len(self._pending)) > limit:
                del self._pending[limit:]
                try:  # what is no HTTP at all is called so, however much of it came at once
                    if not self._is_http:
                        read_response_head(self._pending)
                except MalformedMessage as error:
                    self._fail("malformed", str(error))
                else:
                    self._fail("head-too-large", f"the response head is longer than {limit} bytes", "length")
                return False
            self._searched = len(self._pending)
            if size < 0 and self._is_http:
                return False
            try:
                head = read_response_head(self._pending)
            except MalformedMessage as error:
                self._fail("malformed", str(error))
                return False
            if head is None:
                self._is_http = len(self._pending) > _SURELY_HTTP_BYTES
                return False
            if head.status is None:
                self._fail("malformed", "the status line holds no status code")
            elif 100 <= head.status < 200 and head.status != 101:  # 101 ends HTTP/1.1 on its connection
                self._skip_interim(head)
            else:
                self._begin_body(head)
                return True
        return False

    def _skip_interim(self, head: Head) -> None:
        self.interim += 1
        if self.interim > MAX_INTERIM:
            self._fail("malformed", f"more than {MAX_INTERIM} interim responses")
            return
        del self._pending[: head.size]
        self._searched = 0
        self._is_http = False

    def _begin_body(self, head: Head) -> None:
        self.head = head
        self._framing = body_length(head, self._method)
        self.problem = self._framing.fault
        self._left = self._framing.length
        if self._framing.kind == "chunked":
            self._dechunker = Dechunker()
        self.spool.write(self._pending[: head.size])
        del self._pending[: head.size]

    def _feed_body(self, data: bytes) -> None:
        complete = False
        mine = data
        if self._framing.kind == "none":
            mine, complete = b"", True
        elif self._framing.kind == "length":
            mine = data[: self._left]
            self._left -= len(mine)
            complete = self._left == 0
        elif self._dechunker is not None:
            before = self._dechunker.consumed
            self._dechunker.feed(data)
            complete = self._dechunker.finished
            if complete:
                mine = data[: self._dechunker.consumed - before]
        if self._max_bytes is not None and len(self.spool) + len(mine) > self._max_bytes:
            self.spool.write(mine[: self._max_bytes - len(self.spool)])
            self.cut("length")
            return
        self.spool.write(mine)
        if complete:
            self.done = True
            self.reusable = len(mine) == len(data) and self._may_stay_open()
        elif self._dechunker is not None and self._dechunker.fault:
            self._lose_framing(self._dechunker)

    def _lose_framing(self, dechunker: Dechunker) -> None:
        self.problem = dechunker.fault
        if dechunker.begun:
            self.cut("disconnect")  # nobody can say where such a body ends; browsers stop here too
        else:
            self._dechunker = None  # announced as chunked and sent as it is: it ends with the connection
            self._framing = BodyLength("close", fault=dechunker.fault)

    def _may_stay_open(self) -> bool:
        assert self.head is not None
        if self._framing.fault or self.head.status == 101:
            return False
        tokens = self.head.tokens("Connection")
        if self.head.version == "1.1":
            return "close" not in tokens
        return self.head.version == "1.0" and "keep-alive" in tokens
