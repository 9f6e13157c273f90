"""Reading WARC files at the level of bytes: tolerant, exact, and telling what it saw.

Other readers stop at the first fault, or pass over it. This one reports each fault with its offset, finds the next
record that can be read, and goes on; so mending, verification, indexing and replay all see the same records.
"""

from archive.scan.record import Fields, Problem, Scanned
from archive.scan.scanner import Scan, read_record, scan

__all__ = ["Fields", "Problem", "Scan", "Scanned", "read_record", "scan"]
