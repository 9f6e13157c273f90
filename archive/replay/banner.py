"""The page around a replayed page: when it was captured, what else there is, and what is missing from it.

It is a page of the library. The replayed document is in a frame from another host, sandboxed twice: by the frame and by
its own policy. Nothing of it reaches the banner, and nothing of the banner is in it.
"""

from __future__ import annotations

import json
from datetime import datetime

from archive.capture import Capture
from archive.replay import addresses, frames
from archive.replay.addresses import BANNER_ONLY, RAW
from archive.replay.asked import Answer
from archive.replay.html import escape, page
from archive.replay.mementos import Chosen, links, vary
from archive.replay.site import Site

# Chromium shows PDF files by a plug-in, which no sandbox lets in.
_NOT_FRAMED = frozenset({"application/pdf", "application/zip", "application/octet-stream"})

_STYLE = """
html, body { height: 100%; } body { display: flex; flex-direction: column; }
.bar { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; align-items: baseline; padding: .5rem .9rem;
  border-bottom: 1px solid var(--line); background: var(--card); }
.bar strong { font-weight: 600; } .bar .url { flex: 1 1 20rem; min-width: 0; overflow: hidden; text-overflow: ellipsis;
  white-space: nowrap; color: var(--quiet); }
iframe { flex: 1; width: 100%; border: 0; background: #fff; color-scheme: light; }
details ul { margin: .3rem 0; padding-left: 1.2rem; max-height: 10rem; overflow: auto; }
.file { padding: 3rem 1.25rem; text-align: center; }
"""

# The frame tells nothing; the server, which knows what the document in it needs, does.
_SCRIPT = """
const told = document.getElementById("told"), frame = document.querySelector("iframe");
const state = JSON.parse(document.body.dataset.state), made = (name) => document.createElement(name);
async function ask() {
  const answer = await fetch("/api/frame/" + state.token, {cache: "no-store"});
  if (!answer.ok) return;
  const found = await answer.json();
  if (found.loads && found.banner && (found.timestamp !== state.timestamp || found.url !== state.url)) {
    location.replace(found.banner); return;
  }
  const names = Object.keys(found.missing);
  told.replaceChildren();
  if (!names.length) return;
  const all = made("details"), head = made("summary"), list = made("ul");
  head.className = "mark";
  head.textContent = names.length + (names.length === 1 ? " part" : " parts") + " of this page not in the archive";
  for (const name of names.slice(0, 100)) {
    const item = made("li"); item.textContent = name + ": " + found.missing[name]; list.append(item);
  }
  all.append(head, list); told.append(all);
}
if (frame) {
  frame.addEventListener("load", () => { ask(); setTimeout(ask, 1500); });
  setTimeout(ask, 1500);
}
"""


def answer(site: Site, chosen: Chosen) -> Answer:
    """Return the banner page for the capture that was chosen."""
    capture = chosen.capture
    token = site.frames.new()
    modifier = RAW if chosen.modifier == BANNER_ONLY else ""
    framed = frames.address(token, addresses.web(capture.timestamp14, capture.url, modifier))
    source = f"{site.options.pages_url}{framed}"
    permitted = "allow-scripts" if site.options.scripts else ""
    if capture.mime in _NOT_FRAMED:
        raw = escape(addresses.web(capture.timestamp14, capture.url, RAW))
        shown = (
            f'<div class="file"><p>This capture is a file ({escape(capture.mime)}).</p>'
            f'<p><a href="{raw}" download>Save it</a></p></div>'
        )
    else:
        shown = f'<iframe sandbox="{permitted}" src="{escape(source)}" title="the captured page"></iframe>'
    state = json.dumps({"token": token, "timestamp": capture.timestamp14, "url": capture.url})
    body = f"{_bar(chosen)}{shown}"
    made = page(
        f"{capture.url} at {capture.captured_at:%Y-%m-%d %H:%M}",
        body,
        pages_url=site.options.pages_url,
        style=_STYLE,
        script=_SCRIPT,
    )
    made.body = made.read().replace(b"<body>", f'<body data-state="{escape(state)}">'.encode(), 1)
    made.headers += [header for header in links(chosen, site.options.public_url) if header[0] != "Content-Location"]
    made.headers += vary(chosen, ["sec-fetch-dest"])
    if chosen.timegate:  # a page about a memento is none where another was negotiated for
        made.headers = [header for header in made.headers if header[0] != "Memento-Datetime"]
    return made


def _bar(chosen: Chosen) -> str:
    capture, timeline = chosen.capture, chosen.timeline
    before, after = timeline.neighbours(chosen.found.position)
    count = len(timeline.shown())
    at = capture.captured_at
    every = f'<a href="/web/*/{escape(addresses.quoted(capture.url))}">all {count}</a>'
    at = capture.captured_at
    every = f'<a href="/web/*/{escape(addresses.quoted(capture.url))}">all {count}</a>'
    shown = f'<time datetime="{at:%Y-%m-%dT%H:%M:%SZ}">{at:%-d %B %Y, %H:%M:%S} UTC</time>'
    parts = [
        f"<span>Captured <strong>{shown}</strong></span>",
        _step("← earlier", before, chosen),
        _step("later →", after, chosen),
        every if count > 1 else "<span class=quiet>the only capture</span>",
        f'<span class="url">{escape(capture.url)}</span>',
        _live(capture),
        *(f'<span class="mark">{escape(note)}</span>' for note in _notes(capture)),
        '<span id="told"></span>',
    ]
    return f'<div class="bar">{"".join(parts)}</div>'


def _step(words: str, position: int | None, chosen: Chosen) -> str:
    if position is None:
        return f'<span class="quiet">{words}</span>'
    stamp = chosen.timeline.timestamp(position)
    at = datetime.strptime(stamp + "+0000", "%Y%m%d%H%M%S%z")
    place = addresses.web(stamp, chosen.timeline.capture(position).url)
    return f'<a href="{escape(place)}" title="{at:%-d %B %Y, %H:%M:%S}">{words}</a>'


def _live(capture: Capture) -> str:
    """Return the way out of the archive, which only a reader's click goes."""
    if not capture.url.lower().startswith(("http://", "https://")):
        return ""
    return f'<a href="{escape(addresses.quoted(capture.url))}" rel="noreferrer noopener" target="_blank">live page</a>'


def _notes(capture: Capture) -> list[str]:
    notes = []
    if capture.status is not None and not 200 <= capture.status < 300 and capture.record_type != "revisit":
        notes.append(f"the server answered {capture.status}")
    if capture.truncated and capture.record_type != "revisit":
        notes.append(f"this capture was cut ({capture.truncated})")
    return notes
