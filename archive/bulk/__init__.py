"""Articles out of any number of pages: what is read, what is done already, and what is written.

run      ─ pages in, results out
walked   ─ which files there are
journal  ─ which pages are done, and what drift is told from: in a file beside the output, or in none
output   ─ the output itself, that a run which was killed leaves such that the next goes on
"""

from archive.bulk.journal import Journal, NotResumable
from archive.bulk.output import PartFile, Stream, Written
from archive.bulk.walked import walked

__all__ = ["Journal", "NotResumable", "PartFile", "Stream", "Written", "walked"]
