"""Which spiders there are: those written as Scrapy spiders, and one of each publication in ``SPIDER_MODULES``."""

from __future__ import annotations

import builtins
import importlib
from typing import Self

from scrapy import Request, Spider
from scrapy.settings import BaseSettings
from scrapy.utils.spider import iter_spider_classes

from crawler.publication import NotLoaded
from crawler.publishers import modules_in, publication_modules
from crawler.spider import spider_class


class PublicationLoader:
    """Scrapy's interface to a project's spiders. A module that cannot be imported costs its own spider alone.

    That of a publication is not imported before its spider runs; any other's spider has the name of its module then.
    """

    def __init__(self, settings: BaseSettings) -> None:
        packages = settings.getlist("SPIDER_MODULES")
        modules = publication_modules(packages)
        self._publications = {module.rpartition(".")[2]: module for module in modules}
        self._spiders: dict[str, type[Spider]] = {}
        self._broken: dict[str, NotLoaded] = {}
        for package in packages:
            for name in modules_in(package):
                if name not in modules:
                    self._import(name)

    def _import(self, module: str) -> None:
        try:
            loaded = importlib.import_module(module)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it does when it is imported
            self._broken[module.rpartition(".")[2]] = NotLoaded(module, error)
            return
        self._spiders |= {found.name: found for found in iter_spider_classes(loaded)}

    @classmethod
    def from_settings(cls, settings: BaseSettings) -> Self:
        return cls(settings)

    def load(self, spider_name: str) -> type[Spider]:
        """Return the spider of that name.

        Raises ``KeyError`` when there is none, ``NotLoaded`` when its module cannot be imported. That of a publication
        is imported, and ``NotLoaded`` raised, when the spider is made.
        """
        if spider_name in self._publications:
            return spider_class(self._publications[spider_name])
        if spider_name in self._spiders:
            return self._spiders[spider_name]
        if spider_name in self._broken:
            raise self._broken[spider_name]
        raise KeyError(f"Spider not found: {spider_name}")

    def list(self) -> builtins.list[str]:
        return sorted({*self._spiders, *self._publications, *self._broken})

    def find_by_request(self, request: Request) -> builtins.list[str]:
        """Return the names of the spiders that would take *request*, as ``scrapy fetch`` and ``scrapy shell`` ask."""
        return [name for name, spider in self._spiders.items() if spider.handles_request(request)]
