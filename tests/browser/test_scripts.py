"""The opt-in mode: what a page's scripts ask for comes out of the archive, and the page finds itself where it was."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.browser.newspaper import picture
from tests.browser.replaying import TIME, replaying
from tests.browser.sites import Site

HOST = "http://app.example"
PAGE = f"{HOST}/news/today"
SCRIPT = """
const seen = window.seen = {};
const note = (name, make) => { try { seen[name] = make(); } catch (error) { seen[name] = error.name; } };
const wait = [];
note('url', () => document.URL);
note('base', () => document.baseURI);
note('domain', () => document.domain);
note('year', () => new Date().getUTCFullYear());
note('now', () => new Date(Date.now()).toISOString().slice(0, 10));
note('date', () => new Date(0) instanceof Date && new Date(86400000).getTime());
note('random', () => Math.random() !== Math.random());
note('cookie', () => {
  document.cookie = 'a=1; path=/'; document.cookie = 'b=2';
  document.cookie = 'a=; max-age=0'; return document.cookie; });
note('storage', () => {
  localStorage.setItem('a', 1); localStorage.b = 2; return Object.keys(localStorage).join() + localStorage.length; });
note('socket', () => new WebSocket('ws://app.example/'));
note('events', () => new EventSource('/events'));
note('beacon', () => navigator.sendBeacon('/beacon', 'x'));
note('open', () => window.open('/other'));
note('history', () => { history.pushState({}, '', '/moved'); return document.baseURI; });
history.replaceState({}, '', '/news/today');
wait.push(navigator.serviceWorker.register('/sw.js').catch((error) => { seen.worker = error.name; }));
wait.push(fetch('/data/fetch.json').then(async (r) => { seen.fetch = (await r.json()).ok; seen.fetchUrl = r.url; }));
wait.push(fetch(new Request('/data/request.json')).then(async (r) => { seen.request = (await r.json()).ok; }));
wait.push(new Promise((done) => {
  const xhr = new XMLHttpRequest();
  xhr.open('GET', '//app.example/data/xhr.json');
  xhr.onload = () => { seen.xhr = JSON.parse(xhr.responseText).ok; seen.xhrUrl = xhr.responseURL; done(); };
  xhr.onerror = done;
  xhr.send();
}));
const loads = (name, element) => wait.push(new Promise((done) => {
  element.onload = () => { seen[name] = true; done(); };
  element.onerror = () => { seen[name] = false; done(); };
  document.body.append(element);
}));
const image = new Image(); image.src = location.origin + '/img/src.png'; loads('src', image);
seen.srcRead = image.src;
const set = document.createElement('img'); set.setAttribute('src', 'http://app.example/img/set.png'); loads('set', set);
const sets = new Image(); sets.srcset = '/img/srcset.png 1x'; loads('srcset', sets);
const link = document.createElement('link'); link.rel = 'stylesheet'; link.href = '/made.css'; loads('link', link);
const script = document.createElement('script'); script.src = '/made.js'; loads('script', script);
const box = document.createElement('div'); document.body.append(box);
box.innerHTML = '<img src="/img/inner.png"><a href="/x">x</a>';
box.insertAdjacentHTML('beforeend', '<p style="background:url(/img/style.png)">x</p>');
box.style.backgroundImage = 'url(/img/background.png)';
seen.anchor = box.querySelector('a').href;
Promise.all(wait).then(() => { seen.done = true; });
"""


def test_what_scripts_ask_for_comes_out_of_the_archive(browser: Browser, web: tuple[int, Site, list[str]]) -> None:
    images = ("src", "set", "srcset", "inner", "style", "background", "written")
    site: Site = {f"{HOST}/img/{name}.png": ("image/png", picture(1, 2, 3)) for name in images}
    for name in ("fetch", "request", "xhr"):
        site[f"{HOST}/data/{name}.json"] = ("application/json", b'{"ok": true}')
    site[f"{HOST}/made.css"] = ("text/css", b"body{color:red}")
    site[f"{HOST}/made.js"] = ("text/javascript", b"window.seen.made = true")
    site[f"{HOST}/app.js"] = ("text/javascript", SCRIPT.encode())
    written = b"<script>document.write('<img src=\"/img/written.png\">')</script>"
    site[PAGE] = ("text/html", b"<!DOCTYPE html><body>" + written + b"<script src=/app.js></script>")
    web[2].clear()
    with replaying(site) as replay:
        context = browser.new_context()
        page = context.new_page()
        requests: list[str] = []
        errors: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(replay.banner(PAGE, scripts=True))
        frame = page.frames[1]
        frame.wait_for_function("window.seen && window.seen.done", timeout=10_000)
        seen = frame.evaluate("window.seen")
        context.close()
    assert errors == []
    expected: dict[str, object] = {
        "url": PAGE,
        "base": PAGE,
        "domain": "app.example",
        "history": f"{HOST}/moved",
        "anchor": f"{HOST}/x",
    }
    expected |= {"year": int(TIME[:4]), "now": "2026-01-01", "date": 86_400_000, "random": True}
    expected |= {"cookie": "b=2", "storage": "a,b2", "socket": "SecurityError", "events": "SecurityError"}
    expected |= {"beacon": False, "open": None, "worker": "SecurityError", "srcRead": f"{HOST}/img/src.png"}
    expected |= {"fetch": True, "fetchUrl": f"{HOST}/data/fetch.json", "request": True}
    expected |= {"xhr": True, "xhrUrl": f"{HOST}/data/xhr.json"}
    expected |= dict.fromkeys(("src", "set", "srcset", "link", "script", "made", "done"), True)
    assert seen == expected
    for name in images:
        assert any(
            url.startswith(f"{replay.pages}/web/") and url.endswith(f"/{HOST}/img/{name}.png") for url in requests
        )
    assert not [url for url in requests if not url.startswith((replay.home, replay.pages))]
    assert not [each for each in web[2] if ".example" in each]


@pytest.mark.parametrize("scripts", [True, False])
def test_scripts_run_only_if_asked_for(browser: Browser, scripts: bool) -> None:
    site: Site = {
        PAGE: ("text/html", b"<!DOCTYPE html><p>first<noscript>none</noscript><script>document.write('ran')</script>")
    }
    with replaying(site) as replay:
        context = browser.new_context()
        page = context.new_page()
        page.goto(replay.banner(PAGE, scripts=scripts))
        text = page.frame_locator("iframe").locator("body").inner_text()
        context.close()
    assert text.split() == (["firstran"] if scripts else ["firstnone"])
