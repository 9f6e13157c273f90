"""One HTTP exchange as it crossed the wire: what is stored, however it was fetched."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from archive.spool import Spool

# WARC 1.1, 5.13: the values of WARC-Truncated we give. "unspecified": the page asks not to be archived.
Truncation = Literal["disconnect", "length", "time", "unspecified"]


@dataclass(frozen=True, slots=True)
class Tls:
    """What the handshake agreed on, as WARC-Protocol and WARC-Cipher-Suite spell it."""

    protocol: str  # "tls/1.3"
    cipher_suite: str  # IANA name, "TLS_AES_128_GCM_SHA256"
    certificate: bytes | None = field(default=None, repr=False)  # the server's own, DER


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and the response to it, byte for byte.

    *request* and *response* are what was sent and received, head and body, transfer coding included; interim 1xx
    responses are left out and counted in *interim*. *response* is empty when the connection died before its first
    byte, and stops where the wire stopped when *truncated* says so. *forerunner* is the same request sent in vain just
    before, on a kept connection that turned out dead.
    """

    url: str
    method: str
    request: bytes
    response: Spool
    started: datetime  # UTC; when the first byte of the request was sent
    ended: datetime  # UTC; when the last byte of the response arrived
    protocol: str = "http/1.1"  # as WARC-Protocol spells it; "http/1.0" when the server said so
    peer: str | None = None  # address of the server; None behind a proxy
    tls: Tls | None = None
    truncated: Truncation | None = None
    proxy: str | None = None  # host:port, never its credentials
    interim: int = 0
    timings_ms: dict[str, float] = field(default_factory=dict)  # dns, connect, tls, first_byte, total; absent if reused
    forerunner: Exchange | None = None

    def close(self) -> None:
        """Free the response's bytes, and the forerunner's."""
        self.response.close()
        if self.forerunner is not None:
            self.forerunner.close()
