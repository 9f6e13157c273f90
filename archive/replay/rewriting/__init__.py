"""Captured documents as they are replayed: all that they refer to leads into the archive.

Pure functions without server or archive. Texts leave in UTF-8, whatever they came in, and say so; their charset is
told by :mod:`archive.charsets`, which believes no label that its bytes deny. What needs no rewriting is given back as
it is.

Scripts are left in pages as they stand, for a page is to be shown as it was: that they do not run is the matter of the
policy it is sent with. A browser whose scripts are forbidden by a policy reads ``noscript`` as markup and shows it, as
those who read without scripts saw the page; so that is rewritten too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from archive import charsets
from archive.css import decode_css
from archive.replay.rewriting.css import rewritten_css
from archive.replay.rewriting.html import Html
from archive.replay.rewriting.kinds import Kind, kind_of
from archive.replay.rewriting.links import Link, Links
from archive.replay.rewriting.manifest import rewritten_manifest, rewritten_playlist
from archive.replay.rewriting.shim import SHIM_PATH, shim, shim_tag
from archive.replay.rewriting.xml import Xml

__all__ = ["SHIM_PATH", "Link", "Rewritten", "rewritten", "shim"]

_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A document as it is sent.

    *content_type* names the charset of *body* where that is text. *needs* are the addresses, on the live web, of what
    the document loads, each with the modifier it is asked for by; *refresh* is where a meta refresh would lead.
    """

    body: bytes
    content_type: str
    kind: Kind
    needs: tuple[tuple[str, str], ...] = ()
    refresh: str | None = None


def rewritten(
    body: bytes, *, content_type: str | None, url: str, link: Link, scripts: bool = False, as_: str = ""
) -> Rewritten:
    """Return *body*, decoded from its content codings and captured at *url*, as it is replayed.

    *link* gives the address in the archive of an address on the live web, for a modifier of
    :mod:`archive.replay.rewriting.links`; *as_* is the modifier that this one is asked for by. With *scripts* the
    page's scripts are to run, and the shim goes before them.
    """
    kind, sent_as = kind_of(body, content_type, as_)
    if kind == "other":
        same = content_type is not None and sent_as == content_type.partition(";")[0].strip().lower()
        return Rewritten(body, content_type if same and content_type else sent_as, kind)
    links = Links(url, link, framed=as_ == "if_")
    refresh = None
    if kind == "html":
        page = Html(links, scripts=scripts, insert=shim_tag(url, link) if scripts else "")
        text = page.document(charsets.decode(body, content_type))
        refresh = page.rules.refresh
    elif kind == "xml":
        shown = scripts and sent_as == "application/xhtml+xml"
        document = Xml(links, scripts=scripts, insert=shim_tag(url, link) if shown else "")
        text = document.document(charsets.decode(body, content_type))
    elif kind == "css":
        text = rewritten_css(_text(body, content_type), links)
    elif kind == "script":
        text = _text(body, content_type)
    else:
        text = body.decode("utf-8-sig", "replace")
        text = rewritten_playlist(text, links) if kind == "playlist" else rewritten_manifest(text, links)
    needs = tuple(links.needs)
    return Rewritten(text.encode("utf-8", "replace"), f"{sent_as}; charset=utf-8", kind, needs, refresh)


def _text(body: bytes, content_type: str | None) -> str:
    """Return the text of a style sheet or script; one that is not what it says it is may be in its page's charset."""
    named = _CHARSET.search(content_type or "")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = decode_css(body, named[1] if named else None)
    return charsets.decode(body, content_type) if "\ufffd" in text else text
