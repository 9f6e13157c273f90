"""A publisher's file as a spider: what may stand in it, and what is said when something is wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest
from scrapy.crawler import Crawler
from scrapy.settings import Settings

from crawler.loading import PublicationLoader
from crawler.publication import ArgumentError, NotLoaded, Publication, host_with_port, load, site_of
from crawler.spider import PublicationSpider, spider_class

PUBLICATION = """
from crawler.publication import Publication

def kind_of(url):
    return "article"

PUBLICATION = Publication(hosts=("news.example",), kind_of=kind_of, home=("https://news.example/",))
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "others"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "daily.py").write_text(PUBLICATION)
    (folder / "empty.py").write_text("PUBLICATION = None\n")
    (folder / "plain.py").write_text("import scrapy\n\nclass Plain(scrapy.Spider):\n    name = 'plain'\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield folder
    for name in [name for name in sys.modules if name.partition(".")[0] == "others"]:
        del sys.modules[name]


def test_a_module_with_a_publication_is_a_spider_beside_scrapys_own(package: Path):
    loader = PublicationLoader(Settings({"SPIDER_MODULES": ["others"]}))
    assert loader.list() == ["daily", "empty", "plain"]
    spider = loader.load("daily")
    assert issubclass(spider, PublicationSpider)
    assert (spider.name, spider.__name__, spider.module) == ("daily", "DailySpider", "others.daily")
    assert not issubclass(loader.load("plain"), PublicationSpider)
    with pytest.raises(KeyError):
        loader.load("nobody")


def test_a_module_that_holds_none_is_named(package: Path):
    with pytest.raises(NotLoaded, match=r"others/empty\.py: TypeError: it holds no publication, but None"):
        load("others.empty")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("if", r"broken\.py, line 5: SyntaxError"),
        ("from nowhere import x", r"broken\.py, line 5: ModuleNotFoundError: No module named 'nowhere'"),
        ("1 / 0", r"broken\.py, line 5: ZeroDivisionError"),
        ("raise SystemExit(0)", r"broken\.py, line 5: SystemExit"),
    ],
)
def test_a_module_that_cannot_be_imported_stops_its_own_spider_alone(package: Path, line: str, said: str):
    (package / "broken.py").write_text(f"import scrapy\n\n\n\n{line}\n")
    (package / "torn.py").write_text(f"PUBLICATION = None\n\n\n\n{line}\n")
    loader = PublicationLoader(Settings({"SPIDER_MODULES": ["others"]}))
    assert {"broken", "daily", "plain", "torn"} < set(loader.list())
    assert loader.load("daily").name == "daily"
    with pytest.raises(NotLoaded, match=said):
        loader.load("broken")
    with pytest.raises(NotLoaded, match=said.replace("broken", "torn")):
        loader.load("torn")()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"hosts": ()}, "hosts is empty"),
        ({"hosts": "news.example"}, r'hosts=.news\.example.: it must be a tuple of texts, as \("news\.example",\)'),
        ({"hosts": ("https://news.example",)}, "hosts has 'https://news.example': write it as addresses have it"),
        ({"hosts": ("www.news.example",)}, "hosts has 'www.news.example'"),
        ({"hosts": ("News.example",)}, "hosts has 'News.example'"),
        ({"home": ["https://news.example/"]}, "home=.*must be a tuple"),
        ({"home": ("news.example",)}, "home has 'news.example': write the whole address, as https://news.example/"),
        ({"feeds": ("/rss.xml",)}, "feeds has '/rss.xml'"),
        ({"home": ()}, "there is nothing to begin with"),
        (
            {"hosts": ("news.example:8080",)},
            "https://news.example/ is on none of its hosts, which are news",
        ),
        ({"sections": ("https://other.example/",)}, r"https://other\.example/ is on none of its hosts"),
    ],
)
def test_a_publication_that_leads_nowhere_is_refused(change: dict[str, Any], said: str):
    right: dict[str, Any] = {
        "hosts": ("news.example",),
        "kind_of": lambda _: "page",
        "home": ("https://news.example/",),
    }
    Publication(**right)
    Publication(**{**right, "hosts": ("news.example:8080", "[::1]:80", "xn--e1afmkfd.example", "news.example")})
    with pytest.raises(ValueError, match=said):
        Publication(**{**right, **change})


