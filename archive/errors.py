"""Everything that can go wrong with an archive.

The class says what the caller should do; the message names the thing and says what to do next.

    ArchiveError
    ├── LocationError            the archive's location cannot be understood: correct it
    ├── StorageError             the store failed; local files are kept, the next run ships them
    │   ├── StorageUnavailable   it did not answer, or kept answering 5xx: try again later
    │   ├── StorageRefused       wrong credentials, missing bucket, no permission: correct the configuration
    │   ├── ObjectMissing        no object under that key
    │   ├── ObjectConflict       another object stands under that key: never overwrite, report
    │   ├── ObjectDamaged        the bytes read are not the bytes stored: never serve, report
    │   └── DiskFull             no room left on a local disk: free some, run again
    ├── RecordError              bytes are not the WARC record they should be
    │   ├── MalformedRecord      structure or fields break the standard
    │   └── DigestMismatch       a record no longer hashes to its own digest: never retry, report
    ├── HttpError                bytes are not the HTTP message they should be
    │   ├── MalformedMessage     head or chunk framing cannot be read
    │   └── ContentUndecodable   the content coding lies, is cut, unknown, or expands past the limit
    ├── IndexDamaged             an index segment or the catalogue cannot be read: newswarc index rebuild; or a frontier
    ├── NotArchived              no capture of that URL: archive it first
    ├── ExtractionFailed         the page could not be parsed within its limits: the capture stays
    └── WorkersUnavailable       the parser processes cannot be started: correct what the message names
"""

from __future__ import annotations

REBUILD = "make it again from the WARC files: newswarc index rebuild"


class ArchiveError(Exception):
    """Base of every error of this package."""


class LocationError(ArchiveError):
    """The archive's location cannot be understood. Correct it."""


class StorageError(ArchiveError):
    """The store failed. What was captured is kept locally; the next run ships it."""


class StorageUnavailable(StorageError):
    """The store did not answer, or kept failing. Try again later."""


class StorageRefused(StorageError):
    """Wrong credentials, missing bucket or missing permission. Correct the configuration."""


class ObjectMissing(StorageError):
    """No object stands under that key."""

    def __init__(self, location: str, key: str) -> None:
        super().__init__(f"{location}: no object {key}")
        self.location, self.key = location, key


class ObjectConflict(StorageError):
    """Another object stands under that key. It is never overwritten."""

    def __init__(self, location: str, key: str, *, stored: str, offered: str) -> None:
        super().__init__(
            f"{location}: {key} already holds other bytes (sha256 {stored}, offered {offered}); left as it is"
        )
        self.location, self.key, self.stored, self.offered = location, key, stored, offered


class ObjectDamaged(StorageError):
    """The bytes read are not the bytes that were stored. Never served."""


class DiskFull(StorageError):
    """No room is left on a local disk. Free some and run the same command again."""


class RecordError(ArchiveError):
    """Bytes are not the WARC record they should be."""


class MalformedRecord(RecordError):
    """A record's structure or fields break the standard."""


class DigestMismatch(RecordError):
    """A stored record no longer hashes to the digest in its own header. Never retry; report."""

    def __init__(self, record_id: str, *, stored: str, computed: str) -> None:
        super().__init__(f"{record_id}: header says {stored}, bytes give {computed}")
        self.record_id, self.stored, self.computed = record_id, stored, computed


class HttpError(ArchiveError):
    """Bytes are not the HTTP message they should be."""


class MalformedMessage(HttpError):
    """A message head or chunk framing cannot be read."""


class ContentUndecodable(HttpError):
    """A content coding lies, is cut, is unknown, or expands past the limit. *partial* is what came out before."""

    def __init__(self, message: str, *, partial: bytes = b"") -> None:
        super().__init__(message)
        self.partial = partial


class IndexDamaged(ArchiveError):
    """A file that can be made again cannot be read: an index segment or the catalogue, out of the WARC files, which
    hold everything; or another, as *remedy* says."""

    def __init__(self, name: str, reason: str, remedy: str = REBUILD) -> None:
        super().__init__(f"{name}: {reason}; {remedy}")
        self.name, self.reason = name, reason


class NotArchived(ArchiveError):
    """The archive holds no capture of that URL."""


class ExtractionFailed(ArchiveError):
    """A page could not be parsed within its limits. Its capture is kept."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"{url}: {reason}")
        self.url, self.reason = url, reason


class WorkersUnavailable(ArchiveError):
    """The parser processes cannot be started. No page is to blame; correct what the message names."""
