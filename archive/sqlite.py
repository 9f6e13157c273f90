"""SQLite files of ours: how they are opened, written to, and what their errors mean."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from archive.errors import REBUILD, DiskFull, IndexDamaged, StorageRefused, StorageUnavailable
from archive.files import is_full

SHARED_FILE_BYTES = 32 << 10  # the least size of the -shm file (SQLite, "WAL-mode file format", 2)
BUSY_S = 60.0  # how long to wait while another process writes


@contextlib.contextmanager
def translated(path: Path, what: str = "the catalogue", remedy: str = REBUILD) -> Iterator[None]:
    """Say what SQLite's errors mean for whoever uses the file at *path*, which is *what*; *remedy* heals damage.

    Raises ``DiskFull``, ``StorageRefused``, ``StorageUnavailable``, or ``IndexDamaged``.
    """
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        # For the file it shares with other processes SQLite needs 32 KiB, and calls it an I/O error to have none.
        if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _is_full(path)):
            raise DiskFull(f"{path}: no room for {what}: {error}") from error
        if code in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH}:
            raise StorageRefused(f"{path}: {what} cannot be opened for writing: {error}") from error
        if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR}:
            raise StorageUnavailable(f"{path}: {what} cannot be used now: {error}") from error
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.ProgrammingError):
            raise IndexDamaged(str(path), str(error), remedy) from error
        raise
    except OSError as error:
        if is_full(error):
            raise DiskFull(f"{path}: no room for {what}: {error}") from error
        if isinstance(error, PermissionError):
            raise StorageRefused(f"{path}: {what} cannot be opened for writing: {error}") from error
        raise StorageUnavailable(f"{path}: {what} cannot be used now: {error}") from error


def _is_full(path: Path) -> bool:
    try:
        return shutil.disk_usage(path.parent).free < SHARED_FILE_BYTES
    except OSError:
        return False


@contextlib.contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """One writer at a time; all of it or nothing."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


@contextlib.contextmanager
def snapshot(db: sqlite3.Connection) -> Iterator[None]:
    """Let several look-ups see one state of the file, whatever others write meanwhile."""
    db.execute("BEGIN")
    try:
        yield
    finally:
        db.execute("ROLLBACK")


def version(db: sqlite3.Connection) -> int:
    """Return the file's own number of its schema, 0 for an empty file."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def create(db: sqlite3.Connection, tables: str, schema: int) -> None:
    """Make *tables* in an empty file and give it the number *schema*; nothing when another process was quicker."""
    with transaction(db):
        if version(db) == 0:
            execute(db, tables)
            db.execute(f"PRAGMA user_version = {schema}")


def execute(db: sqlite3.Connection, script: str) -> None:
    """Execute the statements of *script* within the transaction that is open."""
    for statement in _statements(script):
        db.execute(statement)


def _statements(script: str) -> Iterator[str]:
    """Split *script*: ``executescript`` would end the transaction."""
    gathered = ""
    for line in script.splitlines(keepends=True):
        gathered += line
        if sqlite3.complete_statement(gathered):
            yield gathered
            gathered = ""


def write_ahead(db: sqlite3.Connection) -> None:
    """Let readers go on while one writes. The change of mode does not wait for others by itself."""
    deadline = time.monotonic() + BUSY_S
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
