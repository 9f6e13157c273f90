"""What is done with each attribute of an element, in HTML and in XML.

The page stays as it was. Addresses lead into the archive, and what would harm the replay is set aside under another
name (``data-archived-integrity``), so that it can still be read:

- ``integrity``: style sheets are rewritten and have other digests; ``crossorigin``: it asks for what only the live
  host could answer; ``ping``, ``attributionsrc``: reports to somebody; ``csp`` of frames; ``download``: a sandboxed
  page may not save, and without it the link leads to what was to be saved; ``referrerpolicy``, also that of a meta
  element: the archive learns by the referrer for which page something is missing, and nobody else is asked;
- ``href`` of ``base``: all addresses are made absolute with it, so nothing is left for it to do;
- ``rel`` of a link that only warms up connections or fetches what comes next; ``http-equiv`` of a meta element with a
  policy, which names hosts that are not ours;
- ``target``: ``_top``, ``_parent``, ``_blank`` become ``_self``: a sandboxed page may leave its frame by none of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from archive.replay.rewriting.css import rewritten_css
from archive.replay.rewriting.links import Links
from archive.replay.rewriting.markup import ANIMATIONS, STYLED

Attributes = Mapping[str, str]

ASIDE = "\0aside"  # no value, but the sign that the attribute is set aside
ASIDE_PREFIX = "data-archived-"

# Elements that the HTML Standard, older versions of it, SVG or browsers gave the attribute to; "" is any other.
_MODIFIERS: dict[str, dict[str, str]] = {
    "href": {
        "image": "im_",
        "use": "im_",
        "feimage": "im_",
        "script": "js_",
        **dict.fromkeys(("lineargradient", "radialgradient", "pattern", "filter", "mpath", "textpath"), "im_"),
    },
    "src": {
        **dict.fromkeys(("img", "image", "input"), "im_"),
        **dict.fromkeys(("embed", "audio", "video", "source", "track", "bgsound"), "oe_"),
        "script": "js_",
        **dict.fromkeys(("iframe", "frame", "portal", "fencedframe"), "if_"),
    },
    "poster": {"": "im_"},
    "background": {"": "im_"},
    "lowsrc": {"": "im_"},
    "icon": {"": "im_"},
    "dynsrc": {"": "oe_"},
    "data": {"": "oe_"},
    "classid": {"": "oe_"},
    "codebase": {},
    "longdesc": {},
    "cite": {},
    "action": {},
    "formaction": {},
    "manifest": {"": "mf_"},
    "pluginspage": {},
}
_ONLY_ON = {"data": {"object"}, "manifest": {"html"}, "icon": {"menuitem", "command"}, "classid": {"object"}}
_PRELOADED = {
    "image": "im_",
    "style": "cs_",
    "script": "js_",
    "document": "if_",
    **dict.fromkeys(("font", "audio", "video", "track", "embed", "object"), "oe_"),
}
_AHEAD = {"dns-prefetch", "preconnect", "prefetch", "prerender", "subresource", "compression-dictionary"}
_POLICIES = {"content-security-policy", "content-security-policy-report-only", "x-dns-prefetch-control"}
_PLUGIN_PARAMETERS = {"movie", "src", "url", "data", "filename", "href", "source"}
_ANIMATED = {"href", "xlink:href"}
# HTML Standard, 4.2.5.3 (shared declarative refresh): a time, a separator, then maybe url= and maybe a quote.
_REFRESH = re.compile(
    r"""(?P<before>[\t\n\f\r ]*[\d.]+(?:[\t\n\f\r ]*[;,][\t\n\f\r ]*|[\t\n\f\r ]+)(?:url[\t\n\f\r ]*=[\t\n\f\r ]*)?)
    (?:"(?P<double>[^"]*)|'(?P<single>[^']*)|(?P<bare>[^"'].*))""",
    re.IGNORECASE | re.ASCII | re.DOTALL | re.VERBOSE,
)
_CHARSET = re.compile(r"charset[\t\n\f\r ]*=[\t\n\f\r ]*[\"']?[^\s;\"']+", re.IGNORECASE)


class Rules:
    """Changes the attributes of one document; *markup* rewrites a ``srcdoc``."""

    def __init__(self, links: Links, markup: Callable[[str], str]) -> None:
        self.links = links
        self.refresh: str | None = None  # where a meta refresh would lead, on the live web
        self._markup = markup
        self._based = False

    def changed(self, element: str, name: str, value: str, attributes: Attributes) -> str | None:
        """Return what is to stand in place of *value*, ``ASIDE``, or ``None`` to leave the attribute as it is.

        *element* and *name* are in lower case, *value* and those of *attributes* have their character references
        undone. *attributes* may be empty for elements other than those in :data:`NEED_ALL`.
        """
        if special := _BY_ELEMENT.get(element):
            answer = special(self, name, value, attributes)
            if answer is not NotImplemented:
                return answer  # type: ignore[return-value]
        if rule := _BY_NAME.get(name):
            return rule(self, element, value)
        if (modifiers := _MODIFIERS.get(name)) is not None and element in _ONLY_ON.get(name, {element}):
            return self.links.to(value, modifiers.get(element) or modifiers.get("", ""))
        return None

    # ---- attributes that mean the same on every element

    def _xlink(self, element: str, value: str) -> str | None:
        return self.links.to(value, _MODIFIERS["href"].get(element, ""))

    def _srcset(self, _: str, value: str) -> str | None:
        return self.links.srcset(value)

    def _style(self, _: str, value: str) -> str | None:
        text = rewritten_css(value, self.links)
        return text if text != value else None

    def _target(self, _: str, value: str) -> str | None:
        return "_self" if value.startswith("_") and value.lower() != "_self" else None

    def _aside(self, _: str, __: str) -> str | None:
        return ASIDE

    def _list(self, _: str, value: str) -> str | None:
        return self.links.several(value, "," if "," in value else " ", "")

    def _srcdoc(self, element: str, value: str) -> str | None:
        return self._markup(value) if element == "iframe" else None

    # ---- elements whose attributes depend on each other

    def _base_element(self, name: str, value: str, _: Attributes) -> object:
        if name != "href":
            return NotImplemented
        if not self._based:  # the first one counts (HTML Standard, 4.2.3)
            self._based = True
            self.links.set_base(value)
        return ASIDE

    def _link_element(self, name: str, value: str, attributes: Attributes) -> object:
        relations = attributes.get("rel", "").lower().split()
        if name == "rel":
            kept = [word for word in value.split() if word.lower() not in _AHEAD]
            return None if len(kept) == len(relations) else " ".join(kept) or ASIDE
        if name == "href":
            return self.links.to(value, _link_modifier(relations, attributes))
        return NotImplemented

    def _meta_element(self, name: str, value: str, attributes: Attributes) -> object:
        pragma = attributes.get("http-equiv", "").strip().lower()
        if name == "charset":
            return "utf-8"
        if (name == "http-equiv" and pragma in _POLICIES) or (name == "name" and value.strip().lower() == "referrer"):
            return ASIDE
        if name == "content" and pragma == "refresh":
            return self._refresh(value)
        if name == "content" and pragma == "content-type":
            return _CHARSET.sub("charset=utf-8", value)
        return None

    def _refresh(self, value: str) -> str | None:
        found = _REFRESH.match(value)
        if not found:
            return None
        group = found.lastgroup or "bare"
        target = self.links.to(found[group], "")
        if target is None:
            return None
        if self.refresh is None:
            self.refresh = self.links.address(found[group])
        return f"{found['before']}{target}"

    def _param_element(self, name: str, value: str, attributes: Attributes) -> object:
        if name == "value" and attributes.get("name", "").lower() in _PLUGIN_PARAMETERS:
            return self.links.to(value, "oe_")
        return None

    def _animation(self, name: str, value: str, attributes: Attributes) -> object:
        if attributes.get("attributename", "").strip().lower() in _ANIMATED and name in {"from", "to", "by", "values"}:
            return self.links.several(value, ";", "im_")
        return NotImplemented


def _link_modifier(relations: list[str], attributes: Attributes) -> str:
    if "stylesheet" in relations:
        return "cs_"
    if "manifest" in relations:
        return "mf_"
    if "modulepreload" in relations:
        return "js_"
    if "preload" in relations:
        return _PRELOADED.get(attributes.get("as", "").strip().lower(), "")
    return "im_" if any("icon" in word or word == "image_src" for word in relations) else ""


_BY_NAME: dict[str, Callable[[Rules, str, str], str | None]] = {
    "xlink:href": Rules._xlink,
    "srcset": Rules._srcset,
    "imagesrcset": Rules._srcset,
    "target": Rules._target,
    "formtarget": Rules._target,
    "archive": Rules._list,
    "profile": Rules._list,
    "srcdoc": Rules._srcdoc,
    **dict.fromkeys(STYLED, Rules._style),
    **dict.fromkeys(
        ("integrity", "crossorigin", "ping", "attributionsrc", "csp", "download", "referrerpolicy"), Rules._aside
    ),
}
_BY_ELEMENT: dict[str, Callable[[Rules, str, str, Attributes], object]] = {
    "base": Rules._base_element,
    "link": Rules._link_element,
    "meta": Rules._meta_element,
    "param": Rules._param_element,
    **dict.fromkeys(ANIMATIONS, Rules._animation),
}
NEED_ALL = frozenset(_BY_ELEMENT)
