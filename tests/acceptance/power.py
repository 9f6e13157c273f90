"""What a power cut would leave of the files a process wrote, found out from the trace of its system calls.

The rules are POSIX's, not those of one file system: bytes of a file are safe once an ``fsync`` or ``fdatasync`` of that
file that began after they were written has returned; a name is safe once its directory was synced after the name was
given; a name that was taken away may be gone at once. A rename changes a safe name into the new one or not at all.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

TRACED = (
    "write,pwrite64,writev,pwritev,fsync,fdatasync,rename,renameat,renameat2,link,linkat,unlink,unlinkat,rmdir,"
    "ftruncate,truncate,openat,creat,mkdir,mkdirat,sendfile,copy_file_range"
)
STRACE = ["strace", "-f", "-y", "-qq", "-s", "8192", "-e", f"trace={TRACED}"]
SYNCS = ("fsync", "fdatasync")

_LINE = re.compile(r"(\d+) +(.*)")
_RESUMED = re.compile(r"<\.\.\. (\w+) resumed>(.*)")
_CALL = re.compile(r"(\w+)\((.*)\)\s+= (-?\d+)(?:<(.*)>)?.*", re.DOTALL)
_TEXT = re.compile(r'(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"((?:[^"\\]|\\.)*)"')
_DESCRIPTOR = re.compile(r"(\d+)<([^>]*)>")


@dataclass(eq=False)
class Inode:
    """The file made as the *number*-th: of its *size* bytes, the first *safe* ones survive."""

    number: int
    size: int = 0
    safe: int = 0
    syncing: dict[str, int] = field(default_factory=dict)  # thread → what its sync under way will make safe

    def write(self, offset: int, length: int) -> None:
        self.size = max(self.size, offset + length)
        self._unsafe_from(offset)

    def cut(self, size: int) -> None:
        self.size = size
        self._unsafe_from(size)

    def _unsafe_from(self, offset: int) -> None:
        self.safe = min(self.safe, offset)
        self.syncing = {thread: min(size, offset) for thread, size in self.syncing.items()}


@dataclass
class Disk:
    """The files below *root*, which is there from the beginning: as processes see them, and as they would survive."""

    root: str
    names: dict[str, Inode | None] = field(default_factory=dict)  # path → file, None for a directory
    safe: dict[str, Inode | None] = field(default_factory=dict)  # the same after a power cut
    made: int = 0  # files so far
    _syncing: dict[tuple[str, str], dict[str, Inode | None]] = field(default_factory=dict)

    def survives(self, path: str) -> bool:
        """Tell whether the name *path* is safe, and with it every directory it lies in."""
        return path == self.root or (path in self.safe and self.survives(path.rpartition("/")[0]))

    def surviving(self) -> dict[str, Inode]:
        """Return the files that a power cut would leave now, by path."""
        return {path: inode for path, inode in self.safe.items() if inode is not None and self.survives(path)}

    def _inside(self, directory: str) -> dict[str, Inode | None]:
        return {path: inode for path, inode in self.names.items() if path.rpartition("/")[0] == directory}

    def begin(self, call: Call) -> None:
        """Take note of a call that begins: what a sync covers was there before it."""
        if call.name in SYNCS:
            inode = self.names.get(call.path)
            if inode is not None:
                inode.syncing[call.thread] = inode.size
            else:
                self._syncing[call.thread, call.path] = self._inside(call.path)

    def end(self, call: Call) -> None:
        """Take in what a call did."""
        match call.name:
            case "fsync" | "fdatasync":
                self._synced(call)
            case "openat" | "creat" if "O_CREAT" in call.arguments or "O_TRUNC" in call.arguments:
                if call.opened not in self.names:
                    self.made += 1
                    self.names[call.opened] = Inode(self.made)
                elif "O_TRUNC" in call.arguments and (inode := self.names[call.opened]):
                    inode.cut(0)
            case "write" | "writev" | "sendfile" | "copy_file_range" | "pwrite64" | "pwritev":
                if inode := self.names.get(call.path):
                    offset = int(call.arguments.rpartition(",")[2]) if call.name.startswith("p") else inode.size
                    inode.write(offset, call.result)
            case "ftruncate":
                if inode := self.names.get(call.path):
                    inode.cut(int(call.arguments.rpartition(",")[2]))
            case "mkdir" | "mkdirat":
                self.names[call.paths[0]] = None
            case "link" | "linkat":
                self.names[call.paths[1]] = self.names[call.paths[0]]
            case "rename" | "renameat" | "renameat2":
                old, new = call.paths
                self.names[new] = self.names.pop(old)
            case "unlink" | "unlinkat" | "rmdir":
                for names in (self.names, self.safe, *self._syncing.values()):
                    names.pop(call.paths[0], None)

    def _synced(self, call: Call) -> None:
        inode = self.names.get(call.path)
        if inode is not None:
            inode.safe = max(inode.safe, inode.syncing.pop(call.thread))
            return
        then = self._syncing.pop((call.thread, call.path))
        for path in [path for path in self.safe if path.rpartition("/")[0] == call.path]:
            if path not in then:  # renamed before the sync began
                del self.safe[path]
        self.safe.update(then)


@dataclass(frozen=True)
class Call:
    """One system call. *path* is the file its descriptor stands for, *paths* the names it is given."""

    thread: str
    name: str
    arguments: str
    result: int
    opened: str
    root: str

    @property
    def path(self) -> str:
        found = _DESCRIPTOR.match(self.arguments)
        return found[2] if found else ""

    @property
    def descriptor(self) -> int:
        found = _DESCRIPTOR.match(self.arguments)
        return int(found[1]) if found else -1

    @property
    def paths(self) -> list[str]:
        return [str(Path(base or self.root, _text(name).decode())) for base, name in _TEXT.findall(self.arguments)]

    @property
    def touched(self) -> str:
        """The file that is opened, written to, or given or taken a name."""
        return self.opened or self.path or self.paths[0]

    @property
    def text(self) -> bytes:
        return b"".join(_text(text) for _, text in _TEXT.findall(self.arguments))


def _text(shown: str) -> bytes:
    found: bytes = ast.literal_eval(f'b"{shown}"')
    return found


def calls(lines: Iterable[str], root: str) -> Iterator[tuple[str, Call]]:
    """Yield each successful call twice, as ``"begin"`` and as ``"end"``, in the order in which it all happened."""
    joined = _joined(list(lines))
    for moment, text, thread in joined:
        found = _CALL.fullmatch(text)
        if found and int(found[3]) >= 0:
            name, arguments, result, opened = found.groups()
            yield moment, Call(thread, name, arguments, int(result), opened or "", root)


def _joined(lines: list[str]) -> Iterator[tuple[str, str, str]]:
    """Put together what the trace tells of one call on two lines, and yield it at the place of each."""
    whole: dict[int, str] = {}
    open_at: dict[str, int] = {}
    for number, line in enumerate(lines):
        thread, text = _LINE.fullmatch(line.rstrip("\n")).groups()  # type: ignore[union-attr]
        if text.endswith("<unfinished ...>"):
            open_at[thread] = number
            whole[number] = text.removesuffix("<unfinished ...>").rstrip()
        elif resumed := _RESUMED.fullmatch(text):
            begun = open_at.pop(thread)
            whole[begun] += resumed[2]
            whole[number] = whole[begun]
        else:
            whole[number] = text
    for number, line in enumerate(lines):
        thread, text = _LINE.fullmatch(line.rstrip("\n")).groups()  # type: ignore[union-attr]
        if not _RESUMED.fullmatch(text):
            yield "begin", whole[number], thread
        if not text.endswith("<unfinished ...>"):
            yield "end", whole[number], thread
