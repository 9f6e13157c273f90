"""XML as strangers write it, made such that parsers read it."""

from __future__ import annotations

import html.entities
import re

from archive.extraction.page import UNPARSED

LONGEST_TEXT = 10_000  # characters; no address, title or date is as long, only whole articles are

_BEFORE_ROOT = re.compile(
    r"""[\s\ufeff]++ | <\?.*?\?> | <!--.*?-->
    | <!DOCTYPE (?:[^\[<>"']|"[^"]*+"|'[^']*+')*+ (?:\[ (?:<!--.*?-->|"[^"]*+"|'[^']*+'|[^\]"'])*+ \]\s*+)?+ >""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_NAME = re.compile(r"<((?:[\w.-]+:)?[a-z][\w.-]*)(?=[\s/>])", re.IGNORECASE | re.ASCII)
_TO_MEND = re.compile(
    r"""<!\[CDATA\[.*?(?:\]\]>|\Z) | <!--.*?(?:-->|\Z)
    | &(?!(?:amp|lt|gt|quot|apos);)(?:(?P<name>[a-zA-Z][a-zA-Z0-9]{0,31});|\#(?:(?P<number>[0-9]{1,7})|[xX](?P<hex>[0-9a-fA-F]{1,6}));)?""",
    re.VERBOSE | re.DOTALL,
)
_LONG_TEXT = re.compile(rf">[^<>]{{{LONGEST_TEXT},}}+")


def root(text: str) -> tuple[str, int]:
    """Return the name of the first element, as it is written, and where it starts; an empty name when there is none.

    Before it stand blanks, byte order marks, declarations, comments and a document type only.
    """
    position = 0
    while before := _BEFORE_ROOT.match(text, position):
        position = before.end()
    name = _NAME.match(text, position)
    return (name[1] if name else "", position)


def mended(text: str) -> str:
    """Return *text*, which starts with its root element, as XML without what parsers stop or stumble at.

    Characters that XML has not become blanks, bare ampersands are escaped, HTML's names of characters resolved and
    all others left as text: with the document type gone there are no entities to expand. Comments go, and so do texts
    of more than :data:`LONGEST_TEXT` characters: nothing is looked for in them, and the regular expressions that
    feed parsers try on a text take the square of its length. What follows the last tag, as in a file that was cut,
    goes too, for half an address leads elsewhere.
    """
    text = text[: text.rfind(">") + 1]
    return _LONG_TEXT.sub(">", _TO_MEND.sub(_mend, UNPARSED.sub(" ", text)))


def _mend(found: re.Match[str]) -> str:
    whole = found[0]
    if whole.startswith("<!["):
        return whole if len(whole) <= LONGEST_TEXT else ""
    if whole.startswith("<"):
        return ""
    if found["name"]:
        meant = html.entities.html5.get(f"{found['name']};")
        return f"&amp;{found['name']};" if meant is None else meant.replace("&", "&amp;").replace("<", "&lt;")
    if found["number"] or found["hex"]:
        code = int(found["number"]) if found["number"] else int(found["hex"], 16)
        return f"&#{code};" if code <= 0x10FFFF else " "
    return "&amp;"
