"""The peer: plain Scrapy with warcio, as a competent user writes it who wants WARC files out of a crawl.

    python benchmarks/capture/scrapy_warcio.py START FILE

Scrapy as it comes, its reactor and handler included; links by ``LinkExtractor``. A downloader middleware next to the
downloader sees bodies before they are decompressed and writes request and response with warcio, one gzip member each.
What crosses the wire is not to be had there: heads are put together again out of Scrapy's ``Headers``.
"""

from __future__ import annotations

import sys
from http import HTTPStatus
from io import BytesIO
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.crawler import CrawlerProcess
from scrapy.http import Response
from scrapy.linkextractors import LinkExtractor
from scrapy.spiders import CrawlSpider, Rule
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

NEXT_TO_THE_DOWNLOADER = 950  # HttpCompressionMiddleware has 590


class WarcMiddleware:
    def __init__(self, path: str) -> None:
        self.file = open(path, "wb")  # noqa: SIM115 - open for as long as the crawl runs
        self.writer = WARCWriter(self.file, gzip=True)

    @classmethod
    def from_crawler(cls, crawler):
        return cls(crawler.settings["WARC_FILE"])

    def process_response(self, request: Request, response: Response) -> Response:
        status = f"{response.status} {HTTPStatus(response.status).phrase}"
        head = StatusAndHeaders(status, pairs(response.headers), protocol="HTTP/1.1")
        answer = self.writer.create_warc_record(
            response.url, "response", payload=BytesIO(response.body), http_headers=head
        )
        parts = urlsplit(request.url)
        path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        asked = StatusAndHeaders(
            f"{request.method} {path} HTTP/1.1", [("Host", parts.netloc), *pairs(request.headers)], is_http_request=True
        )
        question = self.writer.create_warc_record(request.url, "request", http_headers=asked)
        self.writer.write_request_response_pair(question, answer)
        self.file.flush()
        return response


def pairs(headers) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, values in headers.items() for value in values]


class Site(CrawlSpider):
    name = "site"
    rules = (Rule(LinkExtractor(), follow=True),)

    def __init__(self, start: str, **more) -> None:
        super().__init__(**more)
        self.start_urls = [start]
        self.allowed_domains = [urlsplit(start).hostname]


def main() -> None:
    start, path = sys.argv[1:]
    process = CrawlerProcess(
        {
            "ROBOTSTXT_OBEY": True,
            "CONCURRENT_REQUESTS": 16,
            "CONCURRENT_REQUESTS_PER_DOMAIN": 16,
            "DOWNLOAD_DELAY": 0,
            "LOG_LEVEL": "WARNING",
            "WARC_FILE": path,
            "DOWNLOADER_MIDDLEWARES": {WarcMiddleware: NEXT_TO_THE_DOWNLOADER},
        }
    )
    process.crawl(Site, start=start)
    process.start()


if __name__ == "__main__":
    main()
