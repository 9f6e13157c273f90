"""``newswarc archive URL…`` with name servers of a test's own, to be run as a process of its own: ``-m tests.guarded``.

``public.test`` stands for any public site: it is at ``PUBLIC_ADDRESS``, the one address exempted from judgement. All
else is as in the command, without ``--allow-private``. Prints a JSON object a URL, then one of statistics.
"""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Sequence

from scrapy.crawler import Crawler

from crawler import config
from crawler.addresses import CACHE_S, Guard
from crawler.handlers import WireDownloadHandler
from crawler.results import PageResult
from crawler.run import run_spider

PUBLIC_ADDRESS = "127.0.0.9"  # a loopback address too, but not the one that must never be reached

_ANSWERS = {
    "public.test": [PUBLIC_ADDRESS],
    "rebound.test": [PUBLIC_ADDRESS, "127.0.0.1"],  # one after the other
    "inside.test": ["127.0.0.1"],
    "inside-v6.test": ["::1"],
}
_asked = {name: itertools.chain(answers, itertools.repeat(answers[-1])) for name, answers in _ANSWERS.items()}


async def resolve(name: str) -> Sequence[str]:
    if name == "mixed.test":
        return [PUBLIC_ADDRESS, "127.0.0.1"]
    if name in ("localhost", "localhost.localdomain", "ip6-localhost"):
        return ["127.0.0.1", "::1"]
    if name not in _asked:
        raise OSError(f"{name}: no such name")
    return [next(_asked[name])]


class Handler(WireDownloadHandler):
    """Asks the name servers above; what it has learnt from them is out of date the next moment."""

    @classmethod
    def guard(cls, crawler: Crawler) -> Guard:
        moments = itertools.count(step=CACHE_S + 1)
        assert not crawler.settings.getbool("NEWSWARC_ALLOW_PRIVATE")
        return Guard(False, resolve, exempt=frozenset({PUBLIC_ADDRESS}), clock=lambda: next(moments))


def main() -> None:
    config.use(config.load())

    def print_result(result: PageResult, _store_failed: bool) -> None:
        print(json.dumps(result.to_json()), flush=True)

    finished = run_spider(
        "pages",
        settings={
            "NEWSWARC_ROBOTS": "ignore",
            "DOWNLOAD_HANDLERS": {
                **dict.fromkeys(("http", "https"), "tests.guarded.Handler"),
                **dict.fromkeys(("file", "data", "ftp", "s3")),
            },
        },
        arguments={"urls": sys.stdin.read().split("\n")},
        on_item=print_result,
    )
    if finished.error is not None:
        raise finished.error
    print(json.dumps({name: value for name, value in finished.stats.items() if isinstance(value, int)}))


if __name__ == "__main__":
    main()
