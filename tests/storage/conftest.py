from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from archive.storage.s3 import S3Options, S3Storage
from tests.servers.weed import ACCESS_KEY, REGION, SECRET_KEY, Weed, running_weed

_NUMBERS = itertools.count(1)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture(scope="session")
def weed() -> Iterator[Weed]:
    with running_weed() as server:
        yield server


@pytest.fixture
def bucket(weed: Weed) -> str:
    return weed.make_bucket(f"bucket-{next(_NUMBERS)}")


@pytest.fixture
def connect() -> Iterator[Callable[..., S3Storage]]:
    """Make storages with the tests' credentials and little patience, closed at the end."""
    opened: list[S3Storage] = []

    def make(endpoint: str, bucket: str, prefix: str = "", **options: Any) -> S3Storage:
        known: dict[str, Any] = {
            "region": REGION,
            "access_key_id": ACCESS_KEY,
            "secret_access_key": SECRET_KEY,
            "part_bytes": 5 << 20,
            "timeout_s": 20.0,
            "patience_s": 60.0,
            "backoff_s": 0.02,
        }
        storage = S3Storage(bucket, prefix, S3Options(endpoint_url=endpoint, **{**known, **options}))
        opened.append(storage)
        return storage

    yield make
    for storage in opened:
        storage.close()
