"""For every rule about files and records, the smallest file that breaks it and no other."""

from __future__ import annotations

import gzip
import hashlib
import zlib

from archive.warc import Record, encode
from tests.verify.archives import fields_of, plain, raw

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
GET = b"GET / HTTP/1.1\r\nHost: news.example\r\n\r\n"
PROFILE = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
SHA = "sha256:" + hashlib.sha256(b"ok").hexdigest()
WRONG = "sha256:" + hashlib.sha256(b"ko").hexdigest()

INFO = plain("warcinfo", WARC_Record_ID="<urn:uuid:0>")
INFO_MEMBER = encode(Record("warcinfo", fields_of("warcinfo", b"", (), {"WARC_Record_ID": "<urn:uuid:0>"}), b""))
ORIGINAL = plain(WARC_Record_ID="<urn:uuid:9>", block=OK)
REFERS = {
    "WARC_Refers_To": "<urn:uuid:9>",
    "WARC_Refers_To_Target_URI": "https://news.example/",
    "WARC_Refers_To_Date": "2026-11-21T20:48:00Z",
}


def response(block: bytes = OK, **fields: str) -> bytes:
    """Return a warcinfo and a response."""
    return INFO + plain("response", block=block, **fields)


def revisit(block: bytes = b"", *, leave: tuple[str, ...] = (), **fields: str) -> bytes:
    """Return a warcinfo, an original and a revisit of it."""
    values = {**REFERS, "WARC_Profile": PROFILE, "WARC_Payload_Digest": SHA, **fields}
    return INFO + ORIGINAL + plain("revisit", block=block, leave=leave, **values)


def segments(*, number: str = "2", uri: str = "https://news.example/", total: str = "4") -> bytes:
    """Return a warcinfo and a record in two segments of two bytes each."""
    first = plain("resource", block=b"ab", Content_Type="text/plain", WARC_Segment_Number="1")
    ids = {"WARC_Record_ID": "<urn:uuid:2>", "WARC_Segment_Origin_ID": "<urn:uuid:1>"}
    numbers = {"WARC_Segment_Number": number, "WARC_Segment_Total_Length": total, "WARC_Target_URI": uri}
    return INFO + first + plain("continuation", block=b"cd", **ids, **numbers)


def member(data: bytes, *, header: bytes | None = None, crc: int | None = None, size: int | None = None) -> bytes:
    """Return *data* as a gzip member of which one part is not as it should be."""
    made = gzip.compress(data, mtime=0)
    trailer = (zlib.crc32(data) if crc is None else crc).to_bytes(4, "little")
    trailer += (len(data) if size is None else size).to_bytes(4, "little")
    return (header or made[:10]) + made[10:-8] + trailer


SOFTWARE = b"software: newswarc/0\r\n"
OURS = encode(Record("warcinfo", fields_of("warcinfo", SOFTWARE, (), {"WARC_Record_ID": "<urn:uuid:0>"}), SOFTWARE))
MEMBER = member(plain(block=OK))

