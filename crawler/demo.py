"""A sample publication, served on this machine: something to archive where there is nothing else."""

from __future__ import annotations

import html
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

NAME = "The Harbour Courier"
PORT = 8765


@dataclass(frozen=True, slots=True)
class Story:
    slug: str
    title: str
    authors: tuple[str, ...]
    published: str
    section: str
    paragraphs: tuple[str, ...]

    @property
    def path(self) -> str:
        day = self.published[:10].replace("-", "/")
        return f"/{day}/{self.slug}"


STORIES = (
    Story(
        "night-ferry-returns-after-eleven-years",
        "Night Ferry Returns After Eleven Years",
        ("Ines Okafor", "Tomas Lind"),
        "2026-03-02T06:30:00+01:00",
        "City",
        (
            (
                "The night ferry between the old harbour and the islands sailed again on Monday, eleven years "
                "after the line was given up as too expensive to run."
            ),
            (
                "Two hundred and twelve passengers were on board when the Marit left the quay at ten past eleven,"
                " the operator said. Tickets for the first week had been sold out within a day."
            ),
            (
                "“I used to take this boat to school,” said Petra Holm, who had come with her two sons. “They did"
                " not believe me that it had beds.”"
            ),
            (
                "The city council will pay a third of the costs until the end of next year. After that the line "
                "is to pay for itself, or stop again."
            ),
        ),
    ),
    Story(
        "harbour-library-opens-its-newspaper-cellar",
        "Harbour Library Opens Its Newspaper Cellar",
        ("Samuel Brandt",),
        "2026-03-05T09:00:00+01:00",
        "Culture",
        (
            (
                "For ninety years the cellar of the harbour library held what nobody had asked for: bound "
                "newspapers of the whole coast, complete but for one winter."
            ),
            (
                "From Thursday anyone may read them. The library has put up six tables, two lamps each, and a "
                "rule that pens stay upstairs."
            ),
            (
                "“A newspaper is the first thing a town throws away and the first thing it looks for later,” said"
                " the librarian, Aino Vesala."
            ),
            (
                "The missing winter, of 1941, is thought to have been burned for heating. Readers who own single "
                "issues are asked to bring them."
            ),
        ),
    ),
    Story(
        "council-delays-vote-on-the-grain-terminal",
        "Council Delays Vote on the Grain Terminal",
        ("Ines Okafor",),
        "2026-03-09T17:45:00+01:00",
        "Politics",
        (
            (
                "The city council on Monday put off its vote on the grain terminal for the third time, after the "
                "port authority withdrew its traffic study an hour before the meeting."
            ),
            (
                "The study had counted lorries on two days in August, when the mills stand still. The authority "
                "said it would count again in April."
            ),
            (
                "Opponents of the terminal called the delay a success; its supporters asked who would pay for the"
                " cranes that have already been ordered."
            ),
        ),
    ),
)

APPEAL = (
    "Independent reporting costs money, and the Courier has no owner but its readers.",
    "Support us with a small monthly gift. It takes a minute.",
)

STYLE = """@import "fonts.css";
body { font: 18px/1.6 Georgia, serif; max-width: 42rem; margin: 2rem auto; padding: 0 1rem; color: #1c2430; }
header a { color: inherit; text-decoration: none; letter-spacing: .04em; }
.appeal { background: #eef3f6 url("/static/wave.svg") no-repeat right; padding: 1rem; }
"""
PICTURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 60"><rect width="120" height="60" fill="#cfe0ea"/>'
    '<path d="M10 42h90l-12 12H24z" fill="#28425a"/><path d="M54 42V12l28 26z" fill="#f5f5f0"/></svg>'
)
WAVE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 80 20" width="80"><path d="M0 10q10-10 20 0t20 0 20 0 20 0"'
    ' fill="none" stroke="#9bb8c9"/></svg>'
)


def article_page(story: Story, base: str) -> str:
    """Return the story's page as a news site would build it: metadata, furniture, related articles, appeal."""
    related = [other for other in STORIES if other is not story]
    data = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": story.title,
        "author": [{"@type": "Person", "name": name} for name in story.authors],
        "datePublished": story.published,
        "articleSection": story.section,
        "publisher": {"@type": "NewsMediaOrganization", "name": NAME},
        "image": f"{base}/static/boat.svg",
        "inLanguage": "en",
    }
    text = "\n".join(f"<p>{html.escape(paragraph)}</p>" for paragraph in story.paragraphs)
    appeal = "".join(f"<p>{html.escape(line)}</p>" for line in APPEAL)
    links = "".join(f'<li><a href="{other.path}">{html.escape(other.title)}</a></li>' for other in related)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{html.escape(story.title)} | {NAME}</title>
<link rel="canonical" href="{base}{story.path}"><link rel="stylesheet" href="/static/style.css">
<meta property="og:site_name" content="{NAME}"><meta property="og:title" content="{html.escape(story.title)}">
<script type="application/ld+json">{json.dumps(data)}</script></head>
<body><header><a href="/">{NAME}</a></header>
<article><h1>{html.escape(story.title)}</h1>
<p class="byline">By {html.escape(" and ".join(story.authors))},
<time datetime="{story.published}">{story.published[:10]}</time></p>
<figure><img src="/static/boat.svg" alt=""><figcaption>The old harbour. Courier archive</figcaption></figure>
<div class="article-body">{text}
<p><strong>Related articles:</strong></p><ul>{links}</ul></div></article>
<aside class="appeal">{appeal}</aside><footer>© {NAME}</footer></body></html>"""


def pages(base: str) -> dict[str, tuple[str, str]]:
    """Return the whole site: path → (media type, text)."""
    fronts = "".join(f'<li><a href="{story.path}">{html.escape(story.title)}</a></li>' for story in STORIES)
    front = f'<!doctype html><html lang="en"><title>{NAME}</title><h1>{NAME}</h1><ul>{fronts}</ul></html>'
    site = {
        "/": ("text/html; charset=utf-8", front),
        "/robots.txt": ("text/plain", "User-agent: *\nAllow: /\n"),
        "/static/style.css": ("text/css", STYLE),
        "/static/fonts.css": ("text/css", "h1 { font-family: Georgia, serif; line-height: 1.2; }\n"),
        "/static/boat.svg": ("image/svg+xml", PICTURE),
        "/static/wave.svg": ("image/svg+xml", WAVE),
    }
    site.update({story.path: ("text/html; charset=utf-8", article_page(story, base)) for story in STORIES})
    return site


@contextmanager
def served(port: int = PORT) -> Iterator[str]:
    """Serve the publication on loopback while the context lasts; yields its base URL. Any port if *port* is taken."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            kind, text = site.get(self.path.partition("?")[0], ("text/plain", ""))
            body = text.encode()
            self.send_response(200 if text else 404)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
            """A sample site need not tell of every visit."""

    try:
        listening = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    except OSError:
        listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with listening as server:
        base = f"http://127.0.0.1:{server.server_address[1]}"
        site = pages(base)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield base
        finally:
            server.shutdown()
            thread.join()
