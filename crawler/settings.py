"""Scrapy's settings for this project: plain assignments from the one ``Config``.

Every switch that Scrapy leaves open by default and an archiver must not is closed here: foreign schemes, cookies, the
telnet console, the remote control server, unverified TLS (our own download handler always verifies).
"""

from crawler import config as _config
from crawler.priorities import CAPTURE, DEFAULT_HEADERS, PROXY, REDIRECT, RETRY, ROBOTS, TIMEOUT

_options = _config.current()

BOT_NAME = "newswarc"
SPIDER_MODULES = ["spiders"]
SPIDER_LOADER_CLASS = "crawler.loading.PublicationLoader"
NEWSPIDER_MODULE = "spiders"

# The archive (no secrets: those stay in the Config, which never enters Scrapy's settings or its logs)
NEWSWARC_ARCHIVE = _options.archive
NEWSWARC_ALLOW_PRIVATE = _options.allow_private
NEWSWARC_TRUST_PROXY = _options.trust_proxy
NEWSWARC_CA_FILE = str(_options.ca_file) if _options.ca_file else None
NEWSWARC_ROBOTS = "obey"
NEWSWARC_ROBOTS_AGENT = "newswarc"

# The wire: our own HTTP/1.1 client on asyncio, no Twisted reactor (docs/decisions/0001-engine.md)
TWISTED_REACTOR_ENABLED = False
DOWNLOAD_HANDLERS = {
    "http": "crawler.handlers.WireDownloadHandler",
    "https": "crawler.handlers.WireDownloadHandler",
    "file": None,
    "data": None,
    "ftp": None,
    "s3": None,
}
DOWNLOAD_TIMEOUT = _options.timeout_s
DOWNLOAD_MAXSIZE = _options.max_bytes
DOWNLOAD_WARNSIZE = 0
DOWNLOAD_FAIL_ON_DATALOSS = False  # a cut response is kept and marked, never discarded
USER_AGENT = _options.full_user_agent
DEFAULT_REQUEST_HEADERS = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "en,*;q=0.5",
    "Accept-Encoding": "gzip",  # what every reader of WARC files can decode
}

# Only what is needed stands between the engine and the wire; decompression and cookies are not.
DOWNLOADER_MIDDLEWARES_BASE = {
    "crawler.robots.RobotsMiddleware": ROBOTS,
    "scrapy.downloadermiddlewares.downloadtimeout.DownloadTimeoutMiddleware": TIMEOUT,
    "scrapy.downloadermiddlewares.defaultheaders.DefaultHeadersMiddleware": DEFAULT_HEADERS,
    "scrapy.downloadermiddlewares.useragent.UserAgentMiddleware": DEFAULT_HEADERS + 1,
    "scrapy.downloadermiddlewares.retry.RetryMiddleware": RETRY,
    "scrapy.downloadermiddlewares.redirect.RedirectMiddleware": REDIRECT,
    "crawler.proxy.ProxyMiddleware": PROXY,
    "crawler.capture.CaptureMiddleware": CAPTURE,
}
SPIDER_MIDDLEWARES_BASE = {
    "scrapy.spidermiddlewares.referer.RefererMiddleware": 700,
}
REFERRER_POLICY = "strict-origin-when-cross-origin"  # what browsers send
EXTENSIONS_BASE = {
    "crawler.session.ArchiveSession": 0,
    "crawler.examiner.Examiner": 0,
    "scrapy.extensions.corestats.CoreStats": 0,
    "scrapy.extensions.closespider.CloseSpider": 0,
}
COOKIES_ENABLED = False
TELNETCONSOLE_ENABLED = False
REMOTE_CONTROL_ENABLED = False
ROBOTSTXT_OBEY = False  # Scrapy's own; ours is RobotsMiddleware

CONCURRENT_REQUESTS = _options.concurrency
CONCURRENT_REQUESTS_PER_DOMAIN = _options.concurrency_per_host
CONCURRENT_ITEMS = 4  # the default of 100 starts 101 tasks a response
DOWNLOAD_DELAY = 0
RETRY_TIMES = 2
RETRY_HTTP_CODES = [408, 429, 502, 503, 504, 522, 524]
RETRY_GIVE_UP_LOG_LEVEL = "INFO"  # the page's own outcome tells it, once
REDIRECT_MAX_TIMES = 20  # as browsers do (Fetch standard, HTTP-redirect fetch, step 4)

LOG_LEVEL = "INFO"  # for `scrapy crawl`; the newswarc command sets logging up itself
LOG_VERSIONS: list[str] = []
