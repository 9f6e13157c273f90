"""One test over all publications: their stored pages give what is stored beside them, and every rule has its page."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import lxml.html
import pytest

from archive.charsets import decode
from archive.extraction import Page, extract
from archive.rules import PageRules, Publisher
from benchmarks.extraction import scores, sets
from crawler.publication import load
from crawler.publishers import publication_modules, publisher_modules
from tests.command import Command
from tests.spiders.cases import FIELDS, PAGES, Case, cases, read, shown
from tests.spiders.publication import with_noise

GOLD = Path(__file__).parents[2] / "../shared/data/extraction"
CASES = cases()
MODULES = [name.rpartition(".")[2] for name in publisher_modules()]
# What is said of addresses and of times of capture is tested with these.
NOT_OF_PAGES = {"name", "publisher", "hosts", "print_version", "valid_from", "valid_to"}
OF_PAGES = [f.name for f in fields(PageRules) if f.name not in NOT_OF_PAGES]


def publisher_of(module: str) -> Publisher:
    publisher: Publisher = importlib.import_module(f"spiders.{module}").PUBLISHER
    return publisher


@pytest.mark.parametrize("field", [*FIELDS, "rules"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_page_gives(case: Case, field: str):
    wanted = case.expected["rules"] if field == "rules" else case.expected["article"][field]
    assert read(case)[field] == wanted


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_is_whole(case: Case):
    assert set(case.expected) == {"url", "captured_at", "content_type", "rules", "article"}
    assert set(case.expected["article"]) == set(FIELDS)


@pytest.mark.parametrize("module", MODULES)
def test_every_publication_has_an_article_and_something_else(module: str):
    kinds = [case.expected["article"]["page_kind"] for case in CASES if case.module == module]
    assert "article" in kinds
    assert len(kinds) >= 2


def test_pages_are_of_publishers_that_are_known():
    assert {case.module for case in CASES} == set(MODULES)
    assert not [path.name for path in PAGES.iterdir() if not path.is_dir()]


def rules_given() -> Iterator[tuple[str, str, str]]:
    """Yield module, field and the first rule set that has it, once for each function: editions share theirs."""
    for module in MODULES:
        seen = set()
        for rules in publisher_of(module).rules:
            for name in OF_PAGES:
                rule = getattr(rules, name)
                if rule is not None and (name, rule) not in seen:
                    seen.add((name, rule))
                    yield module, rules.name, name


@pytest.mark.parametrize(("module", "era", "name"), list(rules_given()), ids=lambda part: part)
def test_without_it_some_page_is_read_otherwise(module: str, era: str, name: str):
    rules = publisher_of(module).rules
    taken = next(getattr(own, name) for own in rules if own.name == era)
    without = [replace(own, **{name: None}) if getattr(own, name) is taken else own for own in rules]
    own_cases = [case for case in CASES if case.module == module]
    own_texts = [case for case in own_cases if case.expected["article"]["paragraphs"]]
    assert any(shown(case.read(without)) != read(case) for case in own_cases) or (
        name == "body" and any(case.crowded().read(without).text != case.crowded().read().text for case in own_texts)
    )


@pytest.mark.parametrize("module", MODULES)
def test_every_era_has_a_page(module: str):
    eras = [rules.name for rules in publisher_of(module).rules]
    assert len(set(eras)) == len(eras)
    assert all(any(case.expected["rules"] == name for case in CASES) for name in eras)


ARTICLES = [case for case in CASES if case.expected["article"]["page_kind"] == "article"]


@pytest.mark.parametrize("case", ARTICLES, ids=lambda case: case.name)
def test_under_names_the_rules_do_not_know_the_general_path_still_finds_an_article(case: Case):
    page = case.page
    root = lxml.html.document_fromstring(decode(page.body, page.content_type))
    with_noise(root, attributes=True)
    body = lxml.html.tostring(root, encoding="utf-8", doctype="<!DOCTYPE html>")
    article = extract(replace(page, body=body, content_type="text/html; charset=utf-8"), case.publisher.rules)
    assert article.title
    assert max(case.expected["article"]["paragraphs"], key=len) in article.text


@pytest.mark.parametrize("module", MODULES)
def test_a_publisher_module_is_small_and_knows_no_other(module: str):
    loaded = importlib.import_module(f"spiders.{module}")
    assert loaded.__file__ is not None
    path = Path(loaded.__file__)
    for file in path.parent.glob("*.py") if path.name == "__init__.py" else [path]:
        source = file.read_text(encoding="utf-8")
        assert len(source.splitlines()) < 250
        for node in ast.walk(ast.parse(source)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(name.startswith("spiders") and name.split(".")[1:2] != [module] for name in names)
            assert not any(name.startswith(("scrapy", "archive.extraction")) for name in names)


@pytest.mark.parametrize("module", MODULES)
def test_a_publisher_is_a_publication_to_crawl(module: str):
    publisher, publication = publisher_of(module), load(f"spiders.{module}")
    assert f"spiders.{module}" in publication_modules()
    assert publication.publisher is publisher
    for case in CASES:
        if case.module == module and case.expected["article"]["page_kind"] in {"article", "live"}:
            url = case.expected["article"]["canonical_url"] or case.expected["url"]
            assert publisher.owns(url)
            assert publication.kind(url) == "article"
            assert publication.kind(f"{url}?from=home") == "article"
    for address in (*publication.home, *publication.sections):
        assert publication.kind(address) == "section"
    assert {publication.kind(address) for address in publication.feeds} <= {"feed"}
    assert {publication.kind(address) for address in publication.sitemaps} <= {"sitemap"}


def test_newswarc_publishers_lists_them_all(tmp_path: Path):
    rows = Command(tmp_path).run("publishers", "--json").rows
    assert [row["name"] for row in rows] == [publisher_of(module).name for module in MODULES]
    assert [row["spider"] for row in rows] == MODULES
    assert len(rows) >= 12
    languages = {language.partition("-")[0] for row in rows for language in row["languages"]}
    assert {"en", "ru", "de", "fr", "es", "ar", "zh"} <= languages


def test_the_documentation_names_every_publication_and_every_field_of_rules():
    text = (Path(__file__).parents[2] / "docs" / "publications.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| ([^|`]+) \| `(\w+)` \| [^|]+ \|$", text, re.MULTILINE))
    assert rows == {publisher_of(module).name: module for module in MODULES}
    described = text[text.index("| field of `PageRules`") :].partition("\n\n")[0]
    named = [name for row in described.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])]
    assert sorted(named) == sorted(f.name for f in fields(PageRules))


# Pages of the publications themselves, where they are at hand.


def real_pages() -> list[sets.Sample]:
    if not (GOLD / "index.jsonl").is_file():
        return []
    publishers = [publisher_of(module) for module in MODULES]
    return [page for page in sets.load(GOLD) if any(publisher.owns(page.url) for publisher in publishers)]


def measured(page: sets.Sample, rules: list[PageRules]) -> dict[str, Any]:
    article = extract(Page(page.html, page.url, "text/html; charset=utf-8", page.captured_at), rules)
    got = {
        "text": scores.token_f1(article.text, page.text),
        "title": scores.same_title(article.title, page.title or ""),
        "authors": scores.same_people(article.authors, page.authors or ()),
        "day": scores.same_day(article.published, page.published or ""),
        "minute": scores.same_minute(article.published, page.published or ""),
    }
    return got if page.topics is None else got | {"tags": scores.topics_f1(article.tags, page.topics)}


def test_on_real_pages_no_field_is_worse_than_on_the_general_path():
    pages = real_pages()
    if not pages:
        pytest.skip("../shared/data/extraction is not beside this checkout")
    rules = [rule for module in MODULES for rule in publisher_of(module).rules]
    texts = []
    for page in pages:
        general, ruled = measured(page, []), measured(page, rules)
        assert not {name for name in ruled if ruled[name] < general[name]}, page.name
        texts.append((general["text"], ruled["text"]))
    assert len(texts) >= 12
    assert sum(ruled for _, ruled in texts) > sum(general for general, _ in texts)
