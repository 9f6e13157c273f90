"""HTTP proxies: how one is named, and how a tunnel through it is asked for."""

from __future__ import annotations

import asyncio
import socket
from base64 import b64encode
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes, urlsplit

from archive.errors import MalformedMessage
from archive.http1 import read_response_head

_MAX_ANSWER_BYTES = 64 * 1024


class TunnelRefused(Exception):
    """The proxy did not make the tunnel; the message says what it answered."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy. *authorization* is the value of ``Proxy-Authorization``; it never enters an archive or a log."""

    host: str
    port: int
    authorization: bytes | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def from_url(cls, url: str, *, authorization: bytes | None = None) -> Proxy:
        """Read ``http://[user:password@]host[:port]``; the scheme may be missing.

        *authorization* outranks the URL's own credentials. Raises ``ValueError`` for other kinds of proxy; its
        message does not repeat the URL, which may hold a password.
        """
        parts = urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme.lower() != "http":
            raise ValueError(f"a proxy is reached by http://, not {parts.scheme}://")
        if not parts.hostname:
            raise ValueError("the proxy's URL names no host")
        if authorization is None and parts.username is not None:
            credentials = unquote_to_bytes(parts.username) + b":" + unquote_to_bytes(parts.password or "")
            authorization = b"Basic " + b64encode(credentials)
        if authorization is not None and any(byte in authorization for byte in b"\r\n\0"):
            raise ValueError("line break in the proxy's credentials")
        return cls(parts.hostname, parts.port or 80, authorization)


async def open_tunnel(sock: socket.socket, proxy: Proxy, authority: str) -> None:
    """Ask *proxy*, at the other end of *sock*, for a tunnel to *authority*, a host and port (RFC 9110, 9.3.6).

    Raises ``TunnelRefused`` when it does not make one, ``OSError`` when the connection breaks.
    """
    loop = asyncio.get_running_loop()
    request = f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n".encode("ascii")
    if proxy.authorization:
        request += b"Proxy-Authorization: " + proxy.authorization + b"\r\n"
    await loop.sock_sendall(sock, request + b"\r\n")
    answer = b""
    while True:
        piece = await loop.sock_recv(sock, 4096)
        answer += piece
        try:
            head = read_response_head(answer)
        except MalformedMessage as error:
            raise TunnelRefused(f"proxy {proxy}: {error}") from error
        if head is not None:
            break
        if not piece or len(answer) > _MAX_ANSWER_BYTES:
            raise TunnelRefused(f"proxy {proxy} did not answer CONNECT")
    if head.status is None or not 200 <= head.status < 300:
        raise TunnelRefused(f"proxy {proxy} refused a tunnel to {authority}: {head.status} {head.reason}".rstrip())
    if len(answer) > head.size:
        # In TLS the client speaks first: what comes now is the proxy's own and must not be taken for the server's.
        raise TunnelRefused(f"proxy {proxy} sent {len(answer) - head.size} bytes after its answer to CONNECT")
