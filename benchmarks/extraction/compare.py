"""Extractors compared on the same pages in one run: how near each field comes to the gold, and what it costs.

    python benchmarks/extraction/compare.py FOLDER… [--tools newswarc,trafilatura] [--rounds 3] [--misses FIELD]

FOLDER holds pages in a layout that ``sets.load`` knows. No publisher's rules are used. Tools that are not installed
are left out, and said so; ``pip install -r benchmarks/extraction/peers.txt`` brings them. The time is the processor's,
the median of the rounds, in which the tools take turns. ``--misses`` lists the pages whose field differs from the gold.
"""

from __future__ import annotations

import argparse
import gc
import logging
import statistics
import sys
import time
import warnings
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

import scores  # noqa: E402 - found beside this file
from sets import Sample, load  # noqa: E402
from tools import TOOLS, Found, Tool  # noqa: E402

LEAST_OF_LANGUAGE = 5  # pages; fewer are not told apart


def main() -> None:
    """Run the comparison that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--tools", default=",".join(TOOLS))
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--misses", choices=("title", "authors", "day", "minute", "topics", "text"))
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    tools = available(options.tools.split(","))
    for folder in options.folders:
        samples = load(folder)
        results, seconds = run(tools, samples, options.rounds)
        if any(sample.title is not None for sample in samples):
            fields(samples, results, seconds)
        else:
            bodies(samples, results, seconds)
        if options.misses:
            misses(samples, results, options.misses)


def available(names: Sequence[str]) -> dict[str, Tool]:
    """Return the tools that are installed, ready to run."""
    ready = {}
    for name in names:
        try:
            ready[name] = TOOLS[name]()
        except ImportError as error:
            print(f"{name} is left out: {error}", file=sys.stderr)
    return ready


def run(
    tools: dict[str, Tool], samples: Sequence[Sample], rounds: int
) -> tuple[dict[str, list[Found]], dict[str, float]]:
    """Return each tool's results, and its seconds of processor time a page; a page that fails gives nothing."""
    for tool in tools.values():  # parsers load tables and words with their first page
        with suppress(Exception):
            tool(samples[0])
    gc.freeze()  # what the tools have loaded is not looked through again for each page
    results: dict[str, list[Found]] = {}
    spent: dict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        for name, tool in tools.items():
            found = []
            began = time.process_time()
            for sample in samples:
                try:
                    found.append(tool(sample))
                except Exception as error:  # noqa: BLE001 - a peer's crash is a result of the comparison
                    print(f"{name}: {sample.name}: {error!r}", file=sys.stderr)
                    found.append(Found())
            spent[name].append((time.process_time() - began) / len(samples))
            results[name] = found
    return results, {name: statistics.median(times) for name, times in spent.items()}


def fields(samples: Sequence[Sample], results: dict[str, list[Found]], seconds: dict[str, float]) -> None:
    """Print the table of a set whose gold has fields."""
    print(f"{len(samples)} pages of {len({sample.publication for sample in samples})} publications\n")
    columns = ("body F1 mean", "median", "paragraphs", "title", "authors", "several", "day", "minute", "topics")
    print(f"{'':18}" + "".join(f"{column:>13}" for column in (*columns, "pages/s", "x trafilatura")))
    for name, found in results.items():
        pairs = list(zip(samples, found, strict=True))
        body = [scores.token_f1(f.text, s.text) for s, f in pairs]
        figures = [
            f"{statistics.mean(body):.4f}",
            f"{statistics.median(body):.4f}",
            f"{statistics.mean(scores.token_f1(f.text, s.paragraphs) for s, f in pairs):.4f}",
            _share(right(s, f, "title") for s, f in pairs if s.title is not None),
            _share(right(s, f, "authors") for s, f in pairs if s.authors is not None),
            _share(right(s, f, "authors") for s, f in pairs if s.authors is not None and len(s.authors) > 1),
            _share(right(s, f, "day") for s, f in pairs if s.published),
            _share(right(s, f, "minute") for s, f in pairs if s.published and has_minute(s)),
            f"{statistics.mean(scores.topics_f1(f.topics or [], s.topics) for s, f in pairs if s.topics):.3f}",
            f"{1 / seconds[name]:.0f}",
            f"{seconds['trafilatura'] / seconds[name]:.2f}" if "trafilatura" in seconds else "",
        ]
        print(f"{name:18}" + "".join(f"{figure:>13}" for figure in figures))
    by_language: dict[str, list[int]] = defaultdict(list)
    for position, sample in enumerate(samples):
        by_language[sample.language].append(position)
    print("\nbody F1 mean by language")
    for language, positions in sorted(by_language.items()):
        if len(positions) >= LEAST_OF_LANGUAGE:
            print(f"{language} ({len(positions)})".ljust(18), end="")
            for name, found in results.items():
                value = statistics.mean(scores.token_f1(found[at].text, samples[at].text) for at in positions)
                print(f"  {name} {value:.4f}", end="")
            print()


def bodies(samples: Sequence[Sample], results: dict[str, list[Found]], seconds: dict[str, float]) -> None:
    """Print the table of a set whose gold is texts alone, by the ScrapingHub benchmark's measure."""
    print(f"{len(samples)} pages\n")
    print(f"{'':18}{'F1':>13}{'precision':>13}{'recall':>13}{'exact':>13}{'pages/s':>13}{'x trafilatura':>15}")
    for name, found in results.items():
        pairs = list(zip(samples, found, strict=True))
        measured = scores.shingle_f1([scores.shingles(f.text, s.text) for s, f in pairs])
        exact = statistics.mean(scores.same_text(f.text, s.text) for s, f in pairs)
        ratio = f"{seconds['trafilatura'] / seconds[name]:.2f}" if "trafilatura" in seconds else ""
        numbers = "".join(f"{figure:13.4f}" for figure in (*measured, exact))
        print(f"{name:18}{numbers}{1 / seconds[name]:13.0f}{ratio:>15}")


def right(sample: Sample, found: Found, field: str) -> bool:
    """Tell whether a field of a page is the gold's."""
    if field == "title":
        return scores.same_title(found.title, sample.title or "")
    if field == "authors":
        return scores.same_people(found.authors or (), sample.authors or ())
    if field == "day":
        return scores.same_day(found.published, sample.published or "")
    return scores.same_minute(found.published, sample.published or "")


def has_minute(sample: Sample) -> bool:
    """Tell whether the gold has a time of day: midnight stands for none."""
    return "00:00:00" not in (sample.published or "")


def misses(samples: Sequence[Sample], results: dict[str, list[Found]], field: str) -> None:
    """Print what each tool found in place of the gold."""
    for name, found in results.items():
        print(f"\n{name}: {field}")
        for sample, result in zip(samples, found, strict=True):
            if field == "text":
                value = scores.token_f1(result.text, sample.text)
                if value < 0.97:
                    print(f"  {value:.3f} {sample.name}")
            elif field == "topics":
                if sample.topics and set(result.topics or ()) != set(sample.topics):
                    print(f"  {sample.name}: {result.topics} for {sample.topics}")
            elif getattr(
                sample, {"day": "published", "minute": "published"}.get(field, field)
            ) is not None and not right(sample, result, field):
                wanted = {"title": sample.title, "authors": sample.authors}.get(field, sample.published)
                given = {"title": result.title, "authors": result.authors}.get(field, result.published)
                print(f"  {sample.name}: {given!r} for {wanted!r}")


def _share(outcomes: Iterable[bool]) -> str:
    counted = list(outcomes)
    return f"{100 * sum(counted) / len(counted):.1f} %" if counted else "-"


if __name__ == "__main__":
    main()
