"""Every shape of HTTP answer that an archive must keep exactly, as bytes, with what must be made of each."""

from __future__ import annotations

import gzip
import random
import zlib
from dataclasses import dataclass

from tests.servers.raw_site import Script, in_pieces

TEXT = "<html><p>Москва, 2026. A page that says something.</p></html>".encode() * 20
BINARY = random.Random(7).randbytes(500_000)


@dataclass(frozen=True)
class Answer:
    """*sent* crosses the wire, *kept* is archived (by default the same); *payload* is the body without framing.

    *reusable* says that the connection may carry another request; *truncated* is what the archive must say;
    *failure* names the wire error when no response head can be had.
    """

    sent: bytes
    payload: bytes = b""
    status: int = 200
    then: str = "keep"
    kept: bytes = b""
    reusable: bool = True
    truncated: str | None = None
    failure: str | None = None
    interim: int = 0
    protocol: str = "http/1.1"
    faulty: bool = False  # receiving stops where the fault is seen: in pieces, less than all of it is kept

    @property
    def archived(self) -> bytes:
        return self.kept or self.sent

    def script(self, piece_bytes: int | None = None) -> Script:
        return Script(in_pieces(self.sent, piece_bytes) if piece_bytes else [self.sent], self.then)


def _head(*lines: bytes) -> bytes:
    return b"\r\n".join([*lines, b"", b""])


def _sized(payload: bytes, *lines: bytes, status: bytes = b"HTTP/1.1 200 OK") -> bytes:
    return _head(status, *lines, b"Content-Length: %d" % len(payload)) + payload


def _chunks(payload: bytes, size: int, extension: bytes = b"") -> bytes:
    return b"".join(b"%X%s\r\n%s\r\n" % (len(part), extension, part) for part in in_pieces(payload, size))


_CHUNKED = _head(b"HTTP/1.1 200 OK", b"Transfer-Encoding: chunked")
_GZIPPED = gzip.compress(TEXT, mtime=0)
_BARE_LF = b"HTTP/1.1 200 OK\nServer: old\nContent-Length: %d\n\n" % len(TEXT) + TEXT
_EARLY_HINTS = _head(b"HTTP/1.1 103 Early Hints", b"Link: </a.css>; rel=preload")
_RAW_DEFLATE = zlib.compressobj(wbits=-15)
_DEFLATED = _RAW_DEFLATE.compress(TEXT) + _RAW_DEFLATE.flush()

