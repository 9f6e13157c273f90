"""The tokens of HTML that matter to rewriting, after the states of the HTML Standard's tokenizer (13.2.5).

``DULL`` passes over all that stays as it is, in one match however long that is: text, comments, declarations, end
tags, and start tags none of whose attributes could refer to anything. ``TAG`` matches what it stopped at. Both match
each character once. Where neither matches, the text ends inside a tag or a comment, and a browser drops the rest.

In SVG and MathML other rules hold: ``style``, ``script`` and ``title`` hold markup, CDATA sections are text, and some
tags end it. So does what may stand in HTML inside of them; ``FOREIGN`` says which is which.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_WS = r"\t\n\f\r "
_NAME = rf"[^{_WS}/>][^{_WS}/>=]*+"  # an equals sign that comes first is part of the name
_VALUE = rf"""(?:[{_WS}]*+=[{_WS}]*+(?:"[^"]*+"|'[^']*+'|[^{_WS}>"'][^{_WS}>]*+|(?=>))|(?![{_WS}]*+=))"""
_END = rf"(?=[{_WS}/>])"

RAW_TEXT = {"script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes"}


def _one_of(names: Iterable[str]) -> str:
    """Return a pattern for any of *names* that looks at each letter of the text once."""
    by_letter: dict[str, list[str]] = {}
    for name in sorted(set(names)):
        by_letter.setdefault(name[:1], []).append(name[1:])
    branches = [re.escape(letter) + _one_of(rest) for letter, rest in by_letter.items() if letter]
    return f"(?:{'|'.join(branches)}){'?+' if '' in by_letter else ''}" if branches else ""


# Attributes that may refer to something, whatever they stand on; archive.replay.rewriting.attributes has the rules.
_REFER = """
    href xlink:href src srcset imagesrcset poster data background longdesc cite action formaction codebase archive
    classid manifest profile dynsrc lowsrc icon pluginspage ping attributionsrc integrity crossorigin download csp
    referrerpolicy srcdoc http-equiv charset"""
# These do only if their value holds an address, which most do not.
_STYLED = "style fill stroke filter clip-path mask marker marker-start marker-mid marker-end cursor"
STYLED = frozenset(_STYLED.split())
_HOLDS = r"(?:url|image|src|import|progid|[\\&])"
_INTERESTING = (
    rf"(?:{_one_of(_REFER.split())}(?=[{_WS}/>=])"
    rf"|{_one_of(STYLED)}[{_WS}]*+=[{_WS}]*+"
    rf"""(?:"[^"]*?{_HOLDS}|'[^']*?{_HOLDS}|[^"'{_WS}>][^{_WS}>]*?{_HOLDS}|{_HOLDS})"""
    rf"""|(?:form)?target[{_WS}]*+=[{_WS}]*+["']?+[{_WS}]*+[_&]"""
    rf"""|name[{_WS}]*+=[{_WS}]*+["']?+[{_WS}]*+referrer)"""
)
_DULL_ATTRIBUTES = rf"(?:[{_WS}/]++|(?!{_INTERESTING}){_NAME}{_VALUE})*+"
_ATTRIBUTES = rf"(?:[{_WS}/]++|{_NAME}{_VALUE})*+"

ANIMATIONS = frozenset({"animate", "animatecolor", "animatemotion", "animatetransform", "set"})
_SPECIAL = ANIMATIONS | {"base", "param", "noscript", "plaintext", "svg", "math"}
INTEGRATION = {
    "svg": {"foreignobject", "desc", "title"},
    "math": {"mi", "mo", "mn", "ms", "mtext", "annotation-xml"},
}
# What ends SVG and MathML when it stands directly in them (13.2.6.5).
_BREAKOUT = """
    b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img li listing menu meta
    nobr ol p pre ruby s small span strong strike sub sup table tt u ul var"""
BREAKOUT = frozenset(_BREAKOUT.split())
_FOREIGN_SPECIAL = {"svg", "math", "style", "font", *ANIMATIONS, *BREAKOUT}.union(*INTEGRATION.values())
_FOREIGN_ENDS = {"svg", "math", "br", "p"}.union(*INTEGRATION.values())


def _dull(special: set[str], ends: set[str], declaration: str) -> re.Pattern[str]:
    starts, ended = _one_of(special), _one_of(ends)
    return re.compile(
        rf"""(?:[^<]++
        |<(?!{starts}{_END})[a-z][^{_WS}/>]*+{_DULL_ATTRIBUTES}>
        |</(?!{ended}{_END})[a-z][^{_WS}/>]*+{_ATTRIBUTES}>
        |<!--(?:-?+>|(?:[^-]++|-(?!->|-!>))*+--!?+>)
        |{declaration}
        |<\?[^>]*+>
        |</(?![a-z])[^>]*+>
        |<(?![a-z/!?]))*+""".replace("\n        ", ""),
        re.IGNORECASE | re.ASCII | re.DOTALL,
    )


_PLAIN_SPECIAL = {*RAW_TEXT, *_SPECIAL}
DULL = _dull(
    _PLAIN_SPECIAL, {"foreignobject", "desc", "title", *INTEGRATION["math"], "svg", "math"}, r"<!(?!--)[^>]*+>"
)
DULL_FOREIGN = _dull(
    _FOREIGN_SPECIAL,
    _FOREIGN_ENDS,
    r"<!\[CDATA\[(?:[^\]]++|\](?!\]>))*+\]\]>|<!(?!--|\[CDATA\[)[^>]*+>",
)
TAG = re.compile(
    rf"<(?P<end>/)?(?P<name>[a-z][^{_WS}/>]*+)(?P<attributes>{_ATTRIBUTES})>", re.IGNORECASE | re.ASCII | re.DOTALL
)
ATTRIBUTE = re.compile(
    rf"""([^{_WS}/>][^{_WS}/>=]*+)(?:[{_WS}]*+=[{_WS}]*+(?:"([^"]*+)"|'([^']*+)'|([^{_WS}>"'][^{_WS}>]*+)|(?=>)))?+"""
)
# Where a script of ours goes: behind what may stand before the head's content.
BEFORE_CONTENT = re.compile(
    rf"""(?:[{_WS}]++|<!--(?:-?+>|(?:[^-]++|-(?!->|-!>))*+--!?+>)|<!(?!--)[^>]*+>|<\?[^>]*+>
    |<(?:html|head){_END}{_ATTRIBUTES}>)*+""".replace("\n    ", ""),
    re.IGNORECASE | re.ASCII | re.DOTALL,
)
_RAW_END = {name: re.compile(rf"</{name}{_END}", re.IGNORECASE | re.ASCII) for name in [*RAW_TEXT, "noscript"]}
_SCRIPT = re.compile(rf"<(?:!--|(/)script{_END})", re.IGNORECASE | re.ASCII)
_ESCAPED_SCRIPT = re.compile(rf"<!--|-->|<(/?)script{_END}", re.IGNORECASE | re.ASCII)


def raw_text_end(text: str, name: str, position: int) -> int:
    """Return where the content of a raw text element ends that begins at *position*; at the end, if nowhere before."""
    if name == "script":
        return _script_end(text, position)
    found = _RAW_END[name].search(text, position)
    return found.start() if found else len(text)


def _script_end(text: str, position: int) -> int:
    """As 13.2.5.15 to 31: in ``<!--`` a ``<script>`` hides the next ``</script>``."""
    escaped = doubly = False
    while found := (_ESCAPED_SCRIPT if escaped else _SCRIPT).search(text, position):
        position = found.end()
        if found[0] == "<!--":
            escaped = True
            position -= 2  # its dashes may be those of -->
        elif found[0] == "-->":
            escaped = doubly = False
        elif found[1] and not doubly:
            return found.start()
        elif escaped:
            doubly = not found[1]
    return len(text)
