"""A payload made ready to be shown: its content codings undone, its addresses led into the archive."""

from __future__ import annotations

from dataclasses import dataclass

from archive.capture import media_type
from archive.codings import decode_content
from archive.errors import ContentUndecodable
from archive.replay.addresses import Link
from archive.replay.rewriting import rewritten

REWRITTEN_BYTES = 32 << 20  # a longer page is shown as it is: its scripts and links are held by the policy
DECODED_BYTES = 64 << 20

# What a browser makes a document, a style sheet or a script of. Everything else is bytes to be shown.
_TEXTUAL = frozenset(
    {
        "text/html",
        "application/xhtml+xml",
        "text/css",
        "image/svg+xml",
        "text/xml",
        "application/xml",
        "application/rss+xml",
        "application/atom+xml",
        "application/rdf+xml",
        "application/feed+json",
        "application/json",
        "application/manifest+json",
        "text/javascript",
        "application/javascript",
        "application/x-javascript",
        "application/ecmascript",
        "text/ecmascript",
        "application/vnd.apple.mpegurl",
        "application/x-mpegurl",
        "application/dash+xml",
    }
)
_ASKED_AS = frozenset({"cs_", "js_", "mf_"})


@dataclass(frozen=True, slots=True)
class Rendered:
    """*body* as it is sent. *content_encoding* is what is still on it: a coding that could not be undone."""

    body: bytes
    content_type: str | None
    content_encoding: str = ""
    notes: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()  # addresses, on the live web, of what it loads


def is_text(content_type: str | None, as_: str) -> bool:
    """Tell whether a payload of that type has addresses in it; without a type the first bytes will tell."""
    kind = media_type(content_type)
    return kind is None or kind in _TEXTUAL or kind.endswith("+xml") or as_ in _ASKED_AS


def decoded(payload: bytes, content_encoding: str) -> tuple[bytes, tuple[str, ...]]:
    """Undo the codings; of what is cut, what came before the cut; a payload whose coding lies is given as it is.

    The second value says in words what was wrong.
    """
    if not content_encoding:
        return payload, ()
    try:
        return decode_content(payload, content_encoding, limit_bytes=DECODED_BYTES), ()
    except ContentUndecodable as error:
        # A server that names a coding and does not apply it: nothing came out, the bytes are what they are.
        return error.partial or payload, (f"Content-Encoding {content_encoding[:60]}: {error}",)


def rendered(
    payload: bytes,
    *,
    content_type: str | None,
    content_encoding: str,
    url: str,
    link: Link,
    scripts: bool,
    as_: str = "",
) -> Rendered:
    """Return *payload* ready to be shown in the archive."""
    body, notes = decoded(payload, content_encoding)
    if not body or len(body) > REWRITTEN_BYTES or not is_text(content_type, as_):
        return Rendered(body, content_type, "", notes)
    result = rewritten(body, content_type=content_type, url=url, link=link, scripts=scripts, as_=as_)
    # Scripts are not run and so not asked for.
    needs = tuple(address for address, modifier in result.needs if scripts or modifier != "js_")
    return Rendered(result.body, result.content_type, "", notes, needs)
