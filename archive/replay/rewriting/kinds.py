"""What a captured body is: by what its server said, by how it is asked for, and by its bytes.

The server's word holds as far as browsers take it. A style sheet or script said to be HTML is one if its bytes are no
markup; what nothing was said about is told by its first bytes (WHATWG MIME Sniffing, 7), and is then said to be that,
so that no browser sniffs again and finds another.
"""

from __future__ import annotations

import codecs
import re
from typing import Literal

from archive.capture import media_type

Kind = Literal["html", "css", "xml", "manifest", "playlist", "script", "other"]

_UNTOLD = {None, "unknown/unknown", "application/unknown", "*/*", "application/octet-stream", "text/plain"}
_SCRIPTS = re.compile(r"(?:text|application)/(?:x-)?(?:javascript|ecmascript|jscript|livescript)[\d.]*\Z")
_PLAYLISTS = {"application/vnd.apple.mpegurl", "application/x-mpegurl", "audio/mpegurl", "audio/x-mpegurl"}
# Browsers show each part of it as a document of its own, and the policy's listener answers for one document.
_PARTS = "multipart/"
_BOMS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_HTML_START = re.compile(
    rb"[\t\n\f\r ]*(?:<!--|<(?:!DOCTYPE HTML|HTML|HEAD|SCRIPT|IFRAME|H1|DIV|FONT|TABLE|A|STYLE|TITLE|B|BODY|BR|P)[ >])",
    re.IGNORECASE,
)
_XML_START = re.compile(rb"[\t\n\f\r ]*<\?xml")
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF8", "image/gif"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"%PDF-", "application/pdf"),
    (b"wOFF", "font/woff"),
    (b"wOF2", "font/woff2"),
    (b"\0\1\0\0", "font/ttf"),
    (b"OTTO", "font/otf"),
    (b"\0\0\1\0", "image/x-icon"),
    (b"ID3", "audio/mpeg"),
    (b"\x1a\x45\xdf\xa3", "video/webm"),
    (b"OggS", "application/ogg"),
)
_BINARY = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
SNIFF_BYTES = 1445  # WHATWG MIME Sniffing, 5.2: the resource header


def kind_of(body: bytes, content_type: str | None, as_: str) -> tuple[Kind, str]:
    """Return what *body* is, and the media type, without parameters, that it is to be sent with."""
    declared = media_type(content_type)
    start = body[:SNIFF_BYTES]
    markup = _looks_like_markup(start)
    if as_ == "cs_" and declared != "text/css" and (declared in _UNTOLD or declared == "text/html") and not markup:
        return "css", "text/css"
    if as_ == "js_" and (declared in _UNTOLD or declared == "text/html") and not markup:
        return "script", "text/javascript"
    if declared is None or declared in {"unknown/unknown", "application/unknown", "*/*"}:
        return _sniffed(start)
    if declared == "text/html":
        return "html", declared
    if declared == "text/css":
        return "css", declared
    if declared in {"text/xml", "application/xml"} or declared.endswith("+xml"):
        return "xml", declared
    if declared == "application/manifest+json" or (as_ == "mf_" and not markup):
        return "manifest", declared
    if declared in _PLAYLISTS:
        return "playlist", declared
    if _SCRIPTS.match(declared):
        return "script", declared
    if declared.startswith(_PARTS):
        return "other", "application/octet-stream"
    return "other", declared


def _looks_like_markup(start: bytes) -> bool:
    for mark in _BOMS:
        start = start.removeprefix(mark)
    return start.replace(b"\0", b"").lstrip(b"\t\n\f\r ")[:1] == b"<"


def _sniffed(start: bytes) -> tuple[Kind, str]:
    plain = start.removeprefix(codecs.BOM_UTF8)
    if _HTML_START.match(plain):
        return "html", "text/html"
    if _XML_START.match(plain):
        return "xml", "text/xml"
    for magic, name in _MAGIC:
        if start.startswith(magic):
            return "other", name
    if start[:4] == b"RIFF":
        return "other", {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(start[8:12], "application/octet-stream")
    if start[4:8] == b"ftyp":
        return "other", "image/avif" if start[8:12] in {b"avif", b"avis"} else "video/mp4"
    if start.startswith(_BOMS) or not _BINARY.search(start):
        return "other", "text/plain"
    return "other", "application/octet-stream"
