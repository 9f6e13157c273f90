"""XML as strangers write it, made such that parsers read it."""

from __future__ import annotations

import html
import html.entities
import re
import sys

from archive.charsets import parseable

LONGEST_TEXT = 2_000  # characters; no title, no date and no address worth asking for is as long, only articles are
LONGEST_TAG = 10_000  # characters; those of feeds with dozens of vocabularies have some 4,000

_BEFORE_ROOT = re.compile(
    r"""[\s\ufeff]++ | <\?.*?\?> | <!--.*?-->
    | <!DOCTYPE (?:[^\[<>"']|"[^"]*+"|'[^']*+')*+
      (?:\[ (?:<!--.*?(?:-->|\Z)|"[^"]*+"|'[^']*+'|[^\]"'])*+ \]\s*+)?+ >""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_NAME = re.compile(r"<((?:[\w.-]+:)?[a-z][\w.-]*)(?=[\s/>])", re.IGNORECASE | re.ASCII)
_TO_MEND = re.compile(
    r"""<!\[CDATA\[.*?(?:\]\]>|\Z) | <!--.*?(?:-->|\Z)
    | &(?!(?:amp|lt|gt|quot|apos);)
      (?:(?P<name>[a-zA-Z][a-zA-Z0-9]{0,31}); | \#(?:(?P<number>[0-9]{1,7})|[xX](?P<hex>[0-9a-fA-F]{1,6}));)?""",
    re.VERBOSE | re.DOTALL,
)
_TOO_LONG = re.compile(rf">[^<>]{{{LONGEST_TEXT},}}+|<[^<>]{{{LONGEST_TAG},}}+>?+")


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
    and tags that are too long: nothing is looked for in them, and what feed parsers do with a text, or the attributes
    of a tag, takes the square of its length. What follows the last tag, as in a file that was cut, goes too, for half
    an address leads elsewhere.
    """
    text = text[: text.rfind(">") + 1]
    text = _TO_MEND.sub(_mend, parseable(text).decode())
    return _TOO_LONG.sub(lambda found: ">" if found[0].startswith(">") else "", text)


def _mend(found: re.Match[str]) -> str:
    meant = found[0]
    if meant.startswith("<![") and len(meant) <= LONGEST_TEXT:
        return meant
    if meant.startswith("<"):
        return ""
    if found["name"]:
        meant = html.entities.html5.get(f"{found['name']};", meant)
    elif found["number"] or found["hex"]:
        code = int(found["number"]) if found["number"] else int(found["hex"], 16)
        meant = chr(code) if code <= sys.maxunicode else " "
    return html.escape(parseable(meant).decode())
