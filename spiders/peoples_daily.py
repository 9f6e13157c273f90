"""人民网 (People's Daily Online), China: its own system, a host for each section.

* An article is ``/n1/YYYY/MMDD/c<channel>-<number>.html``; the number is its identity.
* Pages are of GB 2312 and say neither their language nor, but for the day, when they were published: the line under the
  headline does, in Beijing time. Before 2020 that line and the text have names of their own.
* Whoever edited the page signs under the text and is not its author, who is named over it.
* Keywords are parted by blanks.
"""

from __future__ import annotations

import re

from archive.elements import boxes, classed, found, meta, text_of
from archive.rules import PageRules, PageView, Publisher
from crawler.patterns import Addresses
from crawler.publication import Publication

CHANNELS = "politics world society finance opinion military edu culture sports health theory cpc".split()  # noqa: SIM905
HOSTS = ("people.com.cn", "people.cn", *(f"{name}.people.com.cn" for name in CHANNELS))
ADDRESSES = Addresses(
    article=re.compile(r"/n\d?/(?P<year>\d{4})/(?P<month>\d{2})(?P<day>\d{2})/c\d+-(?P<id>\d+)(?:-\d+)?\.html$"),
    section=re.compile(r"^/(?:GB/)?(?:\d+/)*(?:index\d*\.html)?$"),
    never=re.compile(r"^/(?:login|search|bbs)"),
)
SHOWN_TIME = re.compile(r"(\d{4})年(\d{1,2})月(\d{1,2})日\s*(\d{1,2}):(\d{2})")
BYLINE = re.compile(r"^(?:人民网|本报)?(?:记者|作者)?[：:\s]*")  # noqa: RUF001 - as it is printed


def authors(view: PageView) -> list[str]:
    """Return the names over the text, which follow the words for reporter or author."""
    lines = [text_of(line) for line in classed(view.article, "author")]
    names = [name for line in lines for name in re.split(r"[、，\s]+", BYLINE.sub("", line))]  # noqa: RUF001
    return [name for name in dict.fromkeys(names) if name]


def published(view: PageView) -> str | None:
    """Return the time under the headline, which is Beijing's."""
    for line in classed(view.article, "channel", "box01"):
        if shown := SHOWN_TIME.search(text_of(line)):
            year, month, day, hour, minute = map(int, shown.groups())
            return f"{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:00+08:00"
    return None


def section(view: PageView) -> str | None:
    """Return the second step of the path over the page."""
    steps = found(view.root, "//*[@id='rwb_navpath']//a")
    return text_of(steps[1]) or None if len(steps) > 1 else None


def tags(view: PageView) -> list[str]:
    """Return the keywords, which blanks part."""
    return list(dict.fromkeys(word for content in meta(view, "keywords") for word in content.split()))


def language(_view: PageView) -> str:
    """Return the language that no page names."""
    return "zh-CN"


PUBLISHER = Publisher(
    name="人民网",
    hosts=HOSTS,
    languages=("zh-CN",),
    rules=(
        PageRules(
            name="peoples_daily/2013",
            publisher="人民网",
            hosts=HOSTS,
            article_id=ADDRESSES.article_id,
            authors=authors,
            published=published,
            section=section,
            tags=tags,
            language=language,
            body=boxes("rm_txt_con", "box_con"),
            drop=boxes("edit", "paper_num", "bza", "zdfy", "box_pic"),
        ),
    ),
)
PUBLICATION = Publication(
    publisher=PUBLISHER,
    hosts=HOSTS,
    kind_of=ADDRESSES.kind_of,
    home=("http://www.people.com.cn/",),
    feeds=tuple(f"http://www.people.com.cn/rss/{name}.xml" for name in ("politics", "society", "world", "ywkx")),
    sitemaps=("http://www.people.cn/sitemap_index.xml",),
    sections=tuple(f"http://{name}.people.com.cn/" for name in CHANNELS),
    period_of=ADDRESSES.period_of,
)
