from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import Command
from tests.servers.weed import ACCESS_KEY, REGION, SECRET_KEY, Weed, running_weed

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="package")
def weed() -> Iterator[Weed]:
    with running_weed() as server:
        yield server


def s3_variables(endpoint: str) -> dict[str, str]:
    """Return the usual AWS variables for the service at *endpoint*."""
    return {
        "AWS_ENDPOINT_URL_S3": endpoint,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_DEFAULT_REGION": REGION,
    }


@pytest.fixture(params=["local", "s3"])
def command(request: pytest.FixtureRequest, tmp_path: Path) -> Command:
    """The command over an archive in a directory, and over one in a bucket of a real S3 service."""
    made = Command(tmp_path)
    if request.param == "s3":
        weed: Weed = request.getfixturevalue("weed")
        made.archive = f"s3://{weed.make_bucket(f'acceptance-{next(_NUMBERS)}')}/news"
        made.variables |= s3_variables(weed.endpoint)
    return made
