"""What a body is taken for, and the charset it leaves in."""

from __future__ import annotations

import codecs

import pytest

from archive.replay.rewriting import rewritten
from tests.rewriting import PAGE, link, replayed

RUSSIAN = "<p>Ночной паром вернулся, и жители встретили его музыкой, цветами, речью мэра."  # noqa: RUF001


@pytest.mark.parametrize(
    ("body", "content_type", "as_", "expected"),
    [
        (b"<p>", "text/html", "", ("html", "text/html; charset=utf-8")),
        (b"<p>", "Text/HTML; charset=koi8-r", "im_", ("html", "text/html; charset=utf-8")),
        (b"<p>", "text/plain", "", ("other", "text/plain")),
        (b"<p>", "text/plain; charset=x", "if_", ("other", "text/plain; charset=x")),
        (b"a{}", "text/html", "cs_", ("css", "text/css; charset=utf-8")),
        (b" <!doctype html>", "text/html", "cs_", ("html", "text/html; charset=utf-8")),
        (b"a{}", None, "cs_", ("css", "text/css; charset=utf-8")),
        (b"a()", "text/html", "js_", ("script", "text/javascript; charset=utf-8")),
        (b"a()", "application/x-javascript", "", ("script", "application/x-javascript; charset=utf-8")),
        (b"<svg/>", "image/svg+xml", "im_", ("xml", "image/svg+xml; charset=utf-8")),
        (b"{}", "application/json", "", ("other", "application/json")),
        (b"{}", "application/json", "mf_", ("manifest", "application/json; charset=utf-8")),
        (b"--x", "multipart/x-mixed-replace; boundary=x", "", ("other", "application/octet-stream")),
        (b"  <!-- x -->", None, "", ("html", "text/html; charset=utf-8")),
        (codecs.BOM_UTF8 + b"<HTML>", "", "", ("html", "text/html; charset=utf-8")),
        (b"<?xml?>", "not a type", "", ("xml", "text/xml; charset=utf-8")),
        (b"\x89PNG\r\n\x1a\n", None, "", ("other", "image/png")),
        (b"RIFF0000WEBPVP8", "*/*", "", ("other", "image/webp")),
        (b"0000ftypavif", None, "", ("other", "image/avif")),
        (b"hello", None, "", ("other", "text/plain")),
        (b"\0\1", None, "", ("other", "application/octet-stream")),
        (b"", None, "", ("other", "text/plain")),
    ],
)
def test_a_kind(body: bytes, content_type: str | None, as_: str, expected: tuple[str, str]) -> None:
    result = rewritten(body, content_type=content_type, url=PAGE, link=link, as_=as_)
    assert (result.kind, result.content_type) == expected


@pytest.mark.parametrize("charset", ["windows-1251", "koi8-r", "utf-8", "utf-16-le", "utf-16-be"])
def test_text_leaves_in_utf_8_whatever_it_came_in(charset: str) -> None:
    mark = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}.get(charset, b"")
    page = replayed(mark + RUSSIAN.encode(charset), f"text/html; charset={charset.removesuffix('-le')}")
    assert page.body.decode("utf-8") == RUSSIAN
    assert page.content_type == "text/html; charset=utf-8"


def test_a_label_that_the_bytes_deny_is_not_believed() -> None:
    assert replayed(RUSSIAN, "text/html; charset=iso-8859-1").body.decode() == RUSSIAN


def test_a_byte_order_mark_is_gone() -> None:
    assert replayed(codecs.BOM_UTF8 + b"<p>").body == b"<p>"
    assert replayed(codecs.BOM_UTF8 + b"a{}", "text/css").body == b"a{}"


def test_a_script_in_the_charset_of_its_page_leaves_in_utf_8() -> None:
    script = f'say("{RUSSIAN * 3}")'
    result = replayed(script.encode("windows-1251"), "text/javascript", as_="js_")
    assert result.body.decode() == script
