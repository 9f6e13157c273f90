"""The order of downloader middlewares, from the engine (low) to the wire (high); Scrapy's own where it has one."""

CONTACT = 50  # before robots.txt is asked for
KNOWN = 60
ROBOTS = 100
TIMEOUT = 350
DEFAULT_HEADERS = 400
RETRY = 550
REDIRECT = 600
PROXY = 750
CAPTURE = 950  # nothing stands between it and the download handler
