"""The catalogue: captures, articles, their versions and full text, in one local SQLite file.

It is a cache: whatever it holds was read out of WARC records, and ``newswarc index rebuild`` makes it again.
"""

from archive.catalog.catalog import Catalog, Version
from archive.catalog.groups import Group, Same
from archive.catalog.identity import identity_of, normalised
from archive.catalog.query import QueryError
from archive.catalog.replacing import put_in_place
from archive.catalog.search import Hit

__all__ = ["Catalog", "Group", "Hit", "QueryError", "Same", "Version", "identity_of", "normalised", "put_in_place"]
