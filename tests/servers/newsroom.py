"""The articles of a publication that does not exist: written from a seed, the same for the same seed, all different."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

Form = Literal["json-ld", "opengraph", "plain"]

FORMS: tuple[Form, ...] = ("json-ld", "opengraph", "plain")
SECTIONS = ("news", "world", "business", "culture", "opinion")
TAGS = ("harbour", "transport", "schools", "weather", "courts", "budget", "farming", "museums", "energy", "housing")
MOST_AUTHORS = 3  # of one article
OLDEST, NEWEST = date(2026, 1, 2), date(2026, 10, 30)
NAMES = (
    "Ines Okafor", "Tomas Lind", "Vera Antonova", "Jonas Brandt", "Amina Diallo", "Pavel Lukin", "Mary-Ann O’Neill",  # noqa: RUF001
    "Søren Kvist", "Lucía Ferrer", "Tom Hale", "Nadezhda Gromova", "Kofi Mensah",
)  # fmt: skip

_WHO = """the council; the harbour board; a group of engineers; the ministry of transport; the teachers' union; two
farmers from the valley; the owners of the mill; the city museum; a court in the capital; the river authority; the
railway; the new mayor; residents of the old town; the bakers' guild; three members of parliament; the weather service;
the orchestra; fishermen on the east coast; the university; a small publishing house"""
_DID = """asked for more time to look at; voted against; agreed to pay for; put off a decision about; published a
report on; complained about; wants to reopen; sold its share of; found faults in; has finished the plans for; warned of
the cost of; took back its objections to; invited visitors to; will not comment on; lost a lawsuit over; called a
meeting about"""
_WHAT = """the bridge over the lower river; a night ferry to the islands; the winter timetable; the grain tower; the
roof of the central library; a tunnel below the station; school meals; the price of water; the fish market; an open-air
stage; the northern line; the price of timber; the flood wall; an archive of letters; the old observatory; the bus
depot; the orchard fair; street lamps in the suburbs; the printing works; a garden on the embankment"""
_WHEN = """on Monday; on Tuesday evening; last week; after a long debate; for the second time this year; without a
vote; in a letter seen by this paper; before the holidays; as expected; to general surprise; in spite of the rain; at
short notice"""
_MORE = """Nobody was hurt; The work is to begin in spring; It was not clear who would pay; The vote was close; Critics
spoke of a mistake; A decision is expected within a month; The plans can be seen at the town hall; Similar plans had
failed ten years ago; The costs are put at four million; Neighbours were told by letter; Trains will run as usual;
An appeal is still possible; The figures could not be checked; Others were more hopeful; The rest is a matter of
taste"""
_CYRILLIC = """Совет города отложил решение о мосте; Паром снова ходит по ночам; Библиотека открыла старый архив;
Погода мешает рыбакам на востоке; Музей показывает письма художника; Новый тоннель обойдётся дороже; Суд вернул дело
в министерство; Цены на хлеб выросли весной; Железная дорога меняет расписание; Университет ищет новое здание"""  # noqa: RUF001


def _words(text: str) -> list[str]:
    return [" ".join(part.split()) for part in text.split(";")]


WHO, DID, WHAT, WHEN, MORE, CYRILLIC = map(_words, (_WHO, _DID, _WHAT, _WHEN, _MORE, _CYRILLIC))


@dataclass(frozen=True)
class Article:
    """One article, as it should come out.

    *paragraphs* that start with ``## `` are sub-headings, those with ``* `` list items. *mentions* are
    the numbers of articles its text links to, *related* of those listed below it.
    """

    number: int
    title: str
    authors: tuple[str, ...]
    day: date
    section: str
    tags: tuple[str, ...]
    paragraphs: tuple[str, ...]
    form: Form
    mentions: tuple[int, ...] = ()
    related: tuple[int, ...] = ()
    language: str = "en"

    @property
    def slug(self) -> str:
        return "-".join(re.findall(r"[a-z0-9]+", self.title.lower())[:8]) or "article"

    @property
    def target(self) -> str:
        return f"/{self.day:%Y/%m/%d}/{self.slug}-{self.number}"

    @property
    def text(self) -> str:
        return "\n\n".join(paragraph.removeprefix("## ").removeprefix("* ") for paragraph in self.paragraphs)


class Newsroom:
    """Writes *count* articles, the oldest first. *russian* are the numbers of those in Russian."""

    def __init__(self, count: int, seed: int, russian: frozenset[int] = frozenset()) -> None:
        self.count, self.seed, self.russian = count, seed, russian
        self._titles: set[str] = set()
        self.articles = [self._write(number) for number in range(count)]

    def _write(self, number: int) -> Article:
        rng = random.Random(self.seed * 1_000_003 + number)
        russian = number in self.russian
        sentence = _russian_sentence if russian else _sentence
        paragraphs = [" ".join(sentence(rng) for _ in range(rng.randint(2, 4))) for _ in range(rng.randint(5, 9))]
        if number % 4 == 1 and not russian:
            paragraphs.insert(3, f"## {_title(rng)}")
        if number % 6 == 2 and not russian:
            paragraphs[2:2] = [f"* {_sentence(rng)}" for _ in range(3)]
        return Article(
            number=number,
            title=self._new_title(rng, russian=russian),
            authors=tuple(rng.sample(NAMES, 1 + (number % 5 == 0) + (number % 15 == 0))),
            day=OLDEST + timedelta(days=number * ((NEWEST - OLDEST).days + 1) // self.count),
            section=SECTIONS[number % len(SECTIONS)],
            tags=tuple(rng.sample(TAGS, 2)),
            paragraphs=tuple(paragraphs),
            form=FORMS[number % len(FORMS)],
            language="ru" if russian else "en",
        )

    def _new_title(self, rng: random.Random, *, russian: bool) -> str:
        while True:
            title = f"{rng.choice(CYRILLIC)}, {rng.choice(CYRILLIC).lower()}" if russian else _title(rng)
            if title not in self._titles:
                self._titles.add(title)
                return title


def _title(rng: random.Random) -> str:
    words = f"{rng.choice(WHO)} {rng.choice(DID)} {rng.choice(WHAT)}".split()
    small = {"a", "an", "the", "of", "to", "on", "in", "for", "by", "at", "from", "over", "its", "and"}
    return " ".join(word if number and word in small else word.capitalize() for number, word in enumerate(words))


def _sentence(rng: random.Random) -> str:
    sentence = f"{rng.choice(WHO)} {rng.choice(DID)} {rng.choice(WHAT)} {rng.choice(WHEN)}"
    if rng.random() < 0.5:
        sentence += f", {rng.choice(WHO)} said"
    sentence = f"{sentence[0].upper()}{sentence[1:]}."
    return f"{sentence} {rng.choice(MORE)}." if rng.random() < 0.4 else sentence


def _russian_sentence(rng: random.Random) -> str:
    return f"{rng.choice(CYRILLIC)}, а {rng.choice(CYRILLIC).lower()} № {rng.randint(1, 99)}."  # noqa: RUF001
