"""``newswarc demo``"""

from __future__ import annotations

import sys
from dataclasses import replace

import click

from crawler import config
from crawler.cli.options import common
from crawler.config import Config


@click.command("demo")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a page.")
@common
def command(settings: Config, quiet: bool, as_json: bool) -> int:
    """Serve a sample publication on this machine and archive it.

    Only its own loopback address is reached.
    """
    from crawler.cli.archive import archive_pages
    from crawler.demo import STORIES, served

    settings = replace(settings, allow_private=True, proxy=None)
    config.use(settings)
    with served() as base:
        urls = [base + story.path for story in STORIES]
        code = archive_pages(settings, urls, quiet=quiet, as_json=as_json)
    if not (quiet or as_json):
        where = "" if settings.archive == config.DEFAULT_ARCHIVE else f" --archive {settings.archive}"
        for words in ("articles ferry", f"show {urls[0]}", "verify"):
            sys.stderr.write(f"  newswarc {words}{where}\n")
    return code
