"""A publication made of as many articles as a test asks for, all different, with a style sheet and a picture shared."""

from __future__ import annotations

import json
import random

from tests.servers.raw_site import RawSite, Script, script

WORDS = """
harbour council ferry winter library grain tower market bridge river school report minister budget train island
letter museum factory night morning road court judge doctor farmer window garden engine paper
""".split()  # noqa: SIM905 - a list of words is easier to read so


def sentence(rng: random.Random) -> str:
    words = rng.choices(WORDS, k=rng.randint(8, 18))
    return " ".join(words).capitalize() + "."


def article_html(number: int, paragraphs: int = 8) -> bytes:
    rng = random.Random(number)
    title = f"{sentence(rng)[:-1].title()} No {number}"
    data = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": title,
        "author": {"@type": "Person", "name": "Ines Okafor"},
        "datePublished": f"2026-03-{1 + number % 28:02d}T06:30:00+01:00",
    }
    body = "".join(f"<p>{' '.join(sentence(rng) for _ in range(3))}</p>" for _ in range(paragraphs))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<link rel="stylesheet" href="/style.css"><script type="application/ld+json">{json.dumps(data)}</script>'
        f'</head><body><article><h1>{title}</h1><img src="/picture.png" alt="">{body}</article></body></html>'
    ).encode()


def answer(body: bytes, kind: str = "text/html; charset=utf-8") -> Script:
    return script(
        b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s" % (kind.encode(), len(body), body)
    )


def publication(articles: int) -> RawSite:
    """Return a site with *articles* articles at ``/2026/<number>``."""
    site = RawSite({f"/2026/{number}": answer(article_html(number)) for number in range(articles)})
    site.scripts["/style.css"] = answer(b"body { background: url(/wave.svg); }", "text/css")
    site.scripts["/wave.svg"] = answer(b'<svg xmlns="http://www.w3.org/2000/svg"/>', "image/svg+xml")
    site.scripts["/picture.png"] = answer(random.Random(3).randbytes(5000), "image/png")
    site.scripts["/robots.txt"] = answer(b"User-agent: *\nAllow: /\n", "text/plain")
    return site
