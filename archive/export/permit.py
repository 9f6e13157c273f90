"""The one place where it is asked whether a capture may leave the archive."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from archive.access import Access, rules_of
from archive.archive import Archive
from archive.capture import Capture

_rules: WeakKeyDictionary[Archive, Access] = WeakKeyDictionary()  # read once an archive: an export is of one moment


def may_go_out(archive: Archive, capture: Capture) -> bool:
    """Tell whether *capture* may be handed on: every export asks this of every capture, articles of theirs included.

    Raises ``AccessError`` when the archive's rules of access cannot be understood: nothing goes out then.
    """
    rules = _rules.get(archive)
    if rules is None:
        rules = _rules[archive] = rules_of(archive.storage)
    return rules.verdict(capture.url, capture.captured_at).shown
