"""Authors as bylines write them, one name each."""

from __future__ import annotations

import re
from collections.abc import Iterable

from archive.extraction.prose import clean, letters

LEAD = re.compile(
    r"^\s*(?:(?:written|words|text|story|reporting|reported|posted|published)\s+by\b|by\b|von\b|par\b|por\b|di\b(?=\s+[A-Z])"
    r"|door\b|av\b|af\b|text:|autor(?:in)?:|author:?|автор[ы]?:?|текст:)\s*:?\s*",
    re.IGNORECASE,
)
SEPARATOR = re.compile(
    r"\s*(?:;|\||/(?=\s)|\n|•|·|,(?!\s*(?:jr|sr|phd|md|ii|iii)\b)"
    r"|(?<=\s)(?:and|und|et|y|e|og|och|en|и|&)(?=\s))\s*",
    re.IGNORECASE,
)
SEVERAL = re.compile(r",\s*\w+\s+\w+|\w\s\w.*\s(?:and|und|et|og|och|en|&)\s+\w+\s+\w")  # "Anna Berg og Ola Dahl"
INITIALS = re.compile(r"\s*\(\w{2,4}\.?\)$")  # "Anna Berg (abe)": the sign of a newsroom's author
SITE = re.compile(r"^(?:www\.)?[\w-]+\.(?:\w{2}|com|net|org|info|news)$", re.IGNORECASE)
HANDLE = re.compile(r"[^\s()<>]+@[^\s()<>]+\.\w+|@\w+|https?://\S+|www\.\S+", re.IGNORECASE)
TRAILER = re.compile(r"\s*(?:\(.*\)|\[.*\]|[-\u2013\u2014|]\s+.*)$")
NOT_A_NAME = re.compile(
    r"\d|^(?:\w*admin|administrator|editor|unknown|none|null|n/a|guest|anonymous|share|follow|updated?|published|"
    r"read more|more by|email|contact|subscribe|comments?|facebook|twitter|view all|see all|author|authors|byline|"
    r"staff writer|redaktion|image|photo|picture|biography|profile|humans\.txt|jr|sr|phd|md|ma|ms|rdn?|esq)$|"
    r"\blicen[cs]e$|[<>{}=]|\bmin(?:ute)?s?\s+read\b",
    re.IGNORECASE,
)
# What a person is, after the name: "Anna Berg, AP Auto Writer".
ROLE = re.compile(
    r"\b(?:writer|correspondent|reporter|editor|columnist|contributor|korrespondentin?|redakteur(?:in)?|corresponsal|inviato)$",
    re.IGNORECASE,
)
DAY_AFTER = re.compile(r"\s+(?:mon|tues|wednes|thurs|fri|satur|sun)day$", re.IGNORECASE)
PARTICLES = frozenset("de la van von der den ten al el bin ibn da di dos du le del zu und y e".split())  # noqa: SIM905
LONGEST_NAME = 60  # characters; longer strings are sentences about the author
LONGEST_BYLINE = 2_000  # characters; what follows is not read, for the patterns take the square of their number
MOST_WORDS = 7


def split(byline: str | None) -> list[str]:
    """Return the names in one byline: lead words, addresses, handles, dates and remarks left out."""
    if not byline:
        return []
    text = LEAD.sub("", clean(HANDLE.sub(" ", byline[:LONGEST_BYLINE])))
    names: list[str] = []
    for part in SEPARATOR.split(f" {text} "):
        name = LEAD.sub("", TRAILER.sub("", clean(part or ""))).strip(" ,.:;|-\u2013\u2014")
        name = DAY_AFTER.sub("", name)
        if is_name(name) and not (names and ROLE.search(name)):
            names.append(name)
    return names


def written_by(line: str) -> list[str]:
    """Return the names in a line that says by its words alone that it is a byline ("By Anna Berg"); none in others."""
    if LEAD.match(line) is None or len(line) > LONGEST_NAME or line.endswith((".", ":", "?", "!")):
        return []
    found = split(line)
    return found if all(_is_in_full(name.split()) for name in found) else []


def _is_in_full(words: list[str]) -> bool:
    return 2 <= len(words) <= MOST_WORDS and all(word[0].isupper() or word in PARTICLES for word in words)


def one(name: str | None) -> str | None:
    """Return a single author's name as given by structured data, without splitting it, or ``None``."""
    text = INITIALS.sub("", LEAD.sub("", clean(HANDLE.sub(" ", (name or "")[:LONGEST_BYLINE]))).strip(" ,;:|"))
    return text if is_name(text) else None


def is_name(text: str) -> bool:
    """Tell whether *text* can be an author: a person, an agency or a newsroom; not a date, address or phrase."""
    return 1 < len(text) <= LONGEST_NAME and len(text.split()) <= MOST_WORDS and not NOT_A_NAME.search(text)


def without_sites(found: list[str]) -> list[str]:
    """Return names without those of sites ("news.example") among people."""
    return [name for name in found if not SITE.match(name)] or found


def distinct(names: Iterable[str]) -> list[str]:
    """Return *names* in order, each once, compared without case and spaces."""
    seen: dict[str, str] = {}
    for name in names:
        seen.setdefault(key(name), name)
    return list(seen.values())


def key(name: str) -> str:
    """Return what two spellings of one name have in common."""
    return letters(name)
