"""How to reach an S3-compatible service."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from archive.errors import LocationError

MIN_PART_BYTES = 5 << 20  # S3: no part of a multipart upload but the last may be smaller
MAX_PART_BYTES = 1 << 30  # a part is held in memory while it is sent
PART_BYTES = 32 << 20  # what is sent again when a connection breaks
ADDRESSING_STYLES = ("auto", "virtual", "path")


@dataclass(frozen=True, slots=True)
class S3Options:
    """What to tell the S3 client; None leaves it to the usual AWS variables, configuration files and roles.

    Raises ``LocationError`` for a value no service could work with.
    """

    endpoint_url: str | None = None
    region: str | None = None
    access_key_id: str | None = field(default=None, repr=False)
    secret_access_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)
    addressing_style: Literal["auto", "virtual", "path"] | None = None
    ca_file: Path | None = None  # certificates to trust in place of the usual ones
    part_bytes: int = PART_BYTES  # larger objects go up in parts of this size
    timeout_s: float = 60.0  # for one connection, and for each silence on it
    patience_s: float = 300.0  # how long one call is tried again before StorageUnavailable
    attempts: int | None = None  # how often at most; None: as often as the patience lasts
    backoff_s: float = 0.2  # the first pause is drawn below this, each later limit is twice the last

    def __post_init__(self) -> None:
        if self.endpoint_url is not None and not self.endpoint_url.startswith(("http://", "https://")):
            raise LocationError(f"S3 endpoint {self.endpoint_url!r}: must start with https:// or http://")
        if bool(self.access_key_id) != bool(self.secret_access_key):
            raise LocationError("S3: give the access key id and the secret access key together, or neither")
        if self.addressing_style is not None and self.addressing_style not in ADDRESSING_STYLES:
            raise LocationError(f"S3 addressing style {self.addressing_style!r}: use one of {ADDRESSING_STYLES}")
        if not MIN_PART_BYTES <= self.part_bytes <= MAX_PART_BYTES:
            raise LocationError(
                f"S3 part size {self.part_bytes}: must lie from {MIN_PART_BYTES} to {MAX_PART_BYTES} bytes"
            )
        if self.timeout_s <= 0 or self.patience_s < 0 or self.backoff_s <= 0:
            raise LocationError("S3: time-out and back-off must be above zero, and patience not below it")
        if self.attempts is not None and self.attempts < 1:
            raise LocationError(f"S3 attempts {self.attempts}: must be at least 1")
