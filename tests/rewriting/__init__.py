"""What the tests of rewriting share."""

from __future__ import annotations

from archive.replay.rewriting import Rewritten, rewritten

PAGE = "http://a.example/dir/page"


def link(address: str, modifier: str) -> str:
    return f"/web/20260101000000{modifier}/{address}"


def replayed(body: str | bytes, content_type: str | None = "text/html", **given: object) -> Rewritten:
    raw = body.encode() if isinstance(body, str) else body
    return rewritten(raw, content_type=content_type, url=PAGE, link=link, **given)  # type: ignore[arg-type]


def short(result: Rewritten) -> str:
    """Return the text, with ``[im_ http://…]`` for an address in the archive."""
    return result.body.decode().replace("/web/20260101000000", "~")
