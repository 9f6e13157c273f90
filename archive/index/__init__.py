"""The index over all segments: which captures of a URL there are, and where they lie."""

from archive.index.lookup import Index

__all__ = ["Index"]
