"""What happens in the frame beneath a banner, so that the banner can tell the truth about it.

The replayed page is sandboxed and tells nobody anything. But its frame has an address with a token in it
(``/frame/<token>/web/…``), and so have the links on the page: the server sees which document the frame shows now, and
knows what that document needs. (A document without an origin of its own sends no referrer.)
"""

from __future__ import annotations

import re
import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

_KEPT_FRAMES = 1000
_KEPT_NEEDS = 300
_TOKEN = re.compile(r"/frame/([A-Za-z0-9_-]{16})(/web/.*)", re.DOTALL | re.ASCII)


@dataclass
class Frame:
    """*url* and *timestamp14* are of the document the frame shows; *needs* are the addresses of what it loads."""

    url: str = ""
    timestamp14: str = ""
    loads: int = 0
    needs: tuple[str, ...] = ()


class Frames:
    """The frames of the last thousand banners. Several threads may share one."""

    def __init__(self) -> None:
        self._frames: OrderedDict[str, Frame] = OrderedDict()
        self._lock = threading.Lock()

    def new(self) -> str:
        token = secrets.token_urlsafe(12)
        with self._lock:
            self._frames[token] = Frame()
            if len(self._frames) > _KEPT_FRAMES:
                self._frames.popitem(last=False)
        return token

    def get(self, token: str) -> Frame | None:
        return self._frames.get(token)

    def shows(self, token: str, url: str, timestamp14: str) -> None:
        """Note that the frame shows another document."""
        with self._lock:
            if frame := self._frames.get(token):
                frame.url, frame.timestamp14 = url, timestamp14
                frame.loads += 1

    def needs(self, token: str, urls: Iterable[str]) -> None:
        """Note what the document loads that the frame is about to show."""
        with self._lock:
            if frame := self._frames.get(token):
                frame.needs = tuple(islice(dict.fromkeys(urls), _KEPT_NEEDS))


def split(target: str) -> tuple[str, str]:
    """Return the token in an address of the pages' listener and the rest; an empty token where there is none."""
    match = _TOKEN.fullmatch(target)
    return (match[1], match[2]) if match else ("", target)


def address(token: str, path: str) -> str:
    """Return the address of *path* within the frame of *token*."""
    return f"/frame/{token}{path}" if token else path
