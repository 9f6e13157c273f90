"""A part of the archive to hand on: as WARC or WACZ for other replay tools, as tables and texts for people.

Everything streams: what is chosen is noted in a temporary database, and records are copied one by one, from a bucket as
from a directory.
"""

from archive.export import tables
from archive.export.chosen import Chosen
from archive.export.output import NotWritable, Output
from archive.export.permit import may_go_out
from archive.export.records import Copier, Copying
from archive.export.selection import Filters, choose, hits
from archive.export.wacz import Packed, Told, write_wacz

__all__ = [
    "Chosen",
    "Copier",
    "Copying",
    "Filters",
    "NotWritable",
    "Output",
    "Packed",
    "Told",
    "choose",
    "hits",
    "may_go_out",
    "tables",
    "write_wacz",
]
