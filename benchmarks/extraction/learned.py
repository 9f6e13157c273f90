"""What is learned of a host: the time a page takes once its layout is known, beside trafilatura on the same pages.

    python benchmarks/extraction/learned.py FOLDER [--pages 3]

Of each page of a set a host is made: its other pages are the same page with the words of each paragraph in another
order, and another title and address, among the same furniture. A few are read to learn from; more are then timed.
Printed are the milliseconds of processor time a page, how many pages were read by their layout, and how many texts
differ from those read without it, but for lines that repeat.
"""

from __future__ import annotations

import argparse
import gc
import logging
import random
import statistics
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

import lxml.html  # noqa: E402 - found beside this file
from sets import Sample, load  # noqa: E402
from trafilatura import bare_extraction  # noqa: E402

from archive.extraction import Page, read  # noqa: E402
from archive.learning import SURE, Learning  # noqa: E402


def main() -> None:
    """Run the comparison that the command line asks for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pages", type=int, default=3, help="pages of each host that are timed")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    gc.freeze()
    ours, whole, theirs, by_layout, differ, known = [], [], [], 0, 0, 0
    for sample in load(options.folder):
        learning = Learning()
        for number in range(2 * SURE + 1):
            page = variant(sample, number)
            learning.add(page.url, read(page, (), learning.known(page.url)).seen)
        known += learning.known(sample.url).layout is not None
        for number in range(100, 100 + options.pages):
            page = variant(sample, number)
            learned = learning.known(page.url)
            found, took = timed(lambda page=page, learned=learned: read(page, (), learned))  # type: ignore[misc]
            ours.append(took)
            plain, took = timed(lambda page=page: read(page))  # type: ignore[misc]
            whole.append(took)
            theirs.append(timed(lambda page=page: bare_extraction(page.body, url=page.url, with_metadata=True))[1])  # type: ignore[misc]
            by_layout += found.seen is not None and not found.seen.whole
            left = [line for line in plain.article.text.split("\n\n") if line not in found.article.text]
            differ += bool(left) and not all(line in sample.html.decode("utf-8", "replace") for line in left)
    total = len(ours)
    print(f"{total} pages of {total // options.pages} hosts, of which {known} have a layout that is known")
    print(f"read by it {by_layout}, texts that differ {differ}")
    for name, times in (("learned", ours), ("not learned", whole), ("trafilatura", theirs)):
        print(f"{name:12} {statistics.mean(times) * 1e3:6.2f} ms a page, {sum(theirs) / sum(times):5.2f} x trafilatura")


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
