"""Telling somebody: that a job failed, that a site was redesigned, that all is well again.

Each is told once, when it comes to be so, not in every run. What is to be told is written down with the end of the run
and struck out when it was told, so that it outlives the process; it is told by a thread of its own, so that no run
waits for it, and a command that hangs or an address that does not answer breaks nothing.
"""

from __future__ import annotations

import asyncio
import json
import logging
import queue
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from archive.capture import iso
from archive.errors import ArchiveError
from crawler.config import Config
from crawler.exit_codes import ExitCode
from crawler.jobs.definition import Alerts, Job
from crawler.jobs.ledger import Ledger, Run
from crawler.outcome import Outcome

log = logging.getLogger(__name__)

COMMAND_S = 60.0
WEBHOOK_S = 20.0
TRIES_AFTER_S = (0.0, 2.0, 10.0)
_ANSWER_BYTES = 1 << 16


def alert_of(
    job: Job, location: str, run: Run, outcome: Outcome, before: Run | None, now: datetime
) -> dict[str, Any] | None:
    """Return what is to be told of *run*, which ended with *outcome* after the run *before*; None when nothing is."""
    alerts = job.alerts
    if not alerts.command and not alerts.webhook:
        return None
    if outcome.code == ExitCode.INTERRUPTED and ExitCode.INTERRUPTED not in alerts.codes:
        return None  # somebody stopped it, and knows
    earlier = before.outcome if before is not None else None
    event = None
    if failed(alerts, outcome):
        if earlier is None or not failed(alerts, earlier) or earlier.code != outcome.code:
            event = "failure"
    elif outcome.drifts:
        if earlier is None or not set(_sites(outcome.drifts)) <= set(_sites(earlier.drifts)):
            event = "drift"
    elif earlier is not None and (failed(alerts, earlier) or earlier.drifts):
        event = "recovery"
    if event is None or event not in alerts.on:
        return None
    return {
        "event": event,
        "text": _text(event, job, outcome),  # what chat services show of it
        "job": job.name,
        "spider": job.spider,
        "archive": location,
        "moment": iso(run.moment),
        "started": iso(run.started) if run.started else None,
        "ended": iso(now),
        "exit_code": outcome.code,
        "pages": dict(outcome.pages),
        "articles": dict(outcome.articles),
        "pending": outcome.pending,
        "bytes": outcome.kept_bytes,
        "drifts": list(outcome.drifts),
        "error": outcome.error,
    }


def failed(alerts: Alerts, outcome: Outcome) -> bool:
    """Tell whether a run failed: by its exit code, by a signal, or because some pages failed and none was got."""
    if outcome.code in alerts.codes or outcome.code not in set(ExitCode):
        return True
    got = sum(outcome.pages.get(name, 0) for name in ("saved", "unchanged"))
    return outcome.code == ExitCode.SOME_FAILED and not got


def _sites(drifts: Sequence[str]) -> list[str]:
    return [drift.partition(": ")[0] for drift in drifts]


def _text(event: str, job: Job, outcome: Outcome) -> str:
    if event == "recovery":
        return f"newswarc: job {job.name} is well again"
    if event == "drift":
        return f"newswarc: job {job.name}: {'; '.join(outcome.drifts)}"
    meaning = next((code.meaning for code in ExitCode if code == outcome.code), "its process was killed")
    return f"newswarc: job {job.name} failed with {outcome.code}: {outcome.error or meaning}"


