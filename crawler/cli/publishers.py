"""``newswarc publishers``"""

from __future__ import annotations

import click

from crawler.cli.options import common
from crawler.cli.terminal import print_json, print_line
from crawler.config import Config
from crawler.publishers import publication_modules, publishers_by_module


@click.command("publishers")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a publisher.")
@common
def command(settings: Config, quiet: bool, as_json: bool) -> None:
    """The publishers known, with their spiders, rules and validity dates."""
    del settings, quiet
    spiders = {module: module.rpartition(".")[2] for module in publication_modules()}
    for module, publisher in publishers_by_module():
        spider = spiders.pop(module, None)
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
                    "spider": spider,
                    "hosts": list(publisher.hosts),
                    "languages": list(publisher.languages),
                    "rules": rules,
                }
            )
            continue
        print_line(f"{publisher.name} ({', '.join(publisher.languages)}): {', '.join(publisher.hosts)}")
        if spider:
            print_line(f"  newswarc crawl {spider}")
        for rule in rules:
            print_line(f"  {rule['name']}: {rule['valid_from'] or '…'} to {rule['valid_to'] or 'today'}")
    if not as_json:
        for spider in spiders.values():
            print_line(f"without rules of its own: newswarc crawl {spider}")
