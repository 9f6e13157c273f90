"""The publishers known: every module of the spiders' packages that holds a ``PUBLISHER``, found by name."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator

from archive.rules import Publisher

SPIDER_PACKAGES = ("spiders",)


def publisher_modules(packages: Iterable[str] = SPIDER_PACKAGES) -> list[str]:
    """Return the dotted names of the modules that hold publishers' rules, without importing any of them.

    Modules of generic spiders are among them; whoever loads a module looks for its ``PUBLISHER``.
    """
    names: list[str] = []
    for package in packages:
        module = importlib.import_module(package)
        names.extend(
            f"{package}.{info.name}" for info in pkgutil.iter_modules(module.__path__) if not info.name.startswith("_")
        )
    return sorted(names)


def publishers(packages: Iterable[str] = SPIDER_PACKAGES) -> Iterator[Publisher]:
    """Yield every publisher, by module name."""
    for name in publisher_modules(packages):
        publisher = getattr(importlib.import_module(name), "PUBLISHER", None)
        if isinstance(publisher, Publisher):
            yield publisher
