"""How many bytes a crawl's captures take in the archive."""

from __future__ import annotations

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.http import Response

from crawler.known import ARCHIVED


def kept_bytes(response: Response) -> int:
    """Return how many bytes the record of *response* takes in the archive, 0 when it came from there."""
    capture = None if ARCHIVED in response.flags else response.meta.get("capture")
    return int(capture.place.length) if capture else 0


class Received:
    """Counts the bytes that a crawl's captures take in the archive, for whoever is told at its end."""

    def __init__(self) -> None:
        self.bytes = 0

    def watch(self, crawler: Crawler) -> None:
        """Count what *crawler* receives from now on."""
        crawler.signals.connect(self._received, signal=signals.response_received, weak=False)

    def _received(self, response: Response) -> None:
        self.bytes += kept_bytes(response)
