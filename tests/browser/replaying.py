"""The replay server under test. The tests know it by :class:`Replay` alone, and :func:`replaying` gives it.

This one is no more than the rewriting and the policy: a library that frames, and a second listener under another host
name that replays what a dictionary holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from archive.replay.rewriting import SHIM_PATH, rewritten, shim
from tests.browser.sites import Answer, Headers, Site, listening

TIME = "20260101000000"


@dataclass
class Replay:
    """*asked* is what the library's listener was asked for, banners and frames left out."""

    home: str  # the origins
    pages: str
    site: Site
    asked: list[str] = field(default_factory=list)

    def banner(self, url: str, *, scripts: bool = False) -> str:
        """Return the address of the page of ours that shows *url* in a frame, which is its only one."""
        return f"{self.home}/show{'-scripts' if scripts else ''}/{url}"

    def framed(self, url: str, *, scripts: bool = False) -> str:
        """Return the address of the replayed page itself."""
        return f"{self.pages}/web/{TIME}{'sc_' if scripts else ''}/{url}"

    def raw(self, url: str) -> str:
        return f"{self.pages}/web/{TIME}id_/{url}"


def policy(library: str, *, scripts: bool, framed: bool) -> Headers:
    run = " allow-scripts" if scripts else ""
    source = "'self' 'unsafe-inline' 'unsafe-eval' data: blob:" if scripts else "'none'"
    return [
        (
            "Content-Security-Policy",
            f"sandbox{run}; default-src 'self' 'unsafe-inline' data: blob:; script-src {source}; form-action 'none'; "
            f"base-uri 'none'; object-src 'none'" + ("" if framed else f"; frame-ancestors {library}"),
            # A frame within a replayed page has an ancestor of no origin, which no source expression matches.
        ),
        ("Access-Control-Allow-Origin", "*"),
        ("X-Content-Type-Options", "nosniff"),
    ]


@contextmanager
def replaying(site: Site, *, guarded: bool = True, height: int = 900) -> Iterator[Replay]:
    """Replay *site*, which may be filled later. Unguarded is the control: same host, no policy."""
    replay = Replay("", "", site)

    def page(target: str) -> Answer:
        if target == SHIM_PATH:
            return 200, [("Content-Type", "text/javascript")], shim()
        stamp, _, url = target.removeprefix("/web/").partition("/")
        modifier = stamp.removeprefix(TIME)
        scripts = modifier.startswith("sc_")
        if target == "/blank" or not target.startswith("/web/"):
            return 404, [("Content-Type", "text/html")], b""
        content_type, body = site.get(url, ("text/html", b""))
        headers = policy(replay.home, scripts=scripts, framed=modifier == "if_") if guarded else []
        status = 200 if url in site else 404
        if modifier == "id_":
            return status, [*headers, ("Content-Type", content_type)], body

        def link(address: str, modifier: str) -> str:
            return f"/web/{TIME}{'sc_' if scripts and not modifier else modifier}/{address}"

        new = rewritten(body, content_type=content_type, url=url, link=link, scripts=scripts, as_=modifier)
        return status, [*headers, ("Content-Type", new.content_type)], new.body

    def library(_: str, target: str) -> Answer:
        if target.startswith(("/show/", "/show-scripts/")):
            _, kind, url = target.split("/", 2)
            frame = replay.framed(url, scripts=kind == "show-scripts")
            style = f"<style>*{{margin:0;border:0}} iframe{{width:100%;height:{height}px}}</style>"
            text = f"<!DOCTYPE html><title>banner</title>{style}<iframe src='{frame}'></iframe>"
            headers = [("Content-Type", "text/html")]
            if guarded:
                headers.append(("Content-Security-Policy", f"frame-src {replay.pages}"))
            return 200, headers, text.encode()
        if not guarded and target.startswith(("/web/", "/static/")):
            return page(target)
        if target == "/blank":
            return 200, [("Content-Type", "text/html")], b"<title>blank</title>"
        if target != "/favicon.ico":  # which the browser asks for by itself
            replay.asked.append(target)
        return 200, [("Content-Type", "application/json")], b'{"secret": "of the library"}'

    with listening(library) as (library_port, _), listening(lambda _, target: page(target)) as (port, _):
        replay.home = f"http://localhost:{library_port}"
        replay.pages = f"http://127.0.0.1:{port}" if guarded else replay.home
        yield replay
