"""A request and its answer as the archive's side sees them: plain values, no server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

NOSNIFF = ("X-Content-Type-Options", "nosniff")


@dataclass(frozen=True, slots=True)
class Request:
    """*target* is path and query as they came, percent escapes and all; names of *headers* are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]

    @property
    def is_navigation(self) -> bool:
        """Whether a browser opens the address in a tab of its own (Fetch Metadata)."""
        return self.headers.get("sec-fetch-dest") == "document"


@dataclass(slots=True)
class Answer:
    """*body* is bytes, or pieces that are made as they are sent; *length* is told where those have one."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes | Iterator[bytes] = b""
    length: int | None = None

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def read(self) -> bytes:
        """Return the whole body."""
        return self.body if isinstance(self.body, bytes) else b"".join(self.body)


def text(status: int, message: str, headers: Iterable[tuple[str, str]] = ()) -> Answer:
    """Return an answer in plain words."""
    return Answer(
        status,
        [("Content-Type", "text/plain; charset=utf-8"), NOSNIFF, *headers],
        f"{message}\n".encode(errors="replace"),
    )
