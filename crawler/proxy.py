"""Which requests go through a proxy."""

from __future__ import annotations

from typing import Self

from scrapy import Request
from scrapy.crawler import Crawler

from crawler import config
from crawler.config import Config


class ProxyMiddleware:
    """Set ``request.meta["proxy"]`` as the ``Config`` says. Proxy credentials never enter Scrapy's settings or logs."""

    def __init__(self, options: Config) -> None:
        self.options = options

    @classmethod
    def from_crawler(cls, _: Crawler) -> Self:
        return cls(config.current())

    def process_request(self, request: Request) -> None:
        if "proxy" not in request.meta:
            proxy = self.options.proxy_for(request.url)
            if proxy:
                request.meta["proxy"] = proxy
