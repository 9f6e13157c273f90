"""Nobody crawls a public site without saying who he is."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from scrapy import Request

from crawler.addresses import Guard
from crawler.config import load
from crawler.contact import ContactMiddleware, ContactMissing, names_a_contact


@pytest.mark.parametrize(
    ("agent", "named"),
    [
        ("newswarc/0.1 (Library of X, https://example.org/archive)", True),
        ("newswarc/0.1 (archive@example.org)", True),
        ("Mozilla/5.0 (compatible; X; +http://example.org)", True),
        ("newswarc/0.1 (news archiver)", False),
        ("newswarc/0.1 (me@home)", False),
        ("https://localhost", False),
        ("", False),
        (None, False),
    ],
)
def test_what_a_contact_is(agent: str | None, named: bool):
    assert names_a_contact(agent) is named


async def answers(host: str) -> Sequence[str]:
    if host == "nobody.example":
        raise OSError("no such name")
    return ["93.184.216.34"] if host == "public.example" else ["10.0.0.7"]


def let_pass(url: str, agent: str, **settings: object) -> None:
    middleware = ContactMiddleware(agent, load(given=settings, environment={}))
    middleware._guard = Guard(False, answers)
    asyncio.run(middleware.process_request(Request(url)))


def test_a_public_site_is_not_asked_by_nobody():
    with pytest.raises(ContactMissing, match=r"public\.example is a public site.*set operator or user_agent"):
        let_pass("https://public.example/a", "newswarc/0.1")


@pytest.mark.parametrize(
    ("url", "agent"),
    [
        ("https://public.example/a", "newswarc/0.1 (archive@example.org)"),
        ("https://inside.example/a", "newswarc/0.1"),
        ("https://nobody.example/a", "newswarc/0.1"),  # the download says so itself
    ],
)
def test_all_others_pass(url: str, agent: str):
    let_pass(url, agent)


def test_behind_a_proxy_every_site_is_public():
    with pytest.raises(ContactMissing):
        let_pass("https://inside.example/a", "newswarc/0.1", proxy="http://127.0.0.1:3128")
