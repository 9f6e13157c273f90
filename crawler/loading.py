"""Which spiders there are: those written as Scrapy spiders, and one of each publication in ``SPIDER_MODULES``."""

from __future__ import annotations

import builtins

from scrapy import Spider
from scrapy.settings import BaseSettings
from scrapy.spiderloader import SpiderLoader

from crawler.publishers import publication_modules
from crawler.spider import spider_class


class PublicationLoader(SpiderLoader):
    """Scrapy's own loader, which also makes a spider of each module that holds a publication."""

    def __init__(self, settings: BaseSettings) -> None:
        super().__init__(settings)
        modules = publication_modules(settings.getlist("SPIDER_MODULES"))
        self._publications = {module.rpartition(".")[2]: module for module in modules}

    def load(self, spider_name: str) -> type[Spider]:
        """Return the spider of that name. Raises ``KeyError`` when there is none."""
        if spider_name in self._publications:
            return spider_class(self._publications[spider_name])
        return super().load(spider_name)

    def list(self) -> builtins.list[str]:
        return sorted({*super().list(), *self._publications})
