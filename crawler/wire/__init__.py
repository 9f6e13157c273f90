"""HTTP/1.1 over sockets of our own, so that what is archived is what crossed the wire."""

from crawler.wire.client import WireClient, WireOptions
from crawler.wire.errors import (
    AddressRefused,
    ConnectFailed,
    ConnectionLost,
    HeadTooLarge,
    MalformedResponse,
    ResolveFailed,
    TimedOut,
    TlsFailed,
    WireError,
)
from crawler.wire.proxy import Proxy

__all__ = [
    "AddressRefused",
    "ConnectFailed",
    "ConnectionLost",
    "HeadTooLarge",
    "MalformedResponse",
    "Proxy",
    "ResolveFailed",
    "TimedOut",
    "TlsFailed",
    "WireClient",
    "WireError",
    "WireOptions",
]
