"""An archive in a bucket of an S3-compatible service. The one home of boto3; its errors never leave here."""

from __future__ import annotations

from archive.storage.options import S3Options
from archive.storage.s3.store import S3Storage

__all__ = ["S3Options", "S3Storage"]
