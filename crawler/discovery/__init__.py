"""What a fetched document leads to: pure functions from bytes to addresses.

    read ─ forms    what the document is, told by its bytes
             ├ links      a page: links, feeds it names, pages of the same listing, whether it is an article
             ├ feeds      RSS, Atom, JSON Feed
             └ sitemaps   urlset, news sitemap, index, plain text

The documents are strangers': call :func:`read` in a worker. Importing this package loads no parser; the first document
of a form does.
"""

from crawler.discovery.forms import read
from crawler.discovery.found import Form, Found, Reading

__all__ = ["Form", "Found", "Reading", "read"]
