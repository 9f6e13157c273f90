"""The README says what the code does: its tables are held against it, both ways."""

from __future__ import annotations

import re
from pathlib import Path

import click

from crawler.cli import COMMANDS, newswarc
from crawler.config import SETTINGS, Setting
from crawler.exit_codes import ExitCode

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def table(heading: str) -> list[list[str]]:
    """Return the rows of the table under *heading*, without its head."""
    section = README.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows[2:]]


def written(setting: Setting) -> list[str]:
    default = (
        ""
        if setting.default is None
        else f"`{str(setting.default).lower() if setting.kind is bool else setting.default}`"
    )
    return [f"`{setting.key}`", default, f"`{setting.environment}`" if setting.environment else "", setting.meaning]


def test_every_command_is_in_the_table_and_the_reverse() -> None:
    named = [re.match(r"`newswarc (\w+)", row[0]) for row in table("Commands")]
    assert [match[1] for match in named if match] == list(COMMANDS)


def test_every_option_in_the_table_exists() -> None:
    context = click.Context(newswarc)
    for row in table("Commands"):
        name = row[0].split()[1].strip("`")
        command = newswarc.get_command(context, name)
        assert command is not None
        parts = list(command.commands.values()) if isinstance(command, click.Group) else [command]
        parameters = [parameter for part in parts for parameter in part.params]
        known = {option for parameter in parameters for option in [*parameter.opts, *parameter.secondary_opts]}
        named = set(re.findall(r"--[a-z-]+", row[1]))
        assert named <= known, name
        unnamed = known - named - {"--archive", "--config", "--allow-private", "--quiet", "--verbose", "--json"}
        assert not {option for option in unnamed if option.startswith("--")} - {"--requisites"}, name


def test_the_help_line_of_each_command_is_its_own() -> None:
    context = click.Context(newswarc)
    for name, line in COMMANDS.items():
        command = newswarc.get_command(context, name)
        assert command is not None
        assert (command.help or "").splitlines()[0].startswith(line.rstrip(".")), name


def test_every_exit_code_is_in_the_table() -> None:
    assert table("Exit codes") == [[str(int(code)), code.meaning] for code in ExitCode]


def test_every_setting_is_in_the_table() -> None:
    assert table("Settings") == [written(setting) for setting in SETTINGS]
