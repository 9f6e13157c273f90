"""Calls to an S3 service: the client, and trying again with patience."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from archive.errors import LocationError, StorageUnavailable
from archive.storage.options import S3Options
from archive.storage.s3.faults import CALL_ERRORS, PASSING_CODES, TryAgain, fault_of, status_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

log = logging.getLogger(__name__)

LONGEST_PAUSE_S = 20.0
FIRST_CONTACT_S = 30.0  # patience until the service has answered once: a wrong endpoint should be told of soon
_TOLD_FROM_S = 2.0  # shorter pauses are not worth a warning

T = TypeVar("T")


class Answer(Exception):
    """The service answered with one of the statuses the caller wants to judge itself."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"{status} {code}")
        self.status, self.code = status, code


class Caller:
    """One client, and the loop every call goes through. Safe to share between threads."""

    def __init__(self, location: str, options: S3Options) -> None:
        self.location, self.options = location, options
        if options.ca_file and not options.ca_file.is_file():
            raise LocationError(f"{location}: no file of certificates at {options.ca_file}")
        try:
            self.client: S3Client = _client(options)
        except (BotoCoreError, ValueError, TypeError, OSError) as error:
            raise LocationError(f"{location}: {_without_secrets(str(error), options)}") from error
        self.endpoint = self.client.meta.endpoint_url
        self._answered = False

    def call(
        self, doing: str, attempt: Callable[[], T], *, answers: Collection[int] = (), patience_s: float | None = None
    ) -> T:
        """Return what *attempt* returns, tried again while its faults may pass.

        *doing* stands in messages ("put warc/…"). Statuses in *answers* come out as :class:`Answer` instead of being
        judged here. Raises ``StorageUnavailable`` when the patience has run out, ``StorageRefused`` or
        ``ObjectDamaged`` when trying again is no use.
        """
        began = time.monotonic()
        patience_s = self.options.patience_s if patience_s is None else patience_s
        tries = 0
        while True:
            tries += 1
            try:
                result = attempt()
            except (*CALL_ERRORS, TryAgain) as error:
                status, code = status_of(error)
                if status in answers and code not in PASSING_CODES:
                    self._answered = True
                    raise Answer(status, code) from error
                fault = fault_of(error, f"{self.location} at {self.endpoint}: {doing}")
                self._answered = self._answered or fault.answered
                pause_s = max(self._pause_s(tries), fault.retry_after_s or 0.0)
                spent_s = time.monotonic() - began
                allowed_s = patience_s if self._answered else min(patience_s, FIRST_CONTACT_S)
                last = min(fault.tries or tries + 1, self.options.attempts or tries + 1)
                if not fault.again or tries >= last or spent_s + pause_s > allowed_s:
                    raise self._final(fault.error, tries, spent_s, fault.retry_after_s) from error
            else:
                self._answered = True
                return result
            level = logging.WARNING if pause_s >= _TOLD_FROM_S else logging.INFO
            log.log(level, "%s; try %d again in %.1f s", self._clean(str(fault.error)), tries, pause_s)
            time.sleep(pause_s)

    def _pause_s(self, tries: int) -> float:
        """Exponential, half of it drawn at random, so that many writers do not come back in step."""
        limit_s: float = min(LONGEST_PAUSE_S, self.options.backoff_s * 2.0 ** min(tries - 1, 30))
        return limit_s * random.uniform(0.5, 1.0)  # noqa: S311 - no secret hangs on a pause

    def _final(self, error: Exception, tries: int, spent_s: float, retry_after_s: float | None) -> Exception:
        message = str(error)
        if isinstance(error, StorageUnavailable):
            message += f"; given up after {tries} tries in {spent_s:.0f} s"
            if retry_after_s:
                message += f", it asks to come back in {retry_after_s:.0f} s"
            message += "; try again later"
        return type(error)(self._clean(message))

    def _clean(self, text: str) -> str:
        return _without_secrets(text, self.options)


def _client(options: S3Options) -> S3Client:
    session = boto3.session.Session(
        aws_access_key_id=options.access_key_id,
        aws_secret_access_key=options.secret_access_key,
        aws_session_token=options.session_token,
        region_name=options.region,
    )
    config = Config(
        connect_timeout=options.timeout_s,
        read_timeout=options.timeout_s,
        # One try a call: boto's own retries have a quota that runs empty, and leave out 409 and 507.
        retries={"total_max_attempts": 1, "mode": "standard"},
        s3={"addressing_style": options.addressing_style} if options.addressing_style else None,
        # We give SHA-256 checksums ourselves and check what we read; others of boto's own trip up older services.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        user_agent_extra="newswarc",
        tcp_keepalive=True,
    )
    # An endpoint of its own seldom cares for the region, but the signature needs one.
    region = session.region_name or ("us-east-1" if options.endpoint_url else None)
    return session.client(
        "s3",
        endpoint_url=options.endpoint_url,
        region_name=region,
        verify=str(options.ca_file) if options.ca_file else None,
        config=config,
    )


def _without_secrets(text: str, options: S3Options) -> str:
    for secret in (options.secret_access_key, options.session_token):
        if secret:
            text = text.replace(secret, "…")
    return text
