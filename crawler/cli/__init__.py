"""The command line. Each command lives in a module of its own, imported only when it is run."""

from __future__ import annotations

import importlib
import logging
import sys
import traceback
from pathlib import Path

import click

from crawler.cli.terminal import hang_up, occupy_standard_streams
from crawler.exit_codes import ExitCode

# command → module in this package; the help line stands here so that `newswarc --help` imports none of them
COMMANDS = {
    "archive": "Archive pages now, with what they need to be shown again.",
    "crawl": "Run one spider into the archive; interrupted, the same command goes on.",
    "jobs": "Scheduled crawls: run them now, when due, or stay and run them on time.",
    "extract": "Articles out of pages or WARC files, without archiving.",
    "articles": "Search the archive's articles; newest first without a query.",
    "show": "One article, or the captured bytes.",
    "report": "What a crawl did: in words, as JSON, or as a page with pictures.",
    "replay": "The archive in a browser, and for Memento clients and CDX queries.",
    "verify": "Check WARC files and WACZ packages, or the whole archive.",
    "index": "Rebuild or merge index and catalogue.",
    "import": "WARC and WACZ files of other tools into the archive, articles extracted.",
    "export": "A part of the archive to hand on, as WACZ, WARC, tables or texts.",
    "publishers": "The publishers known, with their spiders, rules and validity dates.",
    "demo": "Serve a sample publication on this machine and archive it.",
}


class _Commands(click.Group):
    """A group that knows its commands by name and imports one when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module = importlib.import_module(f"crawler.cli.{'importing' if name == 'import' else name}")
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="newswarc")
@click.option("--allow-private", is_flag=True, help="Let it connect to loopback and private addresses.")
@click.pass_context
def newswarc(ctx: click.Context, allow_private: bool) -> None:
    """Archive news: every exchange byte for byte in WARC files, every article extracted."""
    ctx.obj = {"allow_private": True} if allow_private else {}


def main() -> None:
    """Run the command line and exit with a code of ``ExitCode``."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command; return its exit code. Every error ends in one line on standard error."""
    occupy_standard_streams()
    try:
        result = newswarc.main(arguments, prog_name="newswarc", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except (click.Abort, KeyboardInterrupt):
        _say("interrupted; what was captured is kept, run the same command again to go on")
        return ExitCode.INTERRUPTED
    except click.exceptions.NoArgsIsHelpError as error:
        sys.stderr.write(error.format_message() + "\n")
        return ExitCode.USAGE
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        hint = f" (see '{context.command_path} --help')" if context else ""
        _say(error.format_message() + hint)
        return ExitCode.USAGE
    except BrokenPipeError:
        hang_up()  # who reads us has had enough
        return ExitCode.DONE
    except SystemExit as end:
        if Path(traceback.extract_tb(end.__traceback__)[-1].filename).parent == Path(click.__file__).parent:
            hang_up()  # of a BrokenPipeError click makes this
            return ExitCode.DONE
        _say(f"something that was loaded ended the program with sys.exit({end.code!r}); what was captured is kept")
        return ExitCode.BUG
    except Exception as error:  # noqa: BLE001 - the outermost edge: each error becomes a line and an exit code
        return _explain(error)
    return int(result) if isinstance(result, int) else ExitCode.DONE


def _explain(error: Exception) -> int:
    code = code_of(error)
    if code == ExitCode.BUG:
        _say(f"unexpected {type(error).__name__}: {error}. This is a bug; what was captured is kept.")
        sys.stderr.write("".join(traceback.format_exception(error)))
        return code
    _say(str(error))
    if logging.getLogger().isEnabledFor(logging.DEBUG):
        sys.stderr.write("".join(traceback.format_exception(error)))
    return code


def code_of(error: BaseException) -> ExitCode:
    """Return the exit code of a command that *error* ended."""
    from archive.access import AccessError
    from archive.errors import (
        DiskFull,
        ExtractionFailed,
        HttpError,
        IndexDamaged,
        LocationError,
        NotArchived,
        RecordError,
        StorageError,
        WorkersUnavailable,
    )
    from archive.export.output import NotWritable
    from archive.parquet import ParquetMissing
    from crawler.config import ConfigError
    from crawler.frontier import FrontierBusy
    from crawler.jobs.running import JobBusy
    from crawler.publication import ArgumentError, NotLoaded

    match error:
        case (
            ConfigError()
            | ArgumentError()
            | NotLoaded()
            | FrontierBusy()
            | JobBusy()
            | LocationError()
            | AccessError()
            | ParquetMissing()
            | WorkersUnavailable()
            | NotWritable()
        ):
            return ExitCode.USAGE
        case DiskFull():
            return ExitCode.DISK_FULL
        case StorageError():
            return ExitCode.STORAGE
        case NotArchived() | HttpError() | ExtractionFailed():
            return ExitCode.SOME_FAILED
        case RecordError() | IndexDamaged():
            return ExitCode.DAMAGE
        case _:
            return ExitCode.BUG


def _say(line: str) -> None:
    from crawler.cli.terminal import printable

    sys.stderr.write(f"newswarc: {printable(line)}\n")
