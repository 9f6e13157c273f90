"""Pages of ours: one look, no script but where a page brings its own, nothing fetched from anywhere."""

from __future__ import annotations

import html
import secrets

from archive.replay import policy
from archive.replay.asked import Answer

STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --paper: #fbfaf7; --quiet: #5d6876; --line: #d9d6cd; --sea: #1f5673;
  --mark: #8a3b12; --card: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e4de; --paper: #14181e; --quiet: #9aa5b1; --line: #323a45;
  --sea: #8cc3de; --mark: #f0a57a; --card: #1b212a; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 Georgia, "Times New Roman", serif; }
main { max-width: 52rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .5rem; font-weight: 600; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
a { color: var(--sea); overflow-wrap: anywhere; }
.quiet, small, th { color: var(--quiet); }
.sans, button, input, table, .bar { font-family: system-ui, sans-serif; font-size: .92rem; }
form { display: flex; gap: .5rem; margin: 1.5rem 0; flex-wrap: wrap; }
input[type=text] { flex: 1 1 18rem; padding: .6rem .75rem; border: 1px solid var(--line); border-radius: 6px;
  background: var(--card); color: inherit; font-size: 1rem; }
button { padding: .6rem 1.1rem; border: 0; border-radius: 6px; background: var(--sea); color: var(--paper);
  font-size: 1rem; }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; font-weight: 500; }
th, td { padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.time { white-space: nowrap; font-variant-numeric: tabular-nums; }
.mark { color: var(--mark); }
code { font-size: .85em; overflow-wrap: anywhere; }
"""


def escape(text: object) -> str:
    return html.escape(str(text))


def page(
    title: str,
    body: str,
    *,
    pages_url: str,
    status: int = 200,
    style: str = "",
    script: str = "",
    headers: tuple[tuple[str, str], ...] = (),
) -> Answer:
    """Return a page of ours; *body* is HTML, what strangers wrote in it escaped by the caller."""
    nonce = secrets.token_urlsafe(16)
    running = f'<script nonce="{nonce}">{script}</script>' if script else ""
    document = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        f'<style nonce="{nonce}">{STYLE}{style}</style></head><body>{body}{running}</body></html>'
    )
    return Answer(
        status,
        [
            ("Content-Type", "text/html; charset=utf-8"),
            *policy.own(pages_url, nonce=nonce),
            ("Cache-Control", "no-store"),
            *headers,
        ],
        document.encode(errors="replace"),
    )
