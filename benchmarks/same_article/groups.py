"""Generated articles through the catalogue and its groups: time, memory, and whether the groups are the right ones.

    python benchmarks/same_article/groups.py [--articles 100000] [--asked 2000]

Of a hundred articles 70 stand alone, and the rest are those with which groups go wrong: ten are an agency's text on as
many sites, each cut or added to; five are pages with their AMP forms; five name one and the same page as canonical; and
five are editions of a weekly template. Texts have some 450 words of 30,000, as unevenly used as in a language. Figures
go to ``docs/performance.md``.
"""

from __future__ import annotations

import argparse
import bisect
import itertools
import os
import random
import resource
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from archive.article import Article
from archive.catalog import Catalog, identity_of
from archive.catalog.copies import sketch
from archive.place import Place

AT_ONCE = 500  # as a rebuild enters them
WORDS = [f"{a}{b}{c}" for a, b, c in itertools.product("bcdfghjklmnprstvz", "aeiou", "bdfklmnprst")]
VOCABULARY = [f"{a}{b}" for a, b in itertools.islice(itertools.product(WORDS, WORDS), 0, 30_000 * 29, 29)]
CUMULATED = list(itertools.accumulate(1 / rank for rank in range(1, len(VOCABULARY) + 1)))

Entry = tuple[str, Article, Place]


def prose(rng: random.Random, words: int) -> str:
    places = (bisect.bisect(CUMULATED, rng.random() * CUMULATED[-1]) for _ in range(words))
    return " ".join(VOCABULARY[min(place, len(VOCABULARY) - 1)] for place in places)


def hundred(number: int) -> Iterator[tuple[str, Article]]:
    """Yield the articles of one hundred, each with the name of the group that it belongs to."""
    rng = random.Random(number)
    day = date(2020, 1, 1) + timedelta(days=number)

    def article(url: str, text: str, title: str, **more: str) -> Article:
        fields = {"title": title, "text": text, "published": more.pop("published", day.isoformat()), **more}
        return Article(url, captured_at=f"{day}T12:00:00.000000Z", **fields)  # type: ignore[arg-type]

    site = f"https://site-{number % 50}.example"
    for n in range(70):
        yield f"{number} {n}", article(f"{site}/{number}/{n}", prose(rng, rng.randint(100, 800)), prose(rng, 7))
    text, title = prose(rng, 500).split(), prose(rng, 7)
    for n in range(10):
        edited = " ".join([*prose(rng, rng.randint(0, 10)).split(), *text[: rng.randint(460, 500)]])
        yield f"{number} agency", article(f"https://paper-{n}.example/{number}", edited, title)
    for n in range(5):
        url, body, headline = f"{site}/{number}/both-{n}", prose(rng, 400), prose(rng, 7)
        yield f"{number} both {n}", article(url, body, headline)
        yield f"{number} both {n}", article(f"{url}/amp", body.rsplit(" ", 40)[0], headline, canonical_url=url)
    for n in range(5):
        url = f"{site}/{number}/named-{n}"
        yield f"{number} named {n}", article(url, prose(rng, 400), prose(rng, 7), canonical_url=f"{site}/{number}/0")
    lines = [prose(rng, 12) for _ in range(30)]
    for n in range(5):
        filled = " ".join(f"{line} {rng.randint(100, 999)}" for line in lines)
        yield (
            f"{number} edition {n}",
            article(f"{site}/{number}/week-{n}", filled, title, published=str(day + timedelta(weeks=n))),
        )


def entries(count: int) -> Iterator[tuple[str, Entry]]:
    found = itertools.chain.from_iterable(map(hundred, itertools.count()))
    for number, (name, article) in enumerate(itertools.islice(found, count)):
        article.record_id = f"<urn:uuid:{number}-response>"
        yield name, (f"<urn:uuid:{number}>", article, Place("articles/a.warc.gz", 1000 * number, 900))


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def milliseconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1e3


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--articles", type=int, default=100_000)
    parser.add_argument("--asked", type=int, default=2000)
    arguments = parser.parse_args()
    texts = [article.text for _, (_, article, _) in entries(500)]
    print(f"a sketch: {statistics.median(milliseconds(lambda text=text: sketch(text)) for text in texts):.2f} ms")
    names: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "catalog.sqlite"
        with Catalog(path) as catalog:
            print("| articles | entered/s | resident MB | file MB |\n| --- | --- | --- | --- |")
            done, spent, said = 0, 0.0, 0
            made = entries(arguments.articles)
            while some := list(itertools.islice(made, AT_ONCE)):
                names |= {identity_of(article): name for name, (_, article, _) in some}
                spent += milliseconds(lambda some=some: catalog.add([], [entry for _, entry in some])) / 1e3
                done += len(some)
                if done - said >= arguments.articles / 5:
                    size = sum(file.stat().st_size for file in Path(folder).iterdir()) / 1e6
                    print(
                        f"| {done:,} | {(done - said) / spent:,.0f} | {resident_mb():.0f} | {size:,.0f} |", flush=True
                    )
                    said, spent = done, 0.0
            ask(catalog, names, arguments.asked)
        with closing(sqlite3.connect(path)) as db:
            for table in ("claims", "bands"):
                print(f"{db.execute(f'SELECT count(*) FROM {table}').fetchone()[0]:,} rows in {table}")
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:.0f} MB")


def ask(catalog: Catalog, names: dict[str, str], count: int) -> None:
    """Ask for articles' groups, one by one and twenty at a time, and hold them against what they should be."""
    rng = random.Random(1)
    wanted: dict[str, set[str]] = {}
    for identity, name in names.items():
        wanted.setdefault(name, set()).add(f"https://{identity}")
    asked = rng.sample(sorted(names), min(count, len(names)))
    shown = [found[0] for identity in asked if (found := catalog.article(f"https://{identity}"))]
    took = sorted(milliseconds(lambda article=article: catalog.same_as(article)) for article in shown)
    median, most = statistics.median(took), took[len(took) * 99 // 100]
    print(f"show: {median:.2f} ms in the median, {most:.1f} ms at 99 %, {took[-1]:.0f} at most")
    took = [milliseconds(lambda: catalog.in_groups(catalog.articles(limit=20))) for _ in range(10)]
    plain = [milliseconds(lambda: catalog.articles(limit=20)) for _ in range(10)]
    print(f"twenty articles: {statistics.median(plain):.1f} ms, with their groups {statistics.median(took):.1f} ms")
    missed = wrong = pairs = 0
    for article in shown:
        own = wanted[names[identity_of(article)]] - {article.url}
        got = {one.url for one in catalog.same_as(article)}
        pairs, missed, wrong = pairs + len(own), missed + len(own - got), wrong + len(got - own)
    print(f"of {pairs:,} addresses that belong to those asked for {missed} were not found; {wrong} do not belong")


if __name__ == "__main__":
    main()
