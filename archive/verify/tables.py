"""Which fields records have: what each holds, and which types require or forbid it (WARC 1.1, 5 and 6)."""

from __future__ import annotations

from typing import Final, Literal

from archive import capture

Form = Literal[
    "type", "record-id", "reference", "uri", "date", "digest", "address", "media-type", "integer", "token", "text"
]

TYPES: Final = frozenset(
    ("warcinfo", "response", "resource", "request", "metadata", "revisit", "conversion", "continuation")
)
VERSIONS: Final = frozenset(("1.0", "1.1"))
DRAFTS: Final = frozenset(("0.17", "0.18"))  # of WARC 1.0; Heritrix 1 wrote them

# Names as the standard spells them. Content-Length is checked while the record is read.
FORMS: Final[dict[str, Form]] = {
    "WARC-Type": "type",
    "WARC-Record-ID": "record-id",
    "WARC-Date": "date",
    "Content-Type": "media-type",
    "WARC-Concurrent-To": "reference",
    "WARC-Block-Digest": "digest",
    "WARC-Payload-Digest": "digest",
    "WARC-IP-Address": "address",
    "WARC-Refers-To": "reference",
    "WARC-Refers-To-Target-URI": "uri",
    "WARC-Refers-To-Date": "date",
    "WARC-Target-URI": "uri",
    "WARC-Truncated": "token",
    "WARC-Warcinfo-ID": "reference",
    "WARC-Filename": "text",
    "WARC-Profile": "uri",
    "WARC-Identified-Payload-Type": "media-type",
    "WARC-Segment-Origin-ID": "reference",
    "WARC-Segment-Number": "integer",
    "WARC-Segment-Total-Length": "integer",
}
REPEATABLE: Final = frozenset(("warc-concurrent-to",))  # 5.7

_OF_CAPTURES: Final = TYPES - {"warcinfo", "metadata"}

REQUIRED_OF_ALL: Final = ("WARC-Type", "WARC-Record-ID", "WARC-Date")  # 5.2, 5.4, 5.5
REQUIRED: Final[dict[str, frozenset[str]]] = {
    "WARC-Target-URI": _OF_CAPTURES,  # 5.14
    "WARC-Profile": frozenset(("revisit",)),  # 5.18
    "WARC-Segment-Number": frozenset(("continuation",)),  # 5.20
    "WARC-Segment-Origin-ID": frozenset(("continuation",)),  # 5.21
}
FORBIDDEN: Final[dict[str, frozenset[str]]] = {
    "WARC-Concurrent-To": frozenset(("warcinfo", "conversion", "continuation")),  # 5.7
    "WARC-Payload-Digest": frozenset(("warcinfo", "metadata")),  # 5.9, and 4: they have no payload
    "WARC-IP-Address": frozenset(("warcinfo", "conversion", "continuation")),  # 5.10
    "WARC-Refers-To": frozenset(("warcinfo", "response", "resource", "request", "continuation")),  # 5.11
    "WARC-Refers-To-Target-URI": TYPES - {"revisit"},  # 5.12
    "WARC-Refers-To-Date": TYPES - {"revisit"},  # 5.13
    "WARC-Target-URI": frozenset(("warcinfo",)),  # 5.14
    "WARC-Warcinfo-ID": frozenset(("warcinfo",)),  # 5.16
    "WARC-Filename": TYPES - {"warcinfo"},  # 5.17
    "WARC-Identified-Payload-Type": frozenset(("warcinfo", "metadata")),  # 5.19, and 4
    "WARC-Segment-Origin-ID": TYPES - {"continuation"},  # 5.21
    "WARC-Segment-Total-Length": TYPES - {"continuation"},  # 5.22
}
TRUNCATIONS: Final = frozenset(("length", "time", "disconnect", "unspecified"))  # 5.15


def _in_both_versions(profile: str) -> frozenset[str]:
    return frozenset((profile, profile.replace("/warc/1.1/", "/warc/1.0/")))


IDENTICAL_PAYLOAD: Final = _in_both_versions(capture.IDENTICAL_PAYLOAD)  # 6.7.2
SERVER_NOT_MODIFIED: Final = _in_both_versions(capture.SERVER_NOT_MODIFIED)  # 6.7.3
