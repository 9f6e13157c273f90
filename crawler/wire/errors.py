"""What can go wrong between asking and having a response, each with the exchange as far as it came.

    WireError
    ├── ResolveFailed      the host has no address: the name may be wrong, or known later
    ├── AddressRefused     the host leads to a private or special address: never connected to, never retry
    ├── ConnectFailed      nobody accepted the connection, or the proxy would not make it
    ├── TlsFailed          the handshake failed; *certificate* says whether the certificate was the cause
    ├── TimedOut           the time ran out before the response head was complete
    ├── ConnectionLost     the connection ended before the response head was complete
    ├── MalformedResponse  what came is not an HTTP response
    └── HeadTooLarge       the response head did not end within its limit

A response whose head is complete is never an error: it is returned, marked as truncated where it was cut.
"""

from __future__ import annotations

from archive.exchange import Exchange


class WireError(Exception):
    """Base of all. *exchange* holds what was sent and what came, either possibly empty."""

    def __init__(self, message: str, exchange: Exchange) -> None:
        super().__init__(message)
        self.exchange = exchange


class ResolveFailed(WireError):
    """The host has no address."""


class AddressRefused(WireError):
    """The host leads to an address that must not be connected to. Never retry."""


class ConnectFailed(WireError):
    """No connection came about. *refused* says that the server was there and declined."""

    def __init__(self, message: str, exchange: Exchange, *, refused: bool = False) -> None:
        super().__init__(message, exchange)
        self.refused = refused


class TlsFailed(WireError):
    """The handshake failed. *certificate* is True when the server's certificate was not accepted: do not retry."""

    def __init__(self, message: str, exchange: Exchange, *, certificate: bool) -> None:
        super().__init__(message, exchange)
        self.certificate = certificate


class TimedOut(WireError):
    """The time ran out before a response head was complete."""


class ConnectionLost(WireError):
    """The connection ended before a response head was complete."""


class MalformedResponse(WireError):
    """What came is not an HTTP response."""


class HeadTooLarge(WireError):
    """The response head did not end within its limit. Its beginning is kept."""
