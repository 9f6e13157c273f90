"""File systems of a test's own, small or read-only, seen only by the commands that are run in their namespace."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.command import Command


@dataclass
class InsideCommand(Command):
    """The command in a mount namespace, in its folder as it is seen there."""

    prefix: list[str] = field(default_factory=list)

    @property
    def arguments(self) -> list[str]:
        return [*self.prefix, *super().arguments]


@dataclass
class Namespace:
    """A mount namespace that lives as long as its keeper, a waiting process."""

    keeper: subprocess.Popen[bytes]
    enter: list[str]

    def run(self, *command: str) -> None:
        subprocess.run([*self.enter, *command], check=True)

    def path(self, path: Path) -> Path:
        """Return *path* inside the namespace as this process reaches it."""
        return Path(f"/proc/{self.keeper.pid}/root{path}")

    def command(self, folder: Path) -> InsideCommand:
        # Entering a namespace leaves the working directory where it was, below the mounts: it is entered anew.
        return InsideCommand(folder, prefix=[*self.enter, "sh", "-c", 'cd "$0" && exec "$@"', str(folder)])


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[Namespace]:
    """Mount an empty file system in memory on *folder*, with *options* of mount; skips where that is not permitted."""
    if shutil.which("unshare") is None or shutil.which("nsenter") is None:
        pytest.skip("no unshare and nsenter; apt-get install util-linux")
    root = os.geteuid() == 0
    script = 'mount -t tmpfs "$@" none "$0" && echo mounted && exec cat'
    keeper = subprocess.Popen(
        ["unshare", *([] if root else ["--map-root-user"]), "--mount", "sh", "-c", script, str(folder), *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert keeper.stdin is not None
    assert keeper.stdout is not None
    assert keeper.stderr is not None
    try:
        if keeper.stdout.readline() != b"mounted\n":
            pytest.skip(f"mounting is not permitted here: {keeper.stderr.read().decode().strip()}")
        user = [] if root else ["--user", "--preserve-credentials"]
        yield Namespace(keeper, ["nsenter", "--target", str(keeper.pid), "--mount", *user, "--"])
    finally:
        keeper.stdin.close()
        keeper.wait()
        keeper.stdout.close()
        keeper.stderr.close()
