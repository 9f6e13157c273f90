"""What a scheduler takes of Scrapy's engine: it is held against the engine that is installed."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from scrapy.core.engine import _Slot
from scrapy.core.scheduler import BaseScheduler
from scrapy.utils.reactor import CallLaterOnce

from crawler.engine import EngineChanged, EngineSlot


def test_it_is_woken_and_does_not_close_while_a_page_is_under_way():
    calls: list[str] = []

    async def run() -> None:
        slot = _Slot(False, CallLaterOnce(calls.append, "next"), BaseScheduler())  # as Scrapy's engine makes it
        ours = EngineSlot(SimpleNamespace(_slot=slot))
        ours.wake()
        await asyncio.sleep(0.01)
        ours.enter("a page")
        assert not ours.closing
        closing = asyncio.create_task(slot.close())
        await asyncio.sleep(0.01)
        assert ours.closing
        assert not closing.done()
        ours.leave("a page")
        await closing

    asyncio.run(run())
    assert calls == ["next"]


def nothing(*_: Any) -> None:
    pass


@pytest.mark.parametrize("missing", ["closing", "nextcall", "add_request", "remove_request"])
def test_another_engine_is_refused(missing: str):
    slot = {"closing": None, "nextcall": SimpleNamespace(schedule=nothing)}
    slot |= {"add_request": nothing, "remove_request": nothing}
    del slot[missing]
    with pytest.raises(EngineChanged, match=rf"no longer has _slot\.{missing}.*: "):
        EngineSlot(SimpleNamespace(_slot=SimpleNamespace(**slot)))


def test_no_engine_is_refused():
    with pytest.raises(EngineChanged, match=r"no longer has _slot\.closing"):
        EngineSlot(None)