class Alerter:
    """Tells, in a thread of its own. :meth:`close` waits for what is left to tell, but not for long."""

    def __init__(self, settings: Config, *, tries_after_s: Sequence[float] = TRIES_AFTER_S) -> None:
        self.settings = settings
        self._tries_after_s = tries_after_s
        self._queue: queue.Queue[tuple[Ledger, int, Alerts, dict[str, Any]] | None] = queue.Queue()
        self._thread: threading.Thread | None = None

    def tell(self, ledger: Ledger, run: Run, alerts: Alerts) -> None:
        """Tell what is written down with *run*, if anything is; return at once."""
        if run.alert is None:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="newswarc-alerts", daemon=True)
            self._thread.start()
        self._queue.put((ledger, run.id, alerts, run.alert))

    def close(self, wait_s: float) -> None:
        """Wait for at most *wait_s*. What is not told then is told by the next process that has the job's ledger."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join(wait_s)

    def _work(self) -> None:
        while (item := self._queue.get()) is not None:
            ledger, run_id, alerts, alert = item
            try:
                if alerts.command:
                    self._try(alert, "its command", partial(run_command, alerts.command, alert))
                if alerts.webhook:
                    whom = f"the webhook at {urlsplit(alerts.webhook).hostname}"
                    self._try(alert, whom, partial(post, self.settings, alerts.webhook, alert))
                ledger.told(run_id)
            except ArchiveError as error:
                log.warning("that job %s was told of cannot be written down: %s", alert["job"], error)
            except Exception:
                log.exception("job %s: a bug in telling of it", alert["job"])

    def _try(self, alert: dict[str, Any], whom: str, tell: Callable[[], str | None]) -> None:
        problem = None
        for after_s in self._tries_after_s:
            time.sleep(after_s)
            problem = tell()
            if problem is None:
                return
        log.error("job %s: %s was not told of the %s: %s", alert["job"], whom, alert["event"], problem)


def run_command(command: Sequence[str], alert: dict[str, Any]) -> str | None:
    """Give *alert* as JSON to *command* on its standard input; return what went wrong, or None."""
    try:
        done = subprocess.run(  # noqa: S603 - it is the user's own, and no shell reads it
            list(command),
            input=json.dumps(alert).encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=COMMAND_S,
            start_new_session=True,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"{command[0]} did not end within {COMMAND_S:g} s"
    except (OSError, ValueError) as error:
        return f"{command[0]} cannot be run: {getattr(error, 'strerror', None) or error}"
    if done.returncode:
        return f"{command[0]} ended with {done.returncode}: {done.stderr[-500:].decode(errors='replace').strip()}"
    return None


def post(settings: Config, url: str, alert: dict[str, Any]) -> str | None:
    """Send *alert* as JSON to *url*, by the address guard's rules; return what went wrong, or None. No redirect is
    followed, and the address, which may be a secret, is not told."""
    from crawler.addresses import Guard  # noqa: PLC0415 - most processes have nothing to tell
    from crawler.wire import WireClient, WireError, WireOptions  # noqa: PLC0415

    body = json.dumps(alert).encode()
    fields = (
        (b"User-Agent", settings.full_user_agent.encode(errors="replace")),
        (b"Content-Type", b"application/json"),
        (b"Accept", b"*/*"),
        (b"Connection", b"close"),
    )
    guard = Guard(settings.allow_private)
    options = WireOptions(guard=guard, ca_file=settings.ca_file, trust_proxy=settings.trust_proxy)

    async def send() -> int | str:
        client = WireClient(options)
        try:
            exchange = await client.fetch(
                "POST",
                url,
                fields,
                body,
                timeout_s=WEBHOOK_S,
                max_bytes=_ANSWER_BYTES,
                proxy=settings.proxy_for(url),
            )
        finally:
            await client.close()
        with exchange.response as answer:
            return status_of(answer.read(0, 64))

    try:
        status = asyncio.run(send())
    except WireError as error:
        error.exchange.close()
        return str(error).replace(url, "its address")
    except (ValueError, ArchiveError) as error:
        return str(error).replace(url, "its address")
    return None if isinstance(status, int) and 200 <= status < 300 else f"it answered {status}"


def status_of(head: bytes) -> int | str:
    """Return the status in the first line of a response."""
    words = head.split(b" ", 2)
    return int(words[1][:3]) if len(words) > 1 and words[1][:3].isdigit() else "nothing that is HTTP"
