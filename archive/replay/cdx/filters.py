"""Filters of a query: ``[!][=|~]field:text``.

Without a sign the field holds the text, ``=`` is equality, ``~`` a regular expression at the field's beginning, ``!``
the opposite; without a field it is about the whole line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import regex

_PATTERN_CHARACTERS = 1000
# A pattern that a stranger sends can take for ever, and nothing can stop Python's own engine meanwhile.
_PATTERN_S = 0.5


class FilterTooSlow(Exception):
    """A regular expression took too long on one line. Write it otherwise."""


@dataclass(frozen=True, slots=True)
class Filter:
    """*name* is the field's, empty for the whole line; *how* is ``=``, ``~`` or empty."""

    name: str
    how: str
    text: str
    opposite: bool = False
    _pattern: Any = field(default=None, repr=False, compare=False)

    @classmethod
    def parse(cls, text: str, named: Callable[[str], str]) -> Filter:
        """Raises ``ValueError``."""
        opposite = text.startswith("!")
        text = text[opposite:]
        how = text[:1] if text[:1] in {"=", "~"} else ""
        name, colon, wanted = text[len(how) :].partition(":")
        if not colon:
            name, wanted = "", name
        pattern = None
        if how == "~":
            if len(wanted) > _PATTERN_CHARACTERS:
                raise ValueError(f"a regular expression of more than {_PATTERN_CHARACTERS} characters")
            try:
                pattern = regex.compile(wanted)
            except (regex.error, OverflowError, RecursionError, MemoryError) as error:
                raise ValueError(f"no regular expression: {error}") from error
        return cls(named(name), how, wanted, opposite, pattern)

    def keeps(self, fields: Mapping[str, str], line: str) -> bool:
        """Tell whether a line with these *fields* stays. Raises ``FilterTooSlow``."""
        value = str(fields.get(self.name, "")) if self.name else line
        if self.how == "=":
            found = value == self.text
        elif self.how == "~":
            try:
                found = self._pattern.match(value, timeout=_PATTERN_S) is not None
            except TimeoutError as error:
                raise FilterTooSlow(f"the regular expression {self.text[:60]!r} takes too long") from error
        else:
            found = self.text in value
        return found != self.opposite
