"""``newswarc replay``"""

from __future__ import annotations

import webbrowser
from urllib.parse import urlsplit

import click

from archive.errors import LocationError
from crawler.cli.options import common, open_archive
from crawler.config import Config, ConfigError

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@click.command("replay")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="Port of the library.")
@click.option(
    "--pages-port", type=click.IntRange(0, 65535), help="Port of the replayed pages. Default: the one after --port."
)
@click.option("--scripts", is_flag=True, help="Let archived scripts run, in their sandbox.")
@click.option("--open", "open_browser", is_flag=True, help="Open it in the browser.")
@common
def command(
    settings: Config, quiet: bool, host: str, port: int, pages_port: int | None, scripts: bool, open_browser: bool
) -> None:
    """The archive in a browser, and for Memento clients and CDX queries.

    Replayed pages come from a second listener under another host name (localhost, where the library is at 127.0.0.1),
    so that nothing in them reaches the library or another page. For other machines, name both by the settings
    replay.public_url and replay.pages_url, and set a proxy before them.
    """
    from archive.replay.serving import listening, serve
    from archive.replay.site import Options, Site

    public_url, pages_url = settings.replay.public_url, settings.replay.pages_url
    if bool(public_url) != bool(pages_url):
        raise ConfigError("replay.public_url and replay.pages_url belong together: two host names of one archive")
    if not public_url and host not in _LOOPBACK:
        raise ConfigError(
            f"--host {host}: others would not reach replayed pages at localhost; set replay.public_url and"
            " replay.pages_url, two host names that lead here"
        )
    with open_archive(settings) as archive:
        bound_library = listening(host.replace("localhost", "127.0.0.1"), port)
        actual = bound_library.getsockname()[1]
        wanted = pages_port if pages_port is not None else actual + 1 if port and actual < 65535 else 0
        bound_pages = listening(host.replace("localhost", "127.0.0.1"), wanted)
        options = Options(
            public_url or f"http://{'[::1]' if ':' in host else '127.0.0.1'}:{actual}",
            pages_url or f"http://localhost:{bound_pages.getsockname()[1]}",
            scripts,
        )
        check_names(options.public_url, options.pages_url)
        site = Site(archive, options)

        def ready() -> None:
            if not quiet:
                where = f"{options.public_url}/ (pages: {options.pages_url})"
                click.echo(f"{archive.storage.location} at {where}; Ctrl-C ends it", err=True)
            if open_browser:
                webbrowser.open(f"{options.public_url}/")

        try:
            serve(site, bound_library, bound_pages, ready=ready)
        finally:
            site.close()


def check_names(public_url: str, pages_url: str) -> None:
    """Refuse names that would put replayed pages on the library's own host."""
    for name, url in (("replay.public_url", public_url), ("replay.pages_url", pages_url)):
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path or parts.query or parts.fragment:
            raise ConfigError(f"{name} is {url!r}; expected an origin such as https://archive.example, without a path")
    if urlsplit(public_url).hostname == urlsplit(pages_url).hostname:
        raise LocationError(
            f"replay.public_url and replay.pages_url are both on {urlsplit(public_url).hostname}: replayed pages"
            " need a host name of their own"
        )
