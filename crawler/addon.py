"""Exact capture for any Scrapy project, in one line of its settings: ``ADDONS = {"crawler.addon.Newswarc": 0}``.

The project keeps its spiders, its scheduler and its middlewares; what crosses the wire for them is archived. See
docs/scrapy.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scrapy.settings import SETTINGS_PRIORITIES, BaseSettings

from crawler import config
from crawler.priorities import CAPTURE, PROXY

PRIORITY = "addon"  # above Scrapy's defaults, below what the project itself sets


class Newswarc:
    """Scrapy add-on: archives every exchange of the project's spiders into ``NEWSWARC_ARCHIVE``.

    That and all else comes from ``newswarc.toml`` and the environment, as for the command; ``NEWSWARC_ARCHIVE``,
    ``NEWSWARC_ALLOW_PRIVATE``, ``NEWSWARC_TRUST_PROXY`` and ``NEWSWARC_CA_FILE`` may stand in the project's settings.
    """

    def update_settings(self, settings: BaseSettings) -> None:
        options = config.current()
        for name, value in (
            ("NEWSWARC_ARCHIVE", options.archive),
            ("NEWSWARC_ALLOW_PRIVATE", options.allow_private),
            ("NEWSWARC_TRUST_PROXY", options.trust_proxy),
            ("NEWSWARC_CA_FILE", str(options.ca_file) if options.ca_file else None),
            ("NEWSWARC_ROBOTS", "obey" if settings.getbool("ROBOTSTXT_OBEY") else "ignore"),  # as evidence alone
        ):
            settings.set(name, value, PRIORITY)
        # What the project sets itself stays, and is refused by the self-test where nothing could be archived.
        _add(settings, "DOWNLOAD_HANDLERS", _HANDLERS, keep=True)
        _add(settings, "DEFAULT_REQUEST_HEADERS", {"Accept-Encoding": "gzip"}, keep=True)  # every reader decodes it
        _add(settings, "DOWNLOADER_MIDDLEWARES", _MIDDLEWARES)
        _add(settings, "EXTENSIONS", {"crawler.session.ArchiveSession": 0})


_HANDLERS = {
    **dict.fromkeys(("http", "https"), "crawler.handlers.WireDownloadHandler"),
    **dict.fromkeys(("file", "data", "ftp", "s3")),
}
_MIDDLEWARES = {
    "scrapy.downloadermiddlewares.httpproxy.HttpProxyMiddleware": None,  # its proxies are not ours to trust
    "crawler.proxy.ProxyMiddleware": PROXY,
    "crawler.capture.CaptureMiddleware": CAPTURE,
}


def _add(settings: BaseSettings, name: str, values: Mapping[str, Any], *, keep: bool = False) -> None:
    """Add *values* to a setting that is a dictionary; *keep* what it has under the same names.

    As if the project said so: what Scrapy changes by itself, when it runs without a reactor, ranks as the project's.
    """
    before = settings.getdict(name)
    values = {**values, **before} if keep else {**before, **values}
    settings.set(name, values, max(settings.getpriority(name) or 0, SETTINGS_PRIORITIES["project"]))
