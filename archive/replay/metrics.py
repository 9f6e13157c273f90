"""What the server counts, for ``/metrics``."""

from __future__ import annotations

import re

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest

from archive.replay.asked import Request

_RAW = re.compile(r"(?:/frame/[^/]+)?/web/\d*id_/")


class Metrics:
    """Requests by listener, kind and status, and how long they took: up to the first byte of the answer."""

    TYPE = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "newswarc_replay_requests", "Requests answered", ["listener", "kind", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "newswarc_replay_seconds",
            "Seconds until an answer began",
            ["listener", "kind"],
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
            registry=self._registry,
        )
        self._known: dict[tuple[str, str, int], Counter] = {}
        self._timers: dict[tuple[str, str], Histogram] = {}

    def answered(self, listener: str, request: Request, status: int, seconds: float) -> None:
        kind = kind_of(request.target)
        counter = self._known.get((listener, kind, status))
        if counter is None:
            counter = self._known[listener, kind, status] = self._requests.labels(listener, kind, str(status))
        timer = self._timers.get((listener, kind))
        if timer is None:
            timer = self._timers[listener, kind] = self._seconds.labels(listener, kind)
        counter.inc()
        timer.observe(seconds)

    def text(self) -> bytes:
        return generate_latest(self._registry)


def kind_of(target: str) -> str:
    """Return what *target* is about, one of few words: a label must not grow with what strangers send."""
    if target.startswith("/web/timemap/"):
        return "timemap"
    if _RAW.match(target):
        return "raw"
    if target.startswith(("/web/", "/frame/")):
        return "replay"
    return "cdx" if target.startswith("/cdx") else "other"
