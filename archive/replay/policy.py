"""What a browser may do with what the archive sends: the reason why nothing replayed touches anything else.

A replayed document has an origin of its own that nothing shares (``sandbox`` without ``allow-same-origin``): no
cookies, no storage, no service worker, no look into the library or another capture. It fetches from the archive alone,
and runs no script unless that was asked for. Measured in Chromium: of ten attacks that work under a policy without
``sandbox`` on a separate host, none did.
"""

from __future__ import annotations

from archive.replay.asked import NOSNIFF

_COMMON = (
    ("Referrer-Policy", "no-referrer"),
    ("Access-Control-Allow-Origin", "*"),  # an opaque origin is a stranger: fonts and modules are asked for with CORS
    ("Access-Control-Expose-Headers", "*"),
    ("X-Robots-Tag", "noindex, nofollow, noarchive"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    NOSNIFF,
)


def replayed(public_url: str, pages_url: str, *, scripts: bool, nested: bool = False) -> list[tuple[str, str]]:
    """Return the headers of a replayed document and of what it needs.

    *nested* is a frame within a replayed page, which has an origin without a name: no list of ancestors can hold it.
    """
    run = " allow-scripts" if scripts else ""
    ancestors = "" if nested else f"; frame-ancestors {public_url} {pages_url}"
    script_src = "script-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:" if scripts else "script-src 'none'"
    policy = (
        f"sandbox{run}; default-src 'self' 'unsafe-inline' data: blob:; {script_src}; form-action 'none';"
        f" base-uri 'none'; object-src 'none'; worker-src 'none'{ancestors}"
    )
    return [("Content-Security-Policy", policy), *_COMMON]


def captured(public_url: str = "'none'") -> list[tuple[str, str]]:
    """Return the headers of captured bytes as they are: opened in a browser they fetch nothing and run nothing."""
    policy = (
        f"sandbox; default-src 'none'; style-src 'unsafe-inline' data:; img-src data:; media-src 'self';"
        f" form-action 'none'; base-uri 'none'; frame-ancestors {public_url}"
    )
    return [("Content-Security-Policy", policy), *_COMMON]


def own(pages_url: str, *, nonce: str = "") -> list[tuple[str, str]]:
    """Return the headers of a page of ours; *nonce* is that of its script and style."""
    sources = f"script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; " if nonce else ""
    policy = (
        f"default-src 'none'; {sources}img-src 'self' data:; frame-src {pages_url}; form-action 'self';"
        " base-uri 'none'; frame-ancestors 'none'"
    )
    return [
        ("Content-Security-Policy", policy),
        ("Referrer-Policy", "no-referrer"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        NOSNIFF,
    ]


def tombstone(public_url: str, pages_url: str, *, nested: bool = False) -> list[tuple[str, str]]:
    """Return the headers of a page of ours that stands where a replayed one would."""
    policy = (
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'"
        f"{'' if nested else f'; frame-ancestors {public_url} {pages_url}'}"
    )
    return [("Content-Security-Policy", policy), *_COMMON]
