"""``newswarc publishers``"""

from __future__ import annotations

import click

from crawler.cli.options import common
from crawler.cli.terminal import print_json, print_line
from crawler.config import Config
from crawler.publishers import publishers


@click.command("publishers")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a publisher.")
@common
def command(settings: Config, quiet: bool, as_json: bool) -> None:
    """The publishers known, with their rules and validity dates."""
    del settings, quiet
    for publisher in publishers():
        rules = [
            {
                "name": rule.name,
                "valid_from": rule.valid_from.isoformat() if rule.valid_from else None,
                "valid_to": rule.valid_to.isoformat() if rule.valid_to else None,
            }
            for rule in publisher.rules
        ]
        if as_json:
            print_json(
                {
                    "name": publisher.name,
                    "hosts": list(publisher.hosts),
                    "languages": list(publisher.languages),
                    "rules": rules,
                }
            )
            continue
        print_line(f"{publisher.name} ({', '.join(publisher.languages)}): {', '.join(publisher.hosts)}")
        for rule in rules:
            print_line(f"  {rule['name']}: {rule['valid_from'] or '…'} to {rule['valid_to'] or 'today'}")
