"""What a crawl needs to know about a publication, as plain values and functions: a publisher's file fills it in.

A module in ``spiders/`` that assigns ``PUBLICATION``, or defines ``publication(**arguments)`` that returns one, is a
spider: :mod:`crawler.loading` makes a Scrapy spider of it, under the module's name. No Scrapy is needed to read it, for
the workers that follow a page's links load it too.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import inspect
import re
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from archive.rules import Publisher

# What an address is, as far as it alone tells. "page": cannot be told; "skip": never worth asking for.
AddressKind = Literal["article", "section", "feed", "sitemap", "page", "skip"]
Period = tuple[date, date]  # first and last day


class ArgumentError(ValueError):
    """An argument of a spider is missing, unknown, or means nothing. The message says what it takes."""


class NotLoaded(ImportError):
    """A spider's module cannot be imported, or holds no publication. The message names file and line."""

    def __init__(self, module: str, error: BaseException) -> None:
        super().__init__(f"{_place_of(module, error)}: {type(error).__name__}: {error}")
        self.module = module


def _place_of(module: str, error: BaseException) -> str:
    """Return file and line of *module* at which *error* was met, or as much of that as is known."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}, line {error.lineno}"
    try:
        spec = importlib.util.find_spec(module)
    except ImportError:
        spec = None
    file = spec.origin if spec else None
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return f"{file or module}, line {lines[-1]}" if lines else f"{file or module}"


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

    def __post_init__(self) -> None:
        """Raise ``ValueError`` when a value is not what a crawl can begin with: a crawl of nothing tells nobody why."""
        for name in ("hosts", "home", "feeds", "sitemaps", "sections", "guesses"):
            value = getattr(self, name)
            if not isinstance(value, tuple) or not all(isinstance(item, str) for item in value):
                raise ValueError(f'{name}={value!r}: it must be a tuple of texts, as ("{_EXAMPLES[name]}",)')
        for host in self.hosts:
            if not _HOST.fullmatch(host) or host.startswith("www."):
                raise ValueError(f'hosts has {host!r}: write it as addresses have it, without scheme, "www." and path')
        for name in ("home", "feeds", "sitemaps", "sections"):
            for address in getattr(self, name):
                if not address.startswith(("http://", "https://")) or not site_of(address):
                    raise ValueError(f"{name} has {address!r}: write the whole address, as {_EXAMPLES[name]}")
        if not self.hosts:
            raise ValueError("hosts is empty: no page would belong to it")
        for address in (*self.home, *self.sections):
            if not self.owns(address):
                raise ValueError(f"{address} is on none of its hosts, which are {', '.join(self.hosts)}")
        if not (self.home or self.feeds or self.sitemaps or self.sections):
            raise ValueError("it has no home, feeds, sitemaps or sections: there is nothing to begin with")

    def kind(self, url: str) -> AddressKind:
        """Return what *url* is. Raises ``ValueError`` when :attr:`kind_of` gives no kind of address, or fails."""
        try:
            kind = self.kind_of(url)
        except Exception as error:
            raise ValueError(f"kind_of({url!r}) failed: {type(error).__name__}: {error}") from error
        if kind not in _ADDRESS_KINDS:
            raise ValueError(f"kind_of({url!r}) gave {kind!r}; it may give {', '.join(_ADDRESS_KINDS)}")
        return kind

    def period(self, url: str) -> Period | None:
        """Return which days *url* is about. Raises ``ValueError`` when :attr:`period_of` gives no days, or fails."""
        try:
            period = self.period_of(url)
        except Exception as error:
            raise ValueError(f"period_of({url!r}) failed: {type(error).__name__}: {error}") from error
        if period is not None and not _is_period(period):
            raise ValueError(f"period_of({url!r}) gave {period!r}; it may give a first and a last day, or None")
        return period

    def owns(self, url: str) -> bool:
        """Tell whether *url* is on one of its hosts."""
        return site_of(url).removeprefix("www.") in self.hosts

    def print_version(self, url: str) -> str | None:
        """Return the address of the print version of the article at *url*, or None."""
        return self.publisher.print_version(url) if self.publisher else None


def _is_period(value: object) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and all(type(day) is date for day in value)


_ADDRESS_KINDS: tuple[AddressKind, ...] = get_args(AddressKind)
_HOST = re.compile(r"(?:[a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::\d+)?")
_EXAMPLES = {
    "hosts": "news.example",
    "home": "https://news.example/",
    "feeds": "https://news.example/rss.xml",
    "sitemaps": "https://news.example/sitemap.xml",
    "sections": "https://news.example/politics",
    "guesses": "/sitemap.xml",
}
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

    Raises ``ArgumentError`` when the spider does not take them, ``NotLoaded`` when the module cannot be imported or
    holds none.
    """
    return _load(module, tuple(sorted((arguments or {}).items())))


@functools.lru_cache(maxsize=64)
def _load(module: str, arguments: tuple[tuple[str, str], ...]) -> Publication:
    try:
        loaded = importlib.import_module(module)
    except (Exception, SystemExit) as error:
        raise NotLoaded(module, error) from error
    name = module.rpartition(".")[2]
    make: Callable[..., Any] | None = getattr(loaded, "publication", None)
    if make is None:
        if arguments:
            unknown = ", ".join(key for key, _ in arguments)
            raise ArgumentError(f"spider {name} takes no argument of its own; it was given {unknown}")
        publication = getattr(loaded, "PUBLICATION", None)
    else:
        publication = _made(name, module, make, dict(arguments))
    if not isinstance(publication, Publication):
        raise NotLoaded(module, TypeError(f"it holds no publication, but {publication!r}"))
    try:  # now, rather than with the first page
        for address in (*publication.home, *publication.feeds, *publication.sitemaps, *publication.sections):
            publication.kind(address)
            publication.period(address)
    except ValueError as error:
        raise NotLoaded(module, error.__cause__ if isinstance(error.__cause__, Exception) else error) from error
    return publication


def _made(name: str, module: str, make: Callable[..., Any], arguments: Mapping[str, str]) -> Any:
    try:
        inspect.signature(make).bind(**arguments)
    except TypeError as error:
        taken = ", ".join(f"{parameter}=…" for parameter in inspect.signature(make).parameters)
        raise ArgumentError(f"spider {name}: {error}; it takes {taken or 'none'}") from error
    try:
        return make(**arguments)
    except ArgumentError:
        raise
    except Exception as error:
        raise NotLoaded(module, error) from error


__all__ = [
    "AddressKind",
    "ArgumentError",
    "NotLoaded",
    "Period",
    "Publication",
    "host_with_port",
    "load",
    "site_of",
]
