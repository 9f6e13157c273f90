"""The publishers known: every module of the spiders' packages that holds a ``PUBLISHER``, found by name."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import logging
import pkgutil
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from archive.catalog.identity import numbered
from archive.rules import Publisher, host_of
from crawler.publication import NotLoaded

log = logging.getLogger(__name__)

SPIDER_PACKAGES = ("spiders",)
_PUBLISHER = re.compile(rb"^PUBLISHER\b.*=", re.MULTILINE)
_PUBLICATION = re.compile(rb"^(?:PUBLICATION\b.*=|def publication\()", re.MULTILINE)


def publisher_modules(packages: Iterable[str] = SPIDER_PACKAGES) -> list[str]:
    """Return the dotted names of the modules that assign a ``PUBLISHER``, without importing any of them.

    The spider of single pages beside them would load Scrapy, which the workers that parse pages do without.
    """
    return _modules(packages, _PUBLISHER)


def publication_modules(packages: Iterable[str] = SPIDER_PACKAGES) -> list[str]:
    """Return the dotted names of the modules that hold a publication to crawl, without importing any of them."""
    return _modules(packages, _PUBLICATION)


def _modules(packages: Iterable[str], holds: re.Pattern[bytes]) -> list[str]:
    names: list[str] = []
    for package in packages:
        for name in modules_in(package):
            spec = importlib.util.find_spec(name)
            if spec and spec.origin and holds.search(Path(spec.origin).read_bytes()):
                names.append(name)
    return sorted(names)


def modules_in(package: str) -> list[str]:
    """Return the dotted names of the modules and packages right in *package*; it alone when it is a plain module."""
    path = getattr(importlib.import_module(package), "__path__", None)
    return [package] if path is None else [info.name for info in pkgutil.iter_modules(path, f"{package}.")]


def publishers(packages: Iterable[str] = SPIDER_PACKAGES) -> Iterator[Publisher]:
    """Yield every publisher, in the order of module names; of one that cannot be loaded it is said so once."""
    for _, publisher in publishers_by_module(packages):
        yield publisher


def publishers_by_module(packages: Iterable[str] = SPIDER_PACKAGES) -> Iterator[tuple[str, Publisher]]:
    """Yield every publisher with the dotted name of its module, as :func:`publishers` does."""
    for name in publisher_modules(packages):
        try:
            publisher = importlib.import_module(name).PUBLISHER
            if not isinstance(publisher, Publisher):
                raise TypeError(f"it holds no PUBLISHER, but {publisher!r}")
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it does when it is imported
            _tell(str(NotLoaded(name, error)))
        else:
            yield name, publisher


@functools.cache
def _tell(wrong: str) -> None:
    log.error("%s; the rules of this publisher are not used", wrong)


def identity(url: str) -> str | None:
    """Return what all captures of the article at *url* share, where its publisher's addresses tell: under any slug."""
    for publisher in publishers():
        for rules in publisher.rules:
            if host_of(url) in rules.hosts and rules.article_id and (number := rules.article_id(url)):
                return numbered(rules.publisher, number)
    return None


def print_version(url: str) -> str | None:
    """Return the address at which its publisher keeps the print version of the article at *url*, or None."""
    return next(filter(None, (publisher.print_version(url) for publisher in publishers())), None)
