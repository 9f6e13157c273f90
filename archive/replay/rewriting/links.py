"""Where the references of a captured document lead in the archive.

A modifier says how the archive is asked for what it leads to, by pywb's names:

====== =====================================================
(none) a page, or anything
im_    an image
cs_    a style sheet
js_    a script
if_    the document of a frame
oe_    a font, a film, a sound, what an embed or object shows
mf_    the manifest of a web application
====== =====================================================
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from archive.references import absolute

Link = Callable[[str, str], str]

UNREACHABLE = "about:invalid"  # what browsers make nothing of (CSS Values 4, 4.5.4: a request for it is an error)

_ENDS = "".join(map(chr, range(0x21)))
_INSIDE = str.maketrans("", "", "\t\n\r")
# Of other schemes nothing is fetched from a host by a page, or, as with ftp, by no browser any more.
_FOREIGN_SCHEME = re.compile(r"(?!https?:)[a-z][a-z0-9+.-]*:", re.IGNORECASE | re.ASCII)
_CREDENTIALS = re.compile(r"^((?:https?:)?[/\\]{2,})[^/\\?#]*@", re.IGNORECASE)
_CANDIDATE = re.compile(r"[\t\n\f\r ,]*+([^\t\n\f\r ]++)")
_DESCRIPTORS = re.compile(r"(?:\([^)]*+\)?|[^,(])*+,?")


class Links:
    """Resolves what stands in one document, captured at *url*, and gives its addresses in the archive."""

    def __init__(self, url: str, link: Link, *, framed: bool = False) -> None:
        self.url = url.partition("#")[0]
        self.base = self.url
        self.link = link
        self.needs: dict[tuple[str, str], None] = {}  # what the document loads: address and modifier, in its order
        # What a framed document leads to comes into its frame: asked for as a page, it could forbid to be framed there.
        self.page_modifier = "if_" if framed else ""
        self._known: dict[tuple[str, str, str], str | None] = {}

    def to(self, reference: str, modifier: str) -> str | None:
        """Return what is to stand in place of *reference*; ``None`` when it is to stay as it is.

        It stays when it leads to another scheme or only within the document. What no address can be made of leads
        nowhere: left as it is, a browser that is more forgiving could follow it to the live web.
        """
        key = (self.base, reference, modifier or self.page_modifier)
        if key not in self._known:
            self._known[key] = self._to(reference, modifier)
        return self._known[key]

    def _to(self, reference: str, modifier: str) -> str | None:
        if not reference.isprintable() or reference != reference.strip():
            reference = reference.strip(_ENDS).translate(_INSIDE)
        if _FOREIGN_SCHEME.match(reference):
            return None
        reference, mark, fragment = reference.partition("#")
        if not reference:
            if self.base == self.url or modifier:  # an empty address loads nothing
                return None
            return self.link(self.base, self.page_modifier) + mark + fragment
        address = absolute(self.base, reference) or absolute(self.base, _CREDENTIALS.sub(r"\1", reference))
        if address is None:
            return UNREACHABLE
        if modifier:
            self.needs[address, modifier] = None
        return self.link(address, modifier or self.page_modifier) + mark + fragment

    def address(self, reference: str) -> str | None:
        """Return what *reference* means on the live web; ``None`` for other schemes and for nothing."""
        return absolute(self.base, reference)

    def srcset(self, value: str, modifier: str = "im_") -> str:
        """Return a ``srcset`` with its candidates in the archive, each with the descriptors it has."""
        return ", ".join(
            f"{self.to(reference, modifier) or reference} {descriptors}".rstrip()
            for reference, descriptors in srcset_candidates(value)
        )

    def several(self, value: str, separator: str, modifier: str) -> str:
        """Return a list of references, parted by *separator*, each in the archive."""
        return separator.join(self.to(reference, modifier) or reference for reference in value.split(separator))

    def set_base(self, reference: str) -> None:
        """Take the address of a ``base`` element for all that follows; one of another scheme is none."""
        self.base = absolute(self.url, reference.strip(_ENDS).partition("#")[0]) or self.base


def srcset_candidates(value: str) -> Iterator[tuple[str, str]]:
    """Yield reference and descriptors of each candidate (HTML Standard, 4.8.4.2.2): commas inside belong to it."""
    position = 0
    while found := _CANDIDATE.match(value, position):
        position = found.end()
        if found[1].endswith(","):
            yield found[1].rstrip(","), ""
        else:
            rest = _DESCRIPTORS.match(value, position)  # they end at the next comma outside of parentheses
            position = rest.end() if rest else position
            yield found[1], rest[0].removesuffix(",").strip() if rest else ""
