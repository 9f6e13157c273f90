"""``newswarc show URL``"""

from __future__ import annotations

from datetime import UTC, datetime

import click

from archive.codings import decode_content
from archive.errors import NotArchived
from crawler.cli.options import common, open_archive
from crawler.cli.terminal import print_bytes
from crawler.cli.times import Time
from crawler.config import Config

DECODED_BYTES = 1 << 30  # what is shown, not kept, may be large


@click.command("show")
@click.argument("url")
@click.option("--at", type=Time(), help="The capture nearest to that time. Default: the latest.")
@click.option(
    "--format", "form", type=click.Choice(["md", "txt", "json", "html", "raw"]), default="md", show_default=True
)
@click.option("--decoded", is_flag=True, help="With raw: content coding (gzip, br, …) removed.")
@common
def command(settings: Config, quiet: bool, url: str, at: datetime | None, form: str, decoded: bool) -> None:
    """One article, or the captured bytes.

    With --format raw the payload is written exactly as its digest covers it.
    """
    del quiet
    with open_archive(settings) as archive:
        if form == "raw":
            capture = archive.closest(url, at or datetime.now(UTC))
            payload = archive.payload(capture)
            body = payload.body
            if decoded and payload.content_encoding:
                body = decode_content(body, payload.content_encoding, limit_bytes=DECODED_BYTES)
            print_bytes(body)
            return
        found = archive.catalog.article(url, at)
        if found is None:
            captured = next(iter(archive.captures(url)), None)
            raise NotArchived(
                f"{url}: captured, but no article was found in it; see it with --format raw"
                if captured
                else f"{url}: not in {settings.archive}; archive it with: newswarc archive {url}"
            )
        article, _ = found
    from archive import formats

    print_bytes(formats.render(article, form).encode())
