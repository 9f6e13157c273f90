from __future__ import annotations

import pytest

from archive.charsets import decode

RUSSIAN = "<html><body><p>Мост через реку останется закрытым до конца осени, сообщил департамент транспорта.</p>"
CHINESE = "<html><body><p>大桥将关闭至秋末，市交通部门周二表示，潜水员在桥墩上发现裂缝。</p>"  # noqa: RUF001
JAPANESE = "<html><body><p>橋は秋の終わりまで通行止めになると、市の交通局が火曜日に発表した。</p>"
FRENCH = "<html><body><p>Le pont restera fermé jusqu’à l’automne, a déclaré la mairie, côté élèves.</p>"  # noqa: RUF001


@pytest.mark.parametrize(
    ("text", "codec", "header"),
    [
        (RUSSIAN, "utf-8", "text/html; charset=utf-8"),
        (RUSSIAN, "utf-8", "text/html; charset=windows-1251"),
        (RUSSIAN, "utf-8", None),
        (RUSSIAN, "cp1251", "text/html; charset=windows-1251"),
        (RUSSIAN, "koi8-r", "text/html; charset=KOI8-R"),
        (CHINESE, "gb18030", "text/html; charset=gb2312"),
        (JAPANESE, "cp932", "text/html; charset=Shift_JIS"),
        (FRENCH, "cp1252", "text/html; charset=ISO-8859-1"),
        (RUSSIAN, "utf-16", "text/html"),
    ],
)
def test_a_page_is_read_in_the_charset_it_is_in(text: str, codec: str, header: str | None):
    assert decode(text.encode(codec), header) == text


@pytest.mark.parametrize("header", ["text/html; charset=utf-8", "text/html; charset=iso-8859-1", "text/html"])
def test_a_meta_element_is_believed_where_the_header_lies_or_is_silent(header: str):
    page = '<html><head><meta http-equiv="Content-Type" content="text/html; charset=windows-1251"></head>' + RUSSIAN
    assert decode(page.encode("cp1251"), header) == page


def test_a_header_is_believed_where_the_meta_element_lies():
    page = '<html><head><meta charset="windows-1251"></head>' + RUSSIAN
    assert decode(page.encode("koi8-r"), "text/html; charset=koi8-r") == page


@pytest.mark.parametrize("codec", ["cp1251", "koi8-r"])
def test_without_any_label_the_charset_is_guessed(codec: str):
    page = RUSSIAN * 5
    assert decode(page.encode(codec), None) == page


def test_a_page_cut_inside_a_character_keeps_its_charset():
    whole = (RUSSIAN * 10).encode()
    text = decode(whole[:-5], "text/html; charset=utf-8")
    assert text.startswith("<html><body><p>Мост")


@pytest.mark.parametrize(
    "header", ["text/html; charset=no-such", "text/html; charset=", "text/html; charset=\x00", "idna"]
)
def test_labels_that_are_no_charsets_are_passed_over(header: str):
    assert decode(RUSSIAN.encode(), header) == RUSSIAN
    assert decode(b"\xff\xfe\x00" + bytes(range(256)), header)
