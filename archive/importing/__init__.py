"""WARC files and WACZ packages of other tools into the archive, their bytes kept as they are.

A file becomes a segment like those that crawls write: under the archive's keys, immutable, with index segment and
manifest. Its name is made of its own content, so the same file is the same segment, whoever imports it and when.
"""

from archive.importing.accounts import Account, Fault
from archive.importing.articles import ArticleReader
from archive.importing.importer import Importer
from archive.importing.sources import NotImportable, Source, sources

__all__ = ["Account", "ArticleReader", "Fault", "Importer", "NotImportable", "Source", "sources"]
