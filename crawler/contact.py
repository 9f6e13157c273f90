"""Whoever crawls a public site says who he is: its operator must be able to reach him before he blocks him."""

from __future__ import annotations

import re
from typing import Self

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.utils.httpobj import urlparse_cached

from crawler import config
from crawler.addresses import AddressRefused, Guard, ResolveFailed
from crawler.config import Config

_CONTACT = re.compile(r"https?://[^\s;)]+\.[^\s;)]+|[^\s@<>;(]+@[^\s@<>;)]+\.\w+")


class ContactMissing(IgnoreRequest):
    """A public site was about to be crawled by somebody who does not say who he is. Nothing was sent."""

    def __init__(self, host: str) -> None:
        super().__init__(
            f"{host} is a public site, and the user agent names nobody: before crawling it, set operator or user_agent"
            f' in newswarc.toml, with a page or an address that reaches you, such as operator = "Library of'
            f' X, https://example.org/archive, archive@example.org"'
        )


def names_a_contact(text: str | None) -> bool:
    """Tell whether *text* holds a web page or an e-mail address."""
    return bool(_CONTACT.search(text or ""))


class ContactMiddleware:
    """Lets no request to a public address pass whose ``User-Agent`` names no contact (RFC 9309 says nothing of it; RFC
    9110, 10.1.2 and 10.1.5 do, and sites block what they cannot ask)."""

    def __init__(self, user_agent: str | None, options: Config) -> None:
        self.options = options
        self._names_a_contact = names_a_contact(user_agent)
        self._guard = Guard(allow_private=False)
        self._private: dict[str, bool] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler.settings.get("USER_AGENT"), config.current())

    async def process_request(self, request: Request) -> None:
        if self._names_a_contact:
            return
        host = urlparse_cached(request).hostname or ""
        if host not in self._private:
            try:
                self._private[host] = await self._is_private(request.url, host)
            except ResolveFailed:  # of that the download speaks itself; the name may be known another time
                return
        if not self._private[host]:
            raise ContactMissing(host)

    async def _is_private(self, url: str, host: str) -> bool:
        if self.options.proxy_for(url):
            return False
        try:
            await self._guard.resolve(host, 80)
        except AddressRefused:
            return True
        return False
