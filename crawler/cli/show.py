"""``newswarc show URL``"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from archive.capture import Capture, iso, parse_iso
from archive.codings import decode_content
from archive.errors import IndexDamaged, NotArchived, StorageError
from crawler.cli.options import common, open_archive
from crawler.cli.terminal import print_bytes, printable
from crawler.cli.times import Time
from crawler.config import Config

if TYPE_CHECKING:
    from archive.archive import Archive
    from archive.article import Article

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

    With --format raw the payload is written exactly as its digest covers it. Where the article's print version is
    archived too, it is named: in the JSON, and on standard error. The JSON names the article's other addresses and
    copies in same_as. An address that is not archived, but looks like another form of one that is, shows that one.
    """
    with open_archive(settings) as archive:
        if form == "raw":
            capture = _closest(archive, url, at or datetime.now(UTC), quiet=quiet)
            payload = archive.payload(capture)
            body = payload.body
            if decoded and payload.content_encoding:
                body = decode_content(body, payload.content_encoding, limit_bytes=DECODED_BYTES)
            print_bytes(body)
            return
        found = _article(archive, url, at)
        if found is None:
            captured = next(iter(archive.captures(url)), None)
            raise NotArchived(
                f"{url}: captured, but no article was found in it; see it with --format raw"
                if captured
                else f"{url}: not in {settings.archive}; archive it with: newswarc archive {url}"
            )
        article = found
        printed = _print_version(archive, article)
        same_as = archive.catalog.same_as(article) if form == "json" else []
    if not quiet:
        _tell_shown(url, article.url)
    from archive import formats

    if form == "json":
        value = {**article.to_json(), "print_version": printed and _named(printed)}
        value["same_as"] = [asdict(one) for one in same_as]
        print_bytes(f"{formats.to_json(value, indent=2)}\n".encode())
        return
    print_bytes(formats.render(article, form).encode())
    if printed and not quiet:
        click.echo(
            f"its print version, captured {iso(printed.captured_at)}: newswarc show --format raw"
            f" {printable(printed.url)}",
            err=True,
        )


def _article(archive: Archive, url: str, at: datetime | None) -> Article | None:
    from crawler.publishers import identity

    found = archive.catalog.article(url, at)
    if found is None and (known_as := identity(url)):
        found = archive.catalog.article(known_as, at)
    return found[0] if found else None


def _closest(archive: Archive, url: str, at: datetime, *, quiet: bool) -> Capture:
    """Return the capture of *url* nearest to *at*; of the article it is another form of when there is none.

    Captured bytes are found by the index: an archive whose catalogue cannot be used only lacks the second.
    """
    try:
        return archive.closest(url, at)
    except NotArchived:
        try:
            article = _article(archive, url, at)
        except (StorageError, IndexDamaged):
            article = None
        if article is None:
            raise
        if not quiet:
            _tell_shown(url, article.url)
        return archive.closest(article.url, at)


def _tell_shown(asked: str, shown: str) -> None:
    if asked.partition("#")[0] != shown:
        click.echo(f"this is {printable(shown)}", err=True)


def _print_version(archive: Archive, article: Article) -> Capture | None:
    """Return the capture of the article's print version that is nearest to the article's own."""
    from crawler.publishers import print_version

    addresses = filter(None, (print_version(url) for url in (article.url, article.canonical_url) if url))
    at = parse_iso(article.captured_at) if article.captured_at else datetime.now(UTC)
    found = (archive.catalog.nearest(address, at, status=200) for address in addresses)
    return next(filter(None, found), None)


def _named(capture: Capture) -> dict[str, str]:
    return {"url": capture.url, "captured_at": iso(capture.captured_at), "record_id": capture.record_id}
