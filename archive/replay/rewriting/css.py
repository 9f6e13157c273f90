"""Style sheets."""

from __future__ import annotations

import re

from archive.css import css_places, is_closed
from archive.replay.rewriting.links import Links

_MODIFIERS = {"import": "cs_", "font": "oe_", "image": "im_"}
# Internet Explorer's filters: they load nothing today, and in a copy that is handed on they should not lead out.
_FILTER = re.compile(r"(progid:[\w.]+\([^)]*?\bsrc\s*=\s*)(?:\"([^\"]*)\"|'([^']*)'|([^'\",)\s]+))", re.IGNORECASE)
_TO_ESCAPE = re.compile(r"[\x00-\x1f\x7f\"\\<]")


def rewritten_css(text: str, links: Links) -> str:
    """Return the style sheet, or the value of a ``style`` attribute, with its references in the archive."""
    pieces: list[str] = []
    done = 0
    for reference, use, start, end in css_places(text):
        target = links.to(reference, _MODIFIERS[use])
        if target is None:
            continue
        if text[start] in "\"'" and not is_closed(text[start:end]) and end < len(text):
            continue  # a line break cuts the string: what it stands in is invalid, and would become valid
        pieces += (text[done:start], quoted(target))
        done = end
    if pieces:
        pieces.append(text[done:])
        text = "".join(pieces)
    if "progid:" in text.lower():
        text = _FILTER.sub(lambda match: _filter(match, links), text)
    return text


def quoted(address: str) -> str:
    """Return *address* as a string of CSS; nothing in it ends the string, or a ``style`` element."""
    return f'"{_TO_ESCAPE.sub(lambda match: f"{chr(92)}{ord(match[0]):x} ", address)}"'


def _filter(match: re.Match[str], links: Links) -> str:
    target = links.to(match[2] or match[3] or match[4] or "", "im_")
    return match[0] if target is None else match[1] + quoted(target)
