"""What goes to standard error: one line a message, whatever a page or server put into it."""

from __future__ import annotations

import io
import logging

import pytest

from crawler.cli import options


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Return what the command's logging writes to; the loggers are put back afterwards."""
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", root.handlers[:])
    monkeypatch.setattr(root, "level", root.level)
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    options.start_logging(quiet=False, verbose=False)
    return stream


def test_a_message_cannot_forge_a_line_or_command_the_terminal(told: io.StringIO):
    logging.getLogger("a").error("%s", "evil\nnewswarc: all done\r\x1b[31m\u202e")
    assert told.getvalue() == "newswarc: evil\\nnewswarc: all done\\r\\x1b[31m\\u202e\n"


def test_a_traceback_keeps_its_lines_and_forges_none(told: io.StringIO):
    try:
        raise ValueError("evil\nnewswarc: all done\x1b[31m")
    except ValueError:
        logging.getLogger("a").exception("failed")
    lines = told.getvalue().splitlines()
    assert lines[:2] == ["newswarc: failed", "  Traceback (most recent call last):"]
    assert lines[-2:] == ["  ValueError: evil", "  newswarc: all done\\x1b[31m"]
