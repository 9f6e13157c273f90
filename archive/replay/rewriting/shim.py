"""The script of ours that goes first into a page whose scripts run: it sends what they ask for to the archive.

It holds back nothing by force: that is the policy's part, which lets a page reach the archive alone. The shim is there
so that what a page asks for is found.
"""

from __future__ import annotations

import re
from importlib.resources import files

from archive.replay.rewriting.characters import encoded
from archive.replay.rewriting.links import Link

SHIM_PATH = "/static/shim.js"  # on the host that pages are replayed from

_MARK = "zz_"
_EXAMPLE = "http://shim.invalid/"


def shim() -> bytes:
    """Return the script."""
    return files("archive.replay").joinpath("static/shim.js").read_bytes()


def shim_tag(url: str, link: Link, *, path: str = SHIM_PATH) -> str:
    """Return the element that loads it into a page captured at *url*.

    It is told how an address in the archive is made: what *link* gives for an example, with ``{modifier}`` and
    ``{url}`` in place of these.
    """
    pattern = link(_EXAMPLE, _MARK).replace(_MARK, "{modifier}").replace(_EXAMPLE, "{url}")
    found = re.search(r"/(\d{14})\{modifier\}/", pattern)
    attributes = {"src": path, "data-url": url, "data-link": pattern, "data-time": found[1] if found else ""}
    written = "".join(f' {name}="{encoded(value)}"' for name, value in attributes.items())
    return f"<script{written}></script>"
