"""The command as its users run it: a process of its own, with nothing of this machine's configuration."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TIME_LIMIT_S = 180


def environment(home: Path, **more: str) -> dict[str, str]:
    """Return the environment of a user with an empty home: no settings, credentials or proxies of ours."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith(("NEWSWARC", "AWS_", "SCRAPY_")) and not name.lower().endswith("_proxy")
    }
    return {**kept, "HOME": str(home), "XDG_STATE_HOME": str(home / "state"), "PYTHONUNBUFFERED": "1", **more}


@contextmanager
def heeded(*numbers: signal.Signals) -> Iterator[None]:
    """See that processes started meanwhile heed these signals.

    Under nohup, or in the background of a shell, they would be ignored, as they should be.
    """
    before = {number: signal.signal(number, signal.SIG_DFL) for number in set(numbers)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@dataclass
class Ran:
    """What a run gave."""

    code: int
    out: bytes
    err: str
    rows: list[dict[str, Any]] = field(default_factory=list)  # of --json


@dataclass
class Command:
    """``newswarc`` in a folder of its own. *archive* is where it archives to, a directory in that folder by default."""

    folder: Path
    archive: str = "archive"
    variables: dict[str, str] = field(default_factory=lambda: {"NEWSWARC_ALLOW_PRIVATE": "1"})

    @property
    def arguments(self) -> list[str]:
        return [sys.executable, "-P", "-m", "crawler.cli"]  # -P: a folder named archive here is not our package

    @property
    def environment(self) -> dict[str, str]:
        return environment(self.folder, NEWSWARC_ARCHIVE=self.archive, **self.variables)

    @property
    def path(self) -> Path:
        return self.folder / self.archive

    def start(self, *arguments: str, **more: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*self.arguments, *arguments],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **more,
        )

    def run(self, *arguments: str, code: int | None = 0, stdin: bytes = b"") -> Ran:
        """Run it to its end; *code* is the exit code it must have, None when any will do."""
        done = subprocess.run(
            [*self.arguments, *arguments],
            cwd=self.folder,
            env=self.environment,
            input=stdin,
            capture_output=True,
            timeout=TIME_LIMIT_S,
            check=False,
        )
        ran = Ran(done.returncode, done.stdout, done.stderr.decode())
        assert code is None or ran.code == code, f"exit code {ran.code}, not {code}:\n{ran.err}\n{ran.out[-2000:]!r}"
        if "--json" in arguments:
            ran.rows = [json.loads(line) for line in ran.out.splitlines()]
        return ran