ANSWERS: dict[str, Answer] = {
    "plain": Answer(_sized(TEXT, b"Content-Type: text/html; charset=utf-8"), TEXT),
    "odd-case-and-repeats": Answer(
        _sized(TEXT, b"sErVeR: x", b"SET-Cookie: a=1", b"x-between:y", b"Set-cookie: b=2", b"X-Empty:", b"X-Sp:  a  "),
        TEXT,
    ),
    "chunked": Answer(_CHUNKED + _chunks(TEXT, 100) + b"0\r\n\r\n", TEXT),
    "chunk-extensions-and-trailers": Answer(
        _head(b"HTTP/1.1 200 OK", b"transfer-encoding:Chunked", b"Trailer: X-Sum")
        + _chunks(TEXT, 333, b' ; name="a;b" ;c')
        + b"000;last\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n",
        TEXT,
    ),
    "chunks-in-bare-lf": Answer(_CHUNKED + b"5\nhello\n6  \n world\n0\n\n", b"hello world"),
    "gzip": Answer(_sized(_GZIPPED, b"Content-Encoding: gzip"), _GZIPPED),
    "gzip-in-chunks": Answer(
        _head(b"HTTP/1.1 200 OK", b"Content-Encoding: gzip", b"Transfer-Encoding: chunked")
        + _chunks(_GZIPPED, 17)
        + b"0\r\n\r\n",
        _GZIPPED,
    ),
    "deflate": Answer(_sized(_DEFLATED, b"Content-Encoding: deflate"), _DEFLATED),
    "close-delimited": Answer(
        _head(b"HTTP/1.1 200 OK", b"Content-Type: text/plain") + TEXT, TEXT, 200, "close", reusable=False
    ),
    "http-1.0": Answer(
        _head(b"HTTP/1.0 200 OK", b"Server: old") + TEXT, TEXT, 200, "close", reusable=False, protocol="http/1.0"
    ),
    "http-1.0-kept-alive": Answer(
        _sized(TEXT, b"Connection: Keep-Alive", status=b"HTTP/1.0 200 OK"), TEXT, protocol="http/1.0"
    ),
    "http-1.0-with-length": Answer(_sized(TEXT, status=b"HTTP/1.0 200 OK"), TEXT, reusable=False, protocol="http/1.0"),
    "empty-reason": Answer(_sized(TEXT, status=b"HTTP/1.1 200 "), TEXT),
    "no-reason-at-all": Answer(_sized(TEXT, status=b"HTTP/1.1 200"), TEXT),
    "latin-1-reason": Answer(_sized(TEXT, b"X-Caf\xe9: \xe9", status=b"HTTP/1.1 404 Page non trouv\xe9e"), TEXT, 404),
    "bare-lf-head": Answer(_BARE_LF, TEXT),
    "mixed-line-ends": Answer(b"HTTP/1.1 200 OK\r\nA: 1\nB: 2\r\nContent-Length: %d\n\r\n" % len(TEXT) + TEXT, TEXT),
    "blank-line-first": Answer(b"\r\n" + _sized(TEXT), TEXT),
    "folded-header": Answer(_sized(TEXT, b"X-Folded: one", b"\t two", b"   three"), TEXT),
    "header-without-colon": Answer(_sized(TEXT, b"this is no header", b" nor this", b"X-After: 1"), TEXT),
    "404": Answer(_sized(TEXT, status=b"HTTP/1.1 404 Not Found"), TEXT, 404),
    "500": Answer(_sized(TEXT, status=b"HTTP/1.1 500 Internal Server Error"), TEXT, 500),
    "302": Answer(_sized(b"", b"Location: /plain", status=b"HTTP/1.1 302 Found"), b"", 302),
    "empty-body": Answer(_sized(b"")),
    "204": Answer(_head(b"HTTP/1.1 204 No Content", b"Server: x"), b"", 204),
    "304": Answer(_head(b"HTTP/1.1 304 Not Modified", b"Content-Length: 1234", b'ETag: "x"'), b"", 304),
    "103-before-200": Answer(_EARLY_HINTS + _sized(TEXT), TEXT, kept=_sized(TEXT), interim=1),
    "100-and-103-before-200": Answer(
        b"HTTP/1.1 100 Continue\r\n\r\n" + _EARLY_HINTS + _BARE_LF, TEXT, kept=_BARE_LF, interim=2
    ),
    "binary": Answer(_sized(BINARY, b"Content-Type: image/jpeg"), BINARY),
    "binary-in-chunks": Answer(_CHUNKED + _chunks(BINARY, 70_001) + b"0\r\n\r\n", BINARY),
    "connection-close": Answer(_sized(TEXT, b"Connection: close"), TEXT, reusable=False),
    "equal-lengths": Answer(_sized(TEXT, b"Content-Length: %d" % len(TEXT)), TEXT),
    "unequal-lengths": Answer(_sized(TEXT, b"Content-Length: 7"), TEXT, 200, "close", reusable=False),
    "length-is-no-number": Answer(
        _head(b"HTTP/1.1 200 OK", b"Content-Length: many") + TEXT, TEXT, 200, "close", reusable=False
    ),
    "chunked-and-length": Answer(
        _head(b"HTTP/1.1 200 OK", b"Content-Length: 5", b"Transfer-Encoding: chunked")
        + _chunks(TEXT, 99)
        + b"0\r\n\r\n",
        TEXT,
        reusable=False,
    ),
    "identity-coding": Answer(_sized(TEXT, b"Transfer-Encoding: identity"), TEXT),
    "said-chunked-but-is-not": Answer(_CHUNKED + TEXT, TEXT, 200, "close", reusable=False),
    "bytes-after-the-end": Answer(_sized(TEXT) + b"HTTP/1.1 200 Evil\r\n\r\n", TEXT, kept=_sized(TEXT), reusable=False),
    "cut-length": Answer(_sized(TEXT)[:-9], TEXT[:-9], 200, "close", truncated="disconnect", reusable=False),
    "cut-length-by-reset": Answer(_sized(TEXT)[:-9], TEXT[:-9], 200, "reset", truncated="disconnect", reusable=False),
    "cut-chunked": Answer(
        _CHUNKED + b"64\r\n" + TEXT[:100] + b"\r\n64\r\n" + TEXT[100:150],
        TEXT[:150],
        200,
        "close",
        truncated="disconnect",
        reusable=False,
    ),
    "cut-before-last-chunk": Answer(
        _CHUNKED + _chunks(TEXT, 100), TEXT, 200, "close", truncated="disconnect", reusable=False
    ),
    "broken-chunks": Answer(
        _CHUNKED + b"5\r\nhello\r\nzz\r\nrest", b"hello", truncated="disconnect", faulty=True, reusable=False
    ),
    "cut-head": Answer(
        b"HTTP/1.1 200 OK\r\nContent-Le", then="close", truncated="disconnect", failure="ConnectionLost", reusable=False
    ),
    "no-byte": Answer(b"", then="close", truncated="disconnect", failure="ConnectionLost", reusable=False),
    "not-http": Answer(
        b"SSH-2.0-OpenSSH_9.2\r\n",
        then="close",
        truncated="disconnect",
        failure="MalformedResponse",
        faulty=True,
        reusable=False,
    ),
    "no-status": Answer(
        b"HTTP/1.1 OK\r\n\r\n",
        then="close",
        truncated="disconnect",
        failure="MalformedResponse",
        faulty=True,
        reusable=False,
    ),
}


def scripts(piece_bytes: int | None = None) -> dict[str, Script]:
    """Return a script for each answer, by the target ``/<name>``; in pieces of *piece_bytes* when given."""
    return {f"/{name}": answer.script(piece_bytes) for name, answer in ANSWERS.items()}
