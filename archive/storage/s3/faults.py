"""What an S3 service's answers, and boto's errors, mean for whoever called."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from botocore import exceptions as boto
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError as Urllib3Error

from archive.errors import ObjectDamaged, StorageError, StorageRefused, StorageUnavailable

# Everything a call through boto can raise: its two families, those it forgot to put into one, what it passes on.
# boto3 and botocore also raise ValueError and TypeError themselves, for endpoints and regions they cannot read.
CALL_ERRORS = (
    boto.BotoCoreError,
    boto.ClientError,
    boto.UndefinedModelAttributeError,
    ResponseParserError,
    Urllib3Error,
    OSError,
    RecursionError,  # boto follows redirections to other regions by calling itself, without a limit
)

FEW_TRIES = 4  # for faults that another try seldom cures: bits changed on the way, a clock that is off

# Beyond 5xx: 408 time-out, 409 two conditional writes met, 425 too early, 429 too many. Neither 409 nor 507 is
# retried by boto.
_PASSING_STATUSES = frozenset({408, 409, 425, 429})
PASSING_CODES = frozenset(
    {
        "RequestTimeout",
        "RequestTimeoutException",
        "SlowDown",
        "SlowDownRead",
        "SlowDownWrite",
        "Throttling",
        "ThrottlingException",
        "RequestLimitExceeded",
        "TooManyRequests",
        "BandwidthLimitExceeded",
        "ServiceUnavailable",
        "InternalError",
        "OperationAborted",
        "ConditionalRequestConflict",
        "IncompleteBody",  # the upload was cut
        "TransferCutOff",
    }
)
_ALTERED_CODES = frozenset(
    {
        "BadDigest",
        "InvalidDigest",
        "XAmzContentChecksumMismatch",
        "XAmzContentSHA256Mismatch",
        "ChecksumMismatch",
    }
)
_NEVER_IMPLEMENTED = frozenset({501, 505})
_CREDENTIAL_HINTS = {
    "InvalidAccessKeyId": "the service does not know this access key; check AWS_ACCESS_KEY_ID",
    "SignatureDoesNotMatch": "the secret access key does not fit the access key; check AWS_SECRET_ACCESS_KEY",
    "ExpiredToken": "the session token has run out; get a new one",
    "ExpiredTokenException": "the session token has run out; get a new one",
    "InvalidToken": "the session token is not valid; get a new one",
    "TokenRefreshRequired": "the session token has run out; get a new one",
    "AccessDenied": "these credentials may not do that here; give them read, write, list and delete on the bucket",
    "AccountProblem": "the account has a problem; ask the service's operator",
    "AllAccessDisabled": "the bucket is closed; ask the service's operator",
    "NotSignedUp": "the account has no access to S3",
}
_REGION_CODES = frozenset(
    {"PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"}
)
# Credentials come from other services (instance roles, single sign-on), which fail for a while like any other.
_PASSING_CREDENTIALS = (boto.CredentialRetrievalError, boto.MetadataRetrievalError, boto.CapacityNotAvailableError)
_ABSENT_CREDENTIALS = (boto.NoCredentialsError, boto.PartialCredentialsError, boto.NoAuthTokenError)
_NETWORK = (boto.HTTPClientError, boto.ConnectionError, boto.IncompleteReadError, Urllib3Error, OSError)
_ALTERED = (boto.ChecksumError, boto.FlexibleChecksumError)


@dataclass(frozen=True, slots=True)
class Fault:
    """One failed try: the error to raise in the end, and whether to try *again* before: *tries* in all, if limited."""

    error: StorageError
    again: bool = False
    tries: int | None = None
    retry_after_s: float | None = None
    answered: bool = False  # by the service, so it is there


class TryAgain(Exception):
    """Raised by one try whose answer was no error but cannot be right: the loop tries again, then raises *error*."""

    def __init__(self, error: StorageError, *, tries: int | None = None) -> None:
        super().__init__(str(error))
        self.fault = Fault(error, again=True, tries=tries, answered=True)


def status_of(error: Exception) -> tuple[int, str]:
    """Return the HTTP status and the S3 error code in *error*; (0, "") when it is no answer of the service."""
    if not isinstance(error, boto.ClientError):
        return 0, ""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return int(status or 0), str(error.response.get("Error", {}).get("Code", ""))


def fault_of(error: Exception, where: str) -> Fault:
    """Say what *error* means. *where* opens the message: bucket, endpoint, and what was being done."""
    if isinstance(error, TryAgain):
        return error.fault
    if isinstance(error, boto.ClientError):
        return _answer(error, where)
    text = _plain(str(error))
    if isinstance(error, RecursionError):
        return Fault(
            StorageRefused(f"{where}: redirected without end; check AWS_REGION and the endpoint"), answered=True
        )
    if isinstance(error, _ALTERED):
        return Fault(ObjectDamaged(f"{where}: the bytes do not match their checksum ({text})"), True, FEW_TRIES)
    if isinstance(error, boto.SSLError) and ("CERTIFICATE" in text.upper() or "WRONG_VERSION" in text.upper()):
        return Fault(
            StorageRefused(
                f"{where}: TLS failed ({text}); check that the endpoint speaks https, and name the certificates to"
                " trust with AWS_CA_BUNDLE"
            )
        )
    if isinstance(error, boto.ProxyConnectionError):
        return Fault(StorageUnavailable(f"{where}: the proxy cannot be reached ({text})"), again=True)
    if isinstance(error, boto.InvalidProxiesConfigError):
        return Fault(StorageRefused(f"{where}: the proxy configuration cannot be used ({text})"))
    if isinstance(error, _NETWORK):
        return Fault(StorageUnavailable(f"{where}: no answer ({text})"), again=True)
    if isinstance(error, ResponseParserError):
        unreadable = f"{where}: the answer is not S3's ({text[:200]}); check the endpoint"
        return Fault(StorageUnavailable(unreadable), True, FEW_TRIES)
    if isinstance(error, _PASSING_CREDENTIALS):
        return Fault(StorageUnavailable(f"{where}: credentials could not be fetched ({text})"), again=True)
    if isinstance(error, _ABSENT_CREDENTIALS):
        hint = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
        return Fault(StorageRefused(f"{where}: no usable credentials ({text}); {hint}"))
    return Fault(StorageRefused(f"{where}: {text}; correct the S3 configuration"))


def _answer(error: boto.ClientError, where: str) -> Fault:
    status, code = status_of(error)
    details = error.response.get("Error", {})
    metadata = error.response.get("ResponseMetadata", {})
    headers: dict[str, str] = dict(metadata.get("HTTPHeaders", {}))
    message = _plain(str(details.get("Message", "")))
    said = " ".join(part for part in (str(status or ""), code if code != str(status) else "") if part)
    said += f" ({message})" if message else ""
    where = f"{where}: the service answered {said}"

    if code == "RequestTimeTooSkewed":
        return Fault(StorageRefused(f"{where}; {_clock(headers)}"), True, FEW_TRIES, answered=True)
    if code in _ALTERED_CODES:
        sentence = f"{where}; the bytes changed on the way, {FEW_TRIES} times"
        return Fault(ObjectDamaged(sentence), True, FEW_TRIES, answered=True)
    passing = code in PASSING_CODES or status in _PASSING_STATUSES
    if passing or (status >= 500 and status not in _NEVER_IMPLEMENTED) or not status:
        return Fault(StorageUnavailable(where), True, None, _retry_after_s(headers), answered=bool(status))
    return Fault(StorageRefused(f"{where}; {_hint(status, code, headers, details)}"), answered=True)


def _hint(status: int, code: str, headers: dict[str, str], details: Any) -> str:
    if code in _CREDENTIAL_HINTS:
        return _CREDENTIAL_HINTS[code]
    region = headers.get("x-amz-bucket-region") or details.get("Region")
    if code in _REGION_CODES or 300 <= status < 400:
        return f"the bucket lies in another region{f', {region}' if region else ''}; set AWS_REGION or the endpoint"
    if code == "NoSuchBucket":
        return "make the bucket, or correct its name"
    if status in {401, 403}:
        return "check the credentials and what they may do on this bucket"
    if status in _NEVER_IMPLEMENTED or status == 405:
        return "the service does not have this operation; is the endpoint an S3 service?"
    return "correct the S3 configuration; is the endpoint an S3 service?"


def _clock(headers: dict[str, str]) -> str:
    try:
        theirs = parsedate_to_datetime(headers["date"])
        off_s = abs((datetime.now(UTC) - theirs).total_seconds())
    except (KeyError, ValueError, TypeError):
        return "this machine's clock is off; set it"
    return f"this machine's clock differs from the service's by {off_s:.0f} s; set it"


def _retry_after_s(headers: dict[str, str]) -> float | None:
    """Return the seconds Retry-After asks for, given as such or as a date (RFC 9110, 10.2.3)."""
    value = headers.get("retry-after", "").strip()
    if value.isdigit():
        return float(value[:9])
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def _plain(text: str) -> str:
    """Return *text* on one short line, whatever a service put into it."""
    return re.sub(r"[\s\x00-\x1f\x7f-\x9f]+", " ", text).strip()[:300]
