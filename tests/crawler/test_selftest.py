"""The self-test of our downloader: it stands on parts of Scrapy's that are nobody's promise."""

from __future__ import annotations

from typing import Any

import pytest
from scrapy.core.downloader import Downloader
from scrapy.core.downloader.handlers import DownloadHandlers
from scrapy.settings import Settings
from scrapy.signalmanager import SignalManager

from crawler.selftest import SelfTestFailed, check_scrapy
from tests.crawler.test_handlers import SETTINGS

OURS = Settings({**SETTINGS, "DOWNLOADER": "crawler.downloader.DirectDownloader"})


_made = Downloader.__init__


def _without_middleware(self: Any, crawler: Any) -> None:
    _made(self, crawler)
    del self.middleware


async def _renamed(self: Any, *_: Any) -> None:
    raise AttributeError("it has another name now")


def _silent(self: Any, *_: Any, **__: Any) -> list[Any]:
    return []


def test_it_passes_here():
    check_scrapy(OURS)


@pytest.mark.parametrize(
    ("owner", "name", "replacement", "reason"),
    [
        (Downloader, "__init__", _without_middleware, "is not what DirectDownloader is made of: AttributeError"),
        (DownloadHandlers, "download_request_async", _renamed, "is not what DirectDownloader is made of"),
        (Downloader, "needs_backout", lambda _: False, "no longer goes by active"),
        (SignalManager, "send_catch_log", _silent, "no longer sends response_downloaded"),
    ],
)
def test_a_scrapy_that_our_downloader_does_not_fit_is_refused(
    owner: type, name: str, replacement: Any, reason: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(owner, name, replacement)
    with pytest.raises(SelfTestFailed, match=reason):
        check_scrapy(OURS)


def test_who_uses_scrapys_own_downloader_is_not_kept_from_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(DownloadHandlers, "download_request_async", _renamed)
    check_scrapy(Settings(SETTINGS))