# code of the rule → the file; its name is a.warc or a.warc.gz by what it begins with, unless NAMES gives another
BROKEN: dict[str, bytes] = {
    "empty-file": b"",
    "arc-file": b"filedesc://a.arc 0.0.0.0 20080430204825 text/plain 76\n1 0 InternetArchive\n\n",
    "garbage": INFO + b"stray\r\n" + plain(block=OK),
    "gzip-header": INFO_MEMBER + member(plain(block=OK), header=b"\x1f\x8b\x08\x80" + b"\0" * 6),
    "gzip-data": INFO_MEMBER + MEMBER[:10] + b"\xff" * 40 + MEMBER,
    "gzip-crc": INFO_MEMBER + member(plain(block=OK), crc=1),
    "gzip-size": INFO_MEMBER + member(plain(block=OK), size=1),
    "gzip-cut": INFO_MEMBER + MEMBER[:-3],
    "gzip-foreign-header": OURS + MEMBER,
    "member-shared": gzip.compress(response(), mtime=0),
    "member-split": INFO_MEMBER + member(plain(block=OK)[:60]) + member(plain(block=OK)[60:]),
    "file-name": response(),
    "no-warcinfo": plain(block=OK),
    "version": INFO + plain(version="1.2", block=OK),
    "version-draft": INFO + plain(version="0.18", block=OK),
    "header-line": INFO + plain(block=OK).replace(b"WARC-Date", b"Nothing\r\nWARC-Date"),
    "header-line-end": INFO + plain(block=OK).replace(b"1.1\r\nWARC", b"1.1\nWARC"),
    "header-encoding": INFO + plain(block=OK, Note="X").replace(b"X", b"\xff"),
    "field-name": response(**{"a b": "c"}),
    "field-control": response(Note="a\x01b"),
    "field-empty": response(WARC_IP_Address=""),
    "field-repeated": INFO + plain(block=OK).replace(b"WARC-Date", b"WARC-Type: response\r\nWARC-Date"),
    "content-length-missing": INFO + plain().replace(b"Content-Length: 0\r\n", b""),
    "content-length-value": INFO + plain().replace(b"Content-Length: 0", b"Content-Length: -1"),
    "content-length-repeated": INFO + plain().replace(b"Content-Length: 0", b"Content-Length: 0\r\ncontent-length: 0"),
    "content-length": INFO
    + plain(block=OK).replace(b"Content-Length: %d" % len(OK), b"Content-Length: %d" % (len(OK) + 9), 1)
    + plain(WARC_Record_ID="<urn:uuid:2>"),
    "block-short": response()[:-5],
    "record-end": response()[:-2],
    "field-missing": INFO + plain(block=OK, leave=("WARC-Target-URI",)),
    "field-forbidden": INFO + plain("metadata", WARC_Payload_Digest=SHA),
    "field-undefined": response(WARC_Profile=PROFILE),
    "type-unknown": INFO + plain("picture"),
    "record-id": response(WARC_Record_ID="urn:uuid:1"),
    "record-reference": response(WARC_Warcinfo_ID="<0>"),
    "date": response(WARC_Date="2026-02-30T00:00:00Z"),
    "date-precision": INFO + plain(version="1.0", block=OK, WARC_Date="2026-11-21T20:48:00.5Z"),
    "date-future": response(WARC_Date="2027-01-01T00:00:00Z"),
    "date-early": response(WARC_Date="1970-01-01T00:00:00Z"),
    "uri": response(WARC_Target_URI="//news.example/"),
    "uri-characters": response(WARC_Target_URI="https://news.example/{a|b}"),
    "uri-brackets": response(WARC_Target_URI="<https://news.example/>"),
    "digest-form": response(WARC_Block_Digest="sha1:abc"),
    "digest-algorithm": response(WARC_Block_Digest="tiger:ABC"),
    "ip-address": response(WARC_IP_Address="[::1]"),
    "media-type": response(WARC_Identified_Payload_Type="html"),
    "content-type-missing": INFO + plain(block=OK, leave=("Content-Type",)),
    "content-type-warcinfo": plain("warcinfo", block=b"a: b\r\n", Content_Type="text/plain"),
    "content-type-msgtype": response(Content_Type="application/http;msgtype=request"),
    "content-type-http": response(b"ok", Content_Type="text/plain"),
    "content-type-dns": INFO
    + plain("resource", block=b"1", Content_Type="text/plain", WARC_Target_URI="dns:a.example"),
    "truncated-reason": response(WARC_Truncated="too long"),
    "truncated-unknown": response(WARC_Truncated="boredom"),
    "profile-unknown": revisit(WARC_Profile="https://a.example/other"),
    "profile-digest": revisit(leave=("WARC-Payload-Digest",)),
    "profile-truncated": revisit(OK[:-2]),
    "revisit-reference": revisit(leave=tuple(name.replace("_", "-") for name in REFERS)),
    "revisit-triple": revisit(leave=("WARC-Refers-To-Date",)),
    "conversion-reference": INFO + plain("conversion", block=b"{}", Content_Type="application/json"),
    "integer": response(WARC_Segment_Number="one"),
    "segment-number": response(WARC_Segment_Number="2"),
    "segment-order": segments(number="3"),
    "segment-uri": segments(uri="https://news.example/other"),
    "segment-total": segments(total="5"),
    "segment-open": response(WARC_Segment_Number="1"),
    "block-digest": response(WARC_Block_Digest=WRONG),
    "payload-digest": response(WARC_Payload_Digest=WRONG),
    "payload-digest-chunked": response(
        CHUNKED, WARC_Payload_Digest="sha256:" + hashlib.sha256(CHUNKED.partition(b"\r\n\r\n")[2]).hexdigest()
    ),
    "payload-digest-truncated": response(WARC_Payload_Digest=WRONG, WARC_Truncated="length"),
    "http-head": response(b"ok"),
    "http-head-cut": response(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "http-body-short": response(OK[:-1]),
    "http-body-long": response(OK + b"!"),
    "id-repeated": response() + plain(block=OK, WARC_Target_URI="https://news.example/other"),
    "record-copied": response() + plain(block=OK),
    "concurrent-date": response(WARC_Date="2026-11-21T20:48:01Z", WARC_Concurrent_To="<urn:uuid:2>")
    + plain("request", block=GET, WARC_Record_ID="<urn:uuid:2>"),
    "reference-outside": response(WARC_Concurrent_To="<urn:uuid:404>"),
    "reference-type": response(WARC_Warcinfo_ID="<urn:uuid:1>"),
}
# A file that breaks one of these cannot but break the other too.
COUPLED: dict[str, tuple[bytes, set[str]]] = {
    "not-warc": (b"<!DOCTYPE html>", {"garbage"}),
    "header-cut": (INFO + plain()[:20], {"content-length-missing"}),
}
NAMES = {"file-name": "a.warc.gz", "empty-file": "a.warc"}

CLEAN: dict[str, bytes] = {
    "response": response(),
    "chunked": response(CHUNKED, WARC_Payload_Digest=SHA),
    "base32 digest": response(WARC_Payload_Digest="sha1:PKC7I5SLXVW26HBVIXX3X4HSPGTNYC7L"),
    "revisit": revisit(OK[:-2], WARC_Truncated="length"),
    "revisit without block": revisit(),
    "segments": segments(),
    "request": INFO + plain("request", block=GET),
    "answer to HEAD": response(OK[:-2], WARC_Concurrent_To="<urn:uuid:2>")
    + plain("request", block=b"HEAD" + GET[3:], WARC_Record_ID="<urn:uuid:2>"),
    "request with HEAD first": INFO
    + plain("request", block=b"HEAD" + GET[3:], WARC_Record_ID="<urn:uuid:2>", WARC_Concurrent_To="<urn:uuid:1>")
    + plain(block=OK[:-2]),
    "cut and marked": response(OK[:-1], WARC_Truncated="disconnect"),
    "cut in its head and marked": response(OK[:20], WARC_Truncated="disconnect"),
    "unknown fields, repeated": response(**{"X-One": "1", "x-one": "2"}),
    "1.0 with brackets": INFO + plain(version="1.0", block=OK, WARC_Target_URI="<https://news.example/>"),
    "year alone": response(WARC_Date="2026"),
    "nanoseconds": response(WARC_Date="2026-11-21T20:48:00.123456789Z"),
    "folded": INFO + plain(block=OK).replace(b"WARC-Date: ", b"WARC-Date:\r\n\t "),
    "lower case": INFO
    + raw(
        [
            ("warc-type", "METADATA"),
            ("warc-record-id", "<urn:uuid:1>"),
            ("warc-date", "2026-11-21t20:48:00z"),
            ("content-length", "0"),
        ]
    ),
    "ftp": INFO + plain("resource", block=b"ok", Content_Type="text/plain", WARC_Target_URI="ftp://a.example/b"),
    "members": INFO_MEMBER + MEMBER,
    "member with a name": INFO_MEMBER + MEMBER[:3] + b"\x08" + MEMBER[4:10] + b"a.warc\0" + MEMBER[10:],
}
