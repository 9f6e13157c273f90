"""The CDX server: index lines asked for in pywb's query language, streamed."""

from archive.replay.cdx.query import BadQuery, Query
from archive.replay.cdx.serving import answer

__all__ = ["BadQuery", "Query", "answer"]
