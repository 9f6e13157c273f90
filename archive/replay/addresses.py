"""The addresses under ``/web/``: read out of what a client sends, and made for what the archive holds.

    /web/<timestamp><modifier>/<url>    a memento; the timestamp may have 1 to 14 digits
    /web/<modifier>/<url>, /web/<url>   the TimeGate
    /web/*/<url>                        the captures of a URL, for people
    /web/timemap/<form>/<url>           its TimeMap; /web/timemap/<form>/<page>/<url> a part of a long one

The URL stands in the address as it is, its percent escapes untouched, its query behind it: nothing is unescaped on the
way, or ``%2F`` and ``/`` would be the same page.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import quote

Link = Callable[[str, str], str]  # (absolute URL, modifier) → address in the archive

WEB = "/web/"
RAW = "id_"
BANNER_ONLY = "bn_"

MODIFIERS = frozenset({"", "id_", "bn_", "mp_", "if_", "fr_", "im_", "cs_", "js_", "mf_", "oe_", "sw_", "wkr_", "fd_"})

_MEMENTO = re.compile(r"(\d{1,14})([a-z]{2,3}_)?/(.+)", re.DOTALL | re.ASCII)
_MODIFIED = re.compile(r"([a-z]{2,3}_)/(.+)", re.DOTALL | re.ASCII)
_TIMEMAP = re.compile(r"timemap/([a-z]+)/(?:(\d{1,9})/(?=[a-z]+:|\S+\.))?(.+)", re.DOTALL | re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_TO_QUOTE = re.compile(r"[^!#-;=?-~]")
_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*):(/*)")
_PORT = re.compile(r"[^/?#]*:\d+(?:[/?#]|$)")

URL_CHARACTERS = 16_384  # longer ones are in no archive that browsers made
# Left as they are in an address: what a URL may hold, and the percent sign, so that escapes stay what they were.
_SAFE = "%:/?#[]@!$&'()*+,;=-._~|{}^`\\"


class BadAddress(ValueError):
    """What stands behind ``/web/`` is no address of this archive. The message says what one looks like."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address asks for. *timestamp* is as given, 1 to 14 digits, and empty of a TimeGate."""

    kind: Literal["memento", "timegate", "timemap", "captures"]
    url: str
    timestamp: str = ""
    modifier: str = ""
    form: str = ""  # of a TimeMap: link, json, cdxj
    page: int | None = None  # of a TimeMap, from 1

    @property
    def at(self) -> datetime:
        """The moment that *timestamp* names: the earliest that its digits allow."""
        return moment(self.timestamp)


def read(rest: str) -> Asked:
    """Read what stands behind ``/web/``, its query included.

    Raises ``BadAddress``.
    """
    if rest.startswith("*/"):
        return Asked("captures", original(rest[2:]))
    if match := _TIMEMAP.fullmatch(rest):
        form, page, url = match.groups()
        return Asked("timemap", original(url), form=form, page=int(page) if page else None)
    if match := _MEMENTO.fullmatch(rest):
        digits, modifier, url = match.groups()
        if url.startswith("*"):
            raise BadAddress(f"{url[:80]}: an address names one URL; many are listed by /cdx?url=…*")
        moment(digits)
        return Asked("memento", original(url), digits, _known(modifier or ""))
    if match := _MODIFIED.fullmatch(rest):
        return Asked("timegate", original(match[2]), "", _known(match[1]))
    return Asked("timegate", original(rest))


def _known(modifier: str) -> str:
    if modifier not in MODIFIERS:
        raise BadAddress(f"{modifier}: no such form of a capture; id_ is the captured payload, none the page replayed")
    return modifier


def original(text: str) -> str:
    """Return the URL that *text*, the end of an address, names: a scheme and slashes lost on the way are put back.

    Raises ``BadAddress`` when it can be none.
    """
    text = text.strip()
    if not text or len(text) > URL_CHARACTERS:
        raise BadAddress("no URL stands in the address, as in /web/https://news.example/")
    if _CONTROL.search(text):
        raise BadAddress("the URL in the address holds a control character")
    match = _SCHEME.match(text)
    if match is None or (not match[2] and _PORT.match(text)):
        return f"http://{text.lstrip('/')}"
    scheme, slashes = match[1].lower(), match[2]
    if scheme not in {"http", "https", "ftp"}:
        return text
    # Servers and proxies on the way make one slash of two.
    return f"{scheme}://{text[match.end() :]}" if slashes != "//" or scheme != match[1] else text


def moment(timestamp: str) -> datetime:
    """Return the earliest time that 1 to 14 digits allow: ``2013`` is the first of January, ``201302`` of February.

    Of a year of fewer than four digits it is the last moment, so that ``2``, which people write for "the newest", is
    the year 2999, as in pywb. Days past a month's end are its last.
    Raises ``BadAddress`` when there is no such time.
    """
    if len(timestamp) < 4:
        digits = timestamp.ljust(4, "9") + "1231235959"
    else:
        digits = timestamp + "00000101000000"[len(timestamp) :]
    # An odd count cuts a number in half: 2013021 is the tenth.
    if len(timestamp) > 4 and len(timestamp) % 2:
        tail = timestamp + "0"
        digits = tail + "00000101000000"[len(tail) :]
    year, month, day = int(digits[:4]), int(digits[4:6]) or 1, int(digits[6:8]) or 1
    try:
        day = min(day, calendar.monthrange(year, month)[1])
        return datetime(year, month, day, int(digits[8:10]), int(digits[10:12]), int(digits[12:14]), tzinfo=UTC)
    except (ValueError, calendar.IllegalMonthError) as error:
        raise BadAddress(f"{timestamp}: no such time; write YYYYMMDDhhmmss") from error


def last_moment(timestamp: str) -> str:
    """Return the last 14 digits that begin with *timestamp*'s."""
    return timestamp + "99991231235959"[len(timestamp) :]


def web(timestamp: str, url: str, modifier: str = "") -> str:
    """Return the path at which the capture of *url* nearest to *timestamp* is replayed."""
    return f"{WEB}{timestamp}{modifier}/{quoted(url)}"


def timegate(url: str) -> str:
    return f"{WEB}{quoted(url)}"


def timemap(url: str, form: str = "link", page: int | None = None) -> str:
    return f"{WEB}timemap/{form}/{f'{page}/' if page else ''}{quoted(url)}"


def quoted(url: str) -> str:
    """Return *url* as it may stand in an address and in a header: ASCII, without spaces, quotes or angle brackets."""
    if not _TO_QUOTE.search(url):
        return url
    return quote(url, safe=_SAFE, errors="surrogatepass")
