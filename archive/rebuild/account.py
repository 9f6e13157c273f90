"""What a rebuild tells of itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Damage:
    """A record, or a place in a file, that could not be taken in."""

    key: str
    offset: int
    message: str


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that was not as the WARC files say it should be. *what*: segment, manifest, merged, catalogue."""

    what: str
    name: str
    message: str


@dataclass(slots=True)
class Rebuilt:
    """What a rebuild read, what it could not read, and what it found, or made, different."""

    warcs: int = 0
    records: int = 0
    captures: int = 0
    articles: int = 0
    damage: list[Damage] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def lines(self) -> Iterator[str]:
        """Yield the account for a reader."""
        yield f"{self.warcs} WARC files, {self.records} records: {self.captures} captures, {self.articles} articles"
        for damage in self.damage:
            yield f"damaged: {damage.key} at {damage.offset}: {damage.message}"
        for difference in self.differences:
            yield f"{difference.what} {difference.name}: {difference.message}"
        if not self.differences:
            yield "nothing differed"
