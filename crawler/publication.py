"""What a crawl needs to know about a publication, as plain values and functions: a publisher's file fills it in.

A module in ``spiders/`` that assigns ``PUBLICATION``, or defines ``publication(**arguments)`` that returns one, is a
spider: :mod:`crawler.loading` makes a Scrapy spider of it, under the module's name. No Scrapy is needed to read it, for
the workers that follow a page's links load it too.
"""

from __future__ import annotations

import functools
import importlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal
from urllib.parse import urlsplit

from archive.rules import Publisher, host_of

# What an address is, as far as it alone tells. "page": cannot be told; "skip": never worth asking for.
AddressKind = Literal["article", "section", "feed", "sitemap", "page", "skip"]
Period = tuple[date, date]  # first and last day


class ArgumentError(ValueError):
    """An argument of a spider is missing, unknown, or means nothing. The message says what it takes."""


def _no_paging(_url: str, _articles: int) -> Sequence[str]:
    return ()


def _no_period(_url: str) -> Period | None:
    return None


@dataclass(frozen=True, slots=True)
class Publication:
    """One publication as a crawl sees it.

    *hosts* are those whose pages belong to it, without "www.", with a port where it has one of its own. *home*,
    *feeds*, *sitemaps* and *sections* are where a crawl begins; what robots.txt and home pages name beside them is
    found by itself. *guesses* are sitemaps that are asked for only when robots.txt names none. *kind_of* says what an
    address is. *paging* gives the addresses of further pages of a listing, from its address and the number of articles
    it shows, where no link names them. *period_of* says which days an address is about: of an article its day, of a
    sitemap or date archive all the days it may list.
    """

    hosts: tuple[str, ...]
    kind_of: Callable[[str], AddressKind]
    publisher: Publisher | None = None
    home: tuple[str, ...] = ()
    feeds: tuple[str, ...] = ()
    sitemaps: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    guesses: tuple[str, ...] = ()
    paging: Callable[[str, int], Sequence[str]] = _no_paging
    period_of: Callable[[str], Period | None] = _no_period

    def owns(self, url: str) -> bool:
        """Tell whether *url* is on one of its hosts."""
        return site_of(url).removeprefix("www.") in self.hosts

    def print_version(self, url: str) -> str | None:
        """Return the address of the print version of the article at *url*, or None."""
        return self.publisher.print_version(url) if self.publisher else None


_PORT = re.compile(r":(\d+)$")
_DEFAULT_PORTS = {"http": "80", "https": "443"}


def site_of(url: str) -> str:
    """Return host and port of *url*, in lower case, the port only when it is not the scheme's own; empty when none."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    site = parts.netloc.rpartition("@")[2].lower()
    port = _PORT.search(site)
    if port and port[1] == _DEFAULT_PORTS.get(parts.scheme):
        site = site[: port.start()]
    return site


def host_with_port(url: str) -> str:
    """Return the site of *url* without "www.", as :attr:`Publication.hosts` spells it."""
    return site_of(url).removeprefix("www.")


def load(module: str, arguments: Mapping[str, str] | None = None) -> Publication:
    """Return the publication of the spider *module*, a dotted name, for the spider's own *arguments*.

    Raises ``ArgumentError`` when the spider does not take them, ``ImportError`` when the module holds none.
    """
    return _load(module, tuple(sorted((arguments or {}).items())))


@functools.lru_cache(maxsize=64)
def _load(module: str, arguments: tuple[tuple[str, str], ...]) -> Publication:
    loaded = importlib.import_module(module)
    name = module.rpartition(".")[2]
    make: Callable[..., Any] | None = getattr(loaded, "publication", None)
    if make is None:
        if arguments:
            unknown = ", ".join(key for key, _ in arguments)
            raise ArgumentError(f"spider {name} takes no argument of its own; it was given {unknown}")
        publication = getattr(loaded, "PUBLICATION", None)
    else:
        publication = make(**dict(arguments))
    if not isinstance(publication, Publication):
        raise ImportError(f"{module} holds no publication")
    return publication


__all__ = [
    "AddressKind",
    "ArgumentError",
    "Period",
    "Publication",
    "host_of",
    "host_with_port",
    "load",
    "site_of",
]
