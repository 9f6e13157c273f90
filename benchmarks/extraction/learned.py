"""What is learned of a host: the time a page takes once its layout is known, beside trafilatura on the same pages.

    python benchmarks/extraction/learned.py FOLDER [--pages 3]

Of each page of a set a host is made: its other pages are the same page with the words of each paragraph in another
order, and another title and address, among the same furniture. Fifteen are read to learn from; more are then timed.
Printed are the milliseconds of processor time a page, for pages that were read by their layout and for the others, and
how many articles differ from those read without a layout.
"""

from __future__ import annotations

import argparse
import gc
import logging
import random
import statistics
import sys
import time
from collections import defaultdict
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

import lxml.html  # noqa: E402 - found beside this file
from sets import Sample, load  # noqa: E402
from trafilatura import bare_extraction  # noqa: E402

from archive.extraction import Page, read  # noqa: E402
from archive.extraction.learned import Learned  # noqa: E402
from archive.learning import SURE, Learning  # noqa: E402


def main() -> None:
    """Run the comparison that the command line asks for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pages", type=int, default=3, help="pages of each host that are timed")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    gc.freeze()
    spent: dict[bool, dict[str, list[float]]] = {True: defaultdict(list), False: defaultdict(list)}
    differ = 0
    for sample in load(options.folder):
        learning = Learning()
        for number in range(3 * SURE):
            page = variant(sample, number)
            learning.add(page.url, read(page, (), learning.known(page.url)).seen)
        known = learning.known(sample.url)
        for number in range(100, 100 + options.pages):
            page = variant(sample, number)
            found, ours = timed(lambda page=page, known=known: read(page, (), known))  # type: ignore[misc]
            whole, unlearned = timed(lambda page=page, known=known: read(page, (), Learned(known.repeated)))  # type: ignore[misc]
            _, theirs = timed(lambda page=page: bare_extraction(page.body, url=page.url, with_metadata=True))  # type: ignore[misc]
            times = spent[found.seen is not None and not found.seen.whole]
            times["learned"].append(ours)
            times["not learned"].append(unlearned)
            times["trafilatura"].append(theirs)
            found.article.extractor.learned = whole.article.extractor.learned
            differ += found.article != whole.article
    for known_layout, times in spent.items():
        if times:
            print(f"{len(times['learned'])} pages {'read by their layout' if known_layout else 'read whole'}")
        for name, seconds in times.items():
            ratio = sum(times["trafilatura"]) / sum(seconds)
            print(f"  {name:12} {statistics.mean(seconds) * 1e3:6.2f} ms a page, {ratio:5.2f} x trafilatura")
    print(f"{differ} articles differ from those read without a layout")


def variant(sample: Sample, number: int) -> Page:
    """Return a page like the sample's, with other words in its title and paragraphs and another address."""
    words = random.Random(number)
    tree = lxml.html.document_fromstring(sample.html)
    for paragraph in tree.iter("p", "h1"):
        for element in paragraph.iter():
            if element.text and len(element.text.split()) > 2:
                element.text = " ".join(shuffled(element.text, words))
            if element is not paragraph and element.tail and len(element.tail.split()) > 2:
                element.tail = " ".join(shuffled(element.tail, words))
    url = f"{sample.url.split('?')[0].rstrip('/') or 'https://news.example/a'}-{number}"
    return Page(lxml.html.tostring(tree, encoding="utf-8"), url, "text/html; charset=utf-8", sample.captured_at)


def shuffled(text: str, words: random.Random) -> list[str]:
    """Return the words of a text in another order; the last keeps its place, and its full stop."""
    *front, last = text.split()
    words.shuffle(front)
    return [*front, last]


def timed(call):  # type: ignore[no-untyped-def] # a result of any type, and seconds
    """Return what *call* returns and the processor's seconds it took."""
    began = time.process_time()
    result = call()
    return result, time.process_time() - began


if __name__ == "__main__":
    main()
