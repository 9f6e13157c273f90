"""An archived page with forty requisites, of every kind that a page without scripts has."""

from __future__ import annotations

import base64
import hashlib
import struct
import zlib
from pathlib import Path

from tests.browser.sites import Site

HOST = "http://news.example"
CDN = "http://cdn.example"
PAGE = f"{HOST}/2026/03/02/ferry.html"
FONTS = [Path("/usr/share/fonts/truetype/dejavu") / f"DejaVu{name}.ttf" for name in ("Serif", "SansMono")]


def picture(red: int, green: int, blue: int, size: int = 8) -> bytes:
    """Return a PNG in one colour with a darker diagonal."""
    rows = bytearray()
    for y in range(size):
        rows.append(0)
        for x in range(size):
            rows += bytes((red // 2, green // 2, blue // 2) if x == y else (red, green, blue))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def newspaper() -> tuple[Site, list[str]]:
    """Return the site, and the addresses of what its page shows: each must be asked of whoever shows it."""
    site: Site = {}

    def put(url: str, content_type: str, body: str | bytes) -> str:
        site[url] = (content_type, body.encode() if isinstance(body, str) else body)
        return url

    def png(url: str, number: int) -> str:
        return put(url, "image/png", picture(40 + number * 37 % 200, 40 + number * 91 % 200, 40 + number * 53 % 200))

    serif, mono = (put(f"{CDN}/fonts/{path.name}", "font/ttf", path.read_bytes()) for path in FONTS)
    shown = [serif, mono]
    shown += [
        put(
            f"{CDN}/css/main.css",
            "text/css",
            "@charset 'utf-8'; @import 'parts/a.css'; @import url(parts/b.css) screen; /* url(no.png) */"
            f"@font-face{{font-family:Courier Serif;src:url('{serif}')}}"
            f"@font-face{{font-family:Own Mono;src:url(../fonts/{FONTS[1].name})}}"
            "body{font-family:Courier Serif;width:960px;background:#fff url(../img/page.png) repeat-x}"
            "h1{font:700 30px Own Mono}h1:before{content:url(../img/mark.png) ' '}"
            ".set{width:40px;height:40px;background-image:image-set('../img/set1.png' 1x,url(../img/set2.png) 2x)}"
            ".never{display:none;background:url(never.png)}",
        ),
        put(
            f"{CDN}/css/parts/a.css",
            "text/css",
            "@import url('deep/c.css');.a{width:40px;height:40px;background:url(a.png)}",
        ),
        put(f"{CDN}/css/parts/b.css", "text/css", ".b{width:40px;height:40px;background:u\\72l( 'b.png' )}"),
        put(f"{CDN}/css/parts/deep/c.css", "text/css", "p{color:#234}.c{width:40px;height:40px;background:url(c.png)}"),
        *(png(f"{CDN}/css/parts/{name}", at) for at, name in enumerate(("a.png", "b.png", "deep/c.png"), 3)),
        *(png(f"{CDN}/img/{name}.png", at) for at, name in enumerate(("page", "mark", "set1"), 7)),
        put(f"{HOST}/static/print.css", "text/css", "body{color:red}"),
    ]
    row = "".join(f'<img width=40 height=40 src="/img/p{number}.png">' for number in range(6))
    shown += [png(f"{HOST}/img/p{number}.png", 10 + number) for number in range(6)]
    shown += [
        png(f"{HOST}/img/wide,1.png", 20),
        png(f"{HOST}/img/source.png", 21),
        png(f"{HOST}/img/inline.png", 22),
        png(f"{HOST}/img/attribute.png", 23),
        png(f"{HOST}/img/table.png", 24),
        png(f"{HOST}/img/poster.png", 25),
        png(f"{HOST}/img/button.png", 26),
        png(f"{HOST}/img/noscript.png", 27),
        png(f"{HOST}/img/svg.png", 28),
        png(f"{HOST}/img/query.png?a=1&b=2", 29),
        png(f"{CDN}/protocol.png", 30),
        png(f"{HOST}/2026/03/02/relative.png", 31),
        png(f"{HOST}/2026/up.png", 32),
        png(f"{HOST}/img/srcdoc.png", 33),
        png(f"{HOST}/frames/frame.png", 34),
        put(f"{HOST}/frames/f.css", "text/css", "body{background:#def url(framebg.png)}"),
        png(f"{HOST}/frames/framebg.png", 35),
        put(
            f"{HOST}/frames/one.html",
            "text/html",
            "<link rel=stylesheet href=f.css><p>A frame<img src=frame.png width=30 height=30>",
        ),
        put(
            f"{HOST}/drawing.svg",
            "image/svg+xml",
            "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 40 40'><style>circle{fill:#a40}</style>"
            "<rect width='40' height='40' fill='#cde'/><circle cx='20' cy='20' r='12'/></svg>",
        ),
        put(
            f"{HOST}/frames/two.svg",
            "image/svg+xml",
            "<svg xmlns='http://www.w3.org/2000/svg'><image href='in.png' width='60' height='60'/></svg>",
        ),
        png(f"{HOST}/frames/in.png", 36),
    ]
    digest = base64.b64encode(hashlib.sha256(site[f"{CDN}/css/main.css"][1]).digest()).decode()
    put(f"{HOST}/manifest.json", "application/manifest+json", '{"icons":[{"src":"/img/icon.png"}]}')
    put(f"{HOST}/script.js", "text/javascript", "document.title='run'")
    put(
        PAGE,
        "text/html; charset=windows-1251",
        f"""<!DOCTYPE html><html><head><meta charset=windows-1251><title>Паром</title>
        <meta http-equiv=Content-Security-Policy content="img-src *; style-src * 'unsafe-inline'">
        <link rel=preconnect href=//cdn.example><link rel=dns-prefetch href=//ads.example>
        <link rel=prefetch href=http://next.example/page><link rel=manifest href=/manifest.json>
        <link rel=stylesheet href="{CDN}/css/main.css" integrity="sha256-{digest}" crossorigin>
        <link rel=stylesheet media=print href=/static/print.css><script src=/script.js></script>
        <style>.i{{width:40px;height:40px;background:url(/img/inline.png)}}
        div,img,td{{float:left;margin:2px}}</style></head>
        <body><h1>Ночной паром вернулся</h1><p>Двести двенадцать пассажиров &copy; 2026 &amp; on.</p>
        <div class=a></div><div class=b></div><div class=c></div><div class=set></div><div class=i></div>
        <div style="width:40px;height:40px;background:url(&quot;/img/attribute.png&quot;)"></div>{row}
        <img width=40 height=40 srcset="/img/wide,1.png 1x, /img/none.png 3x">
        <picture><source srcset="/img/source.png"><img width=40 height=40 src=/img/none.png></picture>
        <table><tr><td background=/img/table.png width=40 height=40></table>
        <video poster=/img/poster.png width=80 height=40></video>
        <input type=image src=/img/button.png width=40 height=40>
        <noscript><img width=40 height=40 src=/img/noscript.png></noscript>
        <svg width=40 height=40><image href=/img/svg.png width=40 height=40 /></svg>
        <img width=40 height=40 src="/img/query.png?a=1&amp;b=2">
        <img width=40 height=40 src="//cdn.example/protocol.png">
        <img width=40 height=40 src=relative.png><img width=40 height=40 src="../../up.
png"><img width=40 height=40 src=/drawing.svg>
        <iframe width=200 height=80 src=/frames/one.html></iframe>
        <iframe width=90 height=80 src=/frames/two.svg></iframe>
        <iframe width=90 height=80 srcdoc="<p>doc<img width=30 height=30 src=/img/srcdoc.png>"></iframe>
        <a href=http://live.example/ ping=http://ping.example/>A link</a></body></html>""".encode("windows-1251"),
    )
    return site, shown
