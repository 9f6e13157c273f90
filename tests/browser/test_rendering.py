"""An archived page looks as it did, and asks nobody but the archive."""

from __future__ import annotations

import base64
import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.newspaper import FONTS, PAGE, newspaper
from tests.browser.replaying import replaying
from tests.browser.sites import Site

WIDTH, HEIGHT = 1000, 700
# The same machine draws both: what differs is what is missing. A picture of forty pixels is 0.23 % of the page.
MOST_DIFFERING = 0.0005  # of the pixels, by more than 16 of 255 in a colour

DIFFERENCE = """async ([one, other]) => {
  const pixels = async (data) => {
    const bitmap = await createImageBitmap(await (await fetch(data)).blob());
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
    canvas.drawImage(bitmap, 0, 0);
    return [bitmap.width, bitmap.height, canvas.getImageData(0, 0, bitmap.width, bitmap.height).data];
  };
  const [[w, h, a], [v, k, b]] = [await pixels(one), await pixels(other)];
  if (w !== v || h !== k) return 1;
  let differing = 0;
  for (let at = 0; at < a.length; at += 4)
    differing += [0, 1, 2].some((colour) => Math.abs(a[at + colour] - b[at + colour]) > 16);
  return differing / (w * h);
}"""


def difference(browser: Browser, one: bytes, other: bytes) -> float:
    page = browser.new_page()
    try:
        data = [f"data:image/png;base64,{base64.b64encode(each).decode()}" for each in (one, other)]
        return float(page.evaluate(DIFFERENCE, data))
    finally:
        page.close()


@pytest.mark.skipif(not all(path.exists() for path in FONTS), reason="no fonts: apt-get install fonts-dejavu-core")
def test_an_archived_page_with_forty_requisites_looks_as_it_did_live(
    browser: Browser, web: tuple[int, Site, list[str]], tmp_path: Path
) -> None:
    _, live, asked = web
    site, shown = newspaper()
    assert len(shown) >= 40
    live.update(site)
    # Without scripts, as it is replayed: then its noscript is shown in both.
    context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}, java_script_enabled=False)
    page = context.new_page()
    page.goto(PAGE, wait_until="load")
    original = page.screenshot(path=tmp_path / "live.png")
    paths = {url.removeprefix("http://") for url in shown} - {"news.example/static/print.css"}
    assert paths <= set(asked)
    asked.clear()
    page.close()

    with replaying(site, height=HEIGHT) as replay:
        page = context.new_page()
        requests: list[str] = []
        failed: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        page.on("response", lambda response: failed.append(response.url) if response.status >= 400 else None)
        page.goto(replay.banner(PAGE), wait_until="load")
        replayed = page.screenshot(path=tmp_path / "replayed.png")
        differing = difference(browser, original, replayed)
        print(f"{len(requests)} requests, {differing:.4%} of the pixels differ")
        assert differing <= MOST_DIFFERING
        assert not failed
        assert not [url for url in requests if not url.startswith((replay.home, replay.pages, "data:", "about:"))]
        for url in shown:
            assert any(each.endswith(f"/{url}") for each in requests), url
        page.close()

        # The control: without one of its pictures it would not have passed.
        del site["http://news.example/img/p3.png"]
        page = context.new_page()
        page.goto(replay.banner(PAGE), wait_until="load")
        assert difference(browser, original, page.screenshot()) > MOST_DIFFERING
    context.close()
    time.sleep(0.1)  # what would be asked for late
    assert not asked
