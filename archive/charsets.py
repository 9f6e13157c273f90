"""The text of a page, whatever its label says its charset is."""

from __future__ import annotations

import codecs
import re

SNIFF_BYTES = 4096  # WHATWG prescan reads 1024; older pages put scripts before their meta charset
GUESS_BYTES = 65_536  # what charset-normalizer is shown: enough text to tell encodings apart, bounded in time
META_CHARSET = re.compile(rb"""<meta[^>]{0,500}?charset\s*=\s*["']?\s*([a-zA-Z0-9_:.-]{2,40})""", re.IGNORECASE)
XML_ENCODING = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([a-zA-Z0-9_:.-]{2,40})["']""")
# What is no character of XML, written out or as a reference: libxml2 stops at some, lxml refuses to set any.
NO_CHARACTERS = bytes(0x20 if code == 0x7F or (code < 0x20 and code not in b"\t\n\r") else code for code in range(256))
NO_CHARACTER_REFERENCE = re.compile(
    rb"&#(?:0*(?:[0-8]|1[124-9]|2[0-9]|3[01])|[xX]0*(?:[0-8bcefBCEF]|1[0-9a-fA-F]|[dD][89a-fA-F][0-9a-fA-F]{2}|[fF]{3}[efEF]))"
    rb"(?![0-9a-fA-F]);?"
)
UNSAYABLE = re.compile("[\ud800-\udfff\ufffe\uffff]")  # halves of surrogate pairs, and what Unicode keeps free
NON_ASCII = re.compile("[^\x00-\x7f]")
WRONG_CHARSET = re.compile(
    "[\u0430-\u044f\u0451][\u0410-\u042f\u0401]|[\u00c0-\u00ff]{4}|[\x80-\x9f\u2500-\u257f\ue000-\uf8ff]"
)
ODD = 0.05  # of non-ASCII characters; right readings of news pages stay under a hundredth
BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
# What pages mean by a label, where Python's codec of that name is narrower (WHATWG Encoding, 4.2).
MEANT = {
    "iso-8859-1": "cp1252",
    "latin-1": "cp1252",
    "latin1": "cp1252",
    "us-ascii": "cp1252",
    "ascii": "cp1252",
    "iso-8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "x-sjis": "cp932",
    "sjis": "cp932",
    "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "big5": "big5hkscs",
    "tis-620": "cp874",
    "windows-874": "cp874",
    "x-user-defined": "cp1252",
    "koi8-u": "koi8-u",
}


def decode(body: bytes, content_type: str | None) -> str:
    """Return the text of a page: byte order mark, UTF-8, then what header and meta say, then a guess.

    A label that cannot decode the bytes without error is a lie; of labels that can, the one whose text looks least
    like the wrong charset is taken, the header's first. Bytes that nothing decodes are read with replacement
    characters.
    """
    for mark, name in BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(name, "replace")
    # Valid UTF-8 is UTF-8 whatever the label says: other charsets' text is never valid UTF-8 by chance.
    plain = _strictly(body, "utf-8")
    if plain is not None:
        return plain
    labels = _labels(body, content_type)
    readings = [text for text in (_strictly(body, label) for label in labels) if text is not None]
    if readings:
        best = min(readings, key=_oddness)
        if _oddness(best) < ODD:
            return best
    # A page cut in the middle of a character, or with one stray byte, still has the charset it says.
    for label in ("utf-8", *labels):
        text = _decoded(body, label)
        if text is not None and text.count("\ufffd") * 200 <= len(text) and _oddness(text) < ODD:
            return text
    from charset_normalizer import from_bytes  # noqa: PLC0415 - few pages need it, and it takes a while to load

    guess = from_bytes(body[:GUESS_BYTES]).best()
    guessed = body.decode(guess.encoding if guess else "utf-8", "replace")
    return min([*readings, guessed], key=_oddness)


def parseable(text: str) -> bytes:
    """Return *text* in UTF-8, with a space for each character, or reference to one, that XML does not have."""
    try:
        encoded = text.encode()
    except UnicodeEncodeError:
        encoded = UNSAYABLE.sub(" ", text).encode()
    if "\ufffe" in text or "\uffff" in text:
        encoded = UNSAYABLE.sub(" ", text).encode()
    return NO_CHARACTER_REFERENCE.sub(b" ", encoded.translate(NO_CHARACTERS))


def _oddness(text: str) -> float:
    """Return the share of a text's non-ASCII characters that hint at a wrong charset, 0 for plain ASCII.

    Russian read in the wrong one of its charsets has capitals inside words or box-drawing characters; read as
    Western European it is runs of accented letters; anything multi-byte read as single bytes leaves C1 controls.
    """
    beyond = len(NON_ASCII.findall(text))
    return len(WRONG_CHARSET.findall(text)) / beyond if beyond else 0.0


def _labels(body: bytes, content_type: str | None) -> list[str]:
    found: list[str] = []
    header = re.search(r"charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]+)", content_type or "", re.IGNORECASE)
    if header:
        found.append(header[1])
    start = body[:SNIFF_BYTES]
    for pattern in (META_CHARSET, XML_ENCODING):
        inside = pattern.search(start)
        if inside:
            found.append(inside[1].decode("ascii"))
    return list(dict.fromkeys(MEANT.get(label.lower(), label) for label in found))


def _strictly(body: bytes, label: str) -> str | None:
    try:
        text = body.decode(label)
    except (UnicodeError, LookupError, ValueError):
        return None
    # utf-16 labels on single-byte pages decode to CJK soup; a real page has markup.
    return text if "<" in text[:SNIFF_BYTES] or "<" not in body[:SNIFF_BYTES].decode("latin-1") else None


def _decoded(body: bytes, label: str) -> str | None:
    try:
        return body.decode(label, "replace")
    except (LookupError, ValueError):
        return None
