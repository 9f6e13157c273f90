"""What a scheduler needs of Scrapy's engine and is not offered: to wake it, and to hold it until all pages ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class EngineChanged(Exception):
    """Scrapy's engine is not as it must be; the message names what is missing. Nothing was fetched."""


class EngineSlot:
    """The slot of Scrapy's *engine*: a private class, so that all that is known of it stands here.

    Raises ``EngineChanged`` when it is another.
    """

    def __init__(self, engine: Any) -> None:
        slot = getattr(engine, "_slot", None)
        if not hasattr(slot, "closing"):
            raise EngineChanged("Scrapy's engine no longer has _slot.closing: pages would be begun while it closes")
        self._slot: Any = slot
        self._schedule: Callable[[], Any] = _method(slot, "nextcall.schedule", "a scheduler could not wake it")
        left = "it would close while pages are under way"
        self._add: Callable[[object], Any] = _method(slot, "add_request", left)
        self._remove: Callable[[object], Any] = _method(slot, "remove_request", left)

    @property
    def closing(self) -> bool:
        """Whether the run is being ended: nothing new is to be begun."""
        return self._slot.closing is not None

    def wake(self) -> None:
        """Have the engine ask its scheduler soon, and see whether it is done.

        By itself it does so when an answer has come to a request of its own, or after five seconds.
        """
        self._schedule()

    def enter(self, token: object) -> None:
        """Keep the engine from closing until *token* has left, as a request does that is under way."""
        self._add(token)

    def leave(self, token: object) -> None:
        self._remove(token)


def _method(slot: object, path: str, consequence: str) -> Callable[..., Any]:
    found: Any = slot
    for name in path.split("."):
        found = getattr(found, name, None)
    if not callable(found):
        raise EngineChanged(f"Scrapy's engine no longer has _slot.{path}: {consequence}")
    method: Callable[..., Any] = found
    return method
