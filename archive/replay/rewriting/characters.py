"""Character references in the values of attributes, as browsers read them, and as we write them."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from html.entities import html5

_REFERENCE = re.compile(r"&(?:#(?:[0-9]+|[xX][0-9a-fA-F]+);?|([a-zA-Z][a-zA-Z0-9]*+(?:;|(?!=))))")
_XML_REFERENCE = re.compile(r"&(?:#(?:[0-9]+|x[0-9a-fA-F]+)|([^\s&;#]+));")
_XML_NAMES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
MAX_EXPANDED = 100_000  # characters; entities that grow beyond are an attack, and browsers refuse them too


def decoded(value: str) -> str:
    """Return the value of an attribute in HTML as a browser has it (HTML Standard, 13.2.5.73).

    A name without its semicolon is none where a letter, a digit or an equals sign follows: ``?a=1&copy=2`` stays.
    """
    return _REFERENCE.sub(_named_or_number, value) if "&" in value else value


def _named_or_number(match: re.Match[str]) -> str:
    if match[1] is None:
        return html.unescape(match[0])
    return html5.get(match[1], match[0])


def xml_decoded(value: str, entities: Mapping[str, str]) -> str:
    """Return the value of an attribute in XML, with the *entities* that the document declares, already expanded."""
    if "&" not in value:
        return value
    if entities and value.count("&") * max(map(len, entities.values())) > 10 * MAX_EXPANDED:
        return value

    def replaced(match: re.Match[str]) -> str:
        if match[1] is None:
            return html.unescape(match[0])
        if match[1] in _XML_NAMES:
            return _XML_NAMES[match[1]]
        if match[1] in entities:
            return entities[match[1]]
        return html5.get(f"{match[1]};", match[0])

    return _XML_REFERENCE.sub(replaced, value)


def expanded(entities: Mapping[str, str]) -> dict[str, str]:
    """Return *entities* with those that they refer to put in; when all grow beyond ``MAX_EXPANDED``, as they stand."""
    known = dict(entities)
    for _ in range(len(known)):
        before = dict(known)
        for name, value in before.items():
            known[name] = xml_decoded(value, before) if "&" in value else value
            if sum(map(len, known.values())) > MAX_EXPANDED:
                return dict(entities)
        if known == before:
            break
    return known


def encoded(value: str, quote: str = '"') -> str:
    """Return *value* as it may stand between *quote* in HTML and XML."""
    value = value.replace("&", "&amp;").replace("<", "&lt;")
    return value.replace('"', "&quot;") if quote == '"' else value.replace("'", "&#39;")
