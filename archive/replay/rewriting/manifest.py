"""Manifests of web applications (W3C Web Application Manifest), and playlists of HTTP Live Streaming (RFC 8216)."""

from __future__ import annotations

import json
import re
from typing import Any

from archive.replay.rewriting.links import Links

# Members that hold an address, with how it is asked for; that of a service worker is no image, and never asked for.
_MEMBERS = {"start_url": "", "scope": "", "url": "", "action": "", "src": "im_", "manifest": "mf_"}
_ATTRIBUTE = re.compile(r'(\bURI=")([^"]*)(")')


def rewritten_manifest(text: str, links: Links) -> str:
    """Return the manifest with its addresses in the archive; what is no JSON object is given back unchanged."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if not isinstance(value, dict):
        return text
    try:
        return json.dumps(_led(value, links), ensure_ascii=False, indent=2)
    except RecursionError:
        return text


def _led(value: Any, links: Links) -> Any:
    if isinstance(value, list):
        return [_led(each, links) for each in value]
    if not isinstance(value, dict):
        return value
    led = {}
    for name, member in value.items():
        modifier = _MEMBERS.get(name)
        if isinstance(member, str) and modifier is not None:
            led[name] = links.to(member, modifier) or member
        else:
            led[name] = _led(member, links)
    return led


def rewritten_playlist(text: str, links: Links) -> str:
    """Return the playlist with its segments and keys in the archive."""
    return "\n".join(_line(line, links) for line in text.split("\n"))


def _line(line: str, links: Links) -> str:
    if line.startswith("#"):
        return _ATTRIBUTE.sub(lambda match: f"{match[1]}{links.to(match[2], 'oe_') or match[2]}{match[3]}", line)
    return (links.to(line, "oe_") or line) if line.strip() else line
