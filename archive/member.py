"""The gzip member that holds one record, as newswarc writes it."""

from __future__ import annotations

from typing import Final

# What ISA-L begins a member with: deflate, no flags, no time stamp, unknown system. The same every time, so that a bit
# that flips there, which changes nothing that is read, still shows.
GZIP_HEADER: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"

# What the warcinfo of an exported file says of its records, whose members other tools may have written.
COPIED: Final = "records of other WARC files as they stand there, those of each after its own warcinfo"