def test_a_kind_of_address_that_there_is_none_of_is_named():
    publication = Publication(("news.example",), lambda _: "story", home=("https://news.example/",))  # type: ignore[arg-type, return-value]
    with pytest.raises(ValueError, match=r"kind_of\('https://news.example/1'\) gave 'story'; it may give article, "):
        publication.kind("https://news.example/1")


@pytest.mark.parametrize(
    ("name", "gives", "said"),
    [
        ("kind_of", "1 / 0", "ZeroDivisionError: division by zero"),
        ("kind_of", "'story'", "gave 'story'; it may give"),
        ("period_of", "1 / 0", "ZeroDivisionError: division by zero"),
        (
            "period_of",
            "datetime.date(2026, 1, 1)",
            r"gave datetime.*; it may give a first and a last day",
        ),
    ],
)
def test_what_its_functions_do_wrong_is_told_before_anything_is_asked_for(
    package: Path, name: str, gives: str, said: str
):
    wrong = f"import datetime\n\ndef {name}(url):\n    return {gives}\n\n"
    made = PUBLICATION.replace("PUBLICATION = ", wrong + "PUBLICATION = ").replace(
        "kind_of=kind_of", "kind_of=kind_of, period_of=period_of" if name == "period_of" else "kind_of=kind_of"
    )
    (package / "wrong.py").write_text(made)
    with pytest.raises(NotLoaded, match=rf"others/wrong\.py.*{said}") as caught:
        load("others.wrong")
    if gives == "1 / 0":
        assert "wrong.py, line 10: " in str(caught.value)


def test_arguments_that_a_publication_does_not_take_are_named(package: Path):
    (package / "city.py").write_text(f"{PUBLICATION}\ndef publication(city):\n    return PUBLICATION\n")
    assert load("others.city", {"city": "x"}).hosts == ("news.example",)
    with pytest.raises(ArgumentError, match="spider city: missing a required argument: 'city'; it takes city=…"):
        load("others.city", {})
    with pytest.raises(ArgumentError, match="spider city: got an unexpected keyword argument 'town'"):
        load("others.city", {"city": "x", "town": "y"})


def test_arguments_that_a_spider_does_not_take_are_named(package: Path):
    with pytest.raises(ArgumentError, match="spider daily takes no argument of its own; it was given city"):
        load("others.daily", {"city": "x"})


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"since": "yesterday"}, "since='yesterday' is no day"),
        ({"until": "2026-02-30"}, "until='2026-02-30' is no day"),
        ({"max_pages": "many"}, "max_pages='many' is no number"),
        ({"max_pages": "0"}, "must be 1 or more"),
        ({"since": "2026-11-02", "until": "2026-11-01"}, "since=2026-11-02 is after until=2026-11-01"),
    ],
)
def test_arguments_that_mean_nothing_are_named(package: Path, arguments: dict[str, str], said: str):
    spider = PublicationLoader(Settings({"SPIDER_MODULES": ["others"]})).load("daily")
    with pytest.raises(ArgumentError, match=said):
        spider(**arguments)


@pytest.mark.parametrize(
    ("start", "same"),
    [
        ("https://news.example", "https://news.example/"),
        ("https://News.example:443/", "https://news.example/"),
        ("https://a.example  https://b.example/x", "https://a.example/ https://b.example/x"),
    ],
)
def test_however_an_address_is_spelled_it_is_the_same_crawl(start: str, same: str):
    crawler = Crawler(spider_class("spiders.generic"), Settings())
    spiders = [crawler._create_spider(start=spelled) for spelled in (start, same)]
    assert [cast("PublicationSpider", spider).crawl_arguments for spider in spiders] == [{"start": same}] * 2


@pytest.mark.parametrize(
    ("url", "site"),
    [
        ("https://News.example/a", "news.example"),
        ("https://news.example:443/a", "news.example"),
        ("http://news.example:443/a", "news.example:443"),
        ("http://user:secret@news.example:80/", "news.example"),
        ("http://[::1]:8080/", "[::1]:8080"),
        ("http://[::1/", ""),
        ("mailto:a@b.example", ""),
    ],
)
def test_site(url: str, site: str):
    assert site_of(url) == site


def test_hosts_are_spelled_without_www():
    assert host_with_port("https://www.news.example:8443/") == "news.example:8443"


@pytest.mark.parametrize("module", ["spiders.generic", "spiders.moscow_times", "crawler.leads"])
def test_the_workers_load_it_without_scrapy(module: str):
    program = f"import sys, {module}; print('scrapy' in sys.modules, 'twisted' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False False\n"
