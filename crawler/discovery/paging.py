"""Which links of a page lead to other pages of the same listing.

Told by any of: ``rel``; the class, label or title of the link; standing in what its class calls a pager; a text that
is one of the words for it; a bare number that the address counts up with, since bare numbers count comments, too.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

Attributes = dict[str, str | None]

MAX_PAGERS = 50  # elements looked into; each part of a pager may be named after it
MAX_PAGER_LINKS = 60  # in one; what holds more, and has "has-pagination" among its classes, is the listing itself
MAX_BUTTONS = 200  # elements looked at that may load more
LONGEST_LABEL = 40  # characters of a text that is compared with the words; "Gehe zur nächsten Seite" has 23

_RELATIONS = frozenset(("next", "prev", "previous"))
# In classes and labels. "pagina" alone is the Italian and Spanish page, "page-navigation" and "nav-links__item" are
# often the site's menu, and "teaser--paginated" is a teaser.
_PAGER = re.compile(
    r"paginat(?!ed)|pagina[cz]|paginad|paginier|(?<![a-z])(?:pager|paging)(?![a-z])|page[-_]?navi?(?![a-z])"
    r"|page-numbers|(?<![\w-])nav-links(?![\w-])",
    re.IGNORECASE,
)
_MAY_BE_PAGERS = "[class*='pag' i],[class*='nav-links' i],[id*='pag' i],[aria-label*='pag' i]"  # a few of them are
_CLASS = re.compile(
    rf"{_PAGER.pattern}|(?<![a-z])page[-_](?:num(?:ber)?s?|link|item)(?![a-z])"
    r"|(?:load|show|view)[-_]?more|next[-_]?(?:page|posts)|prev(?:ious)?[-_]?(?:page|posts)|nav-(?:next|prev)"
    r"|(?<!\S)(?:next|prev|previous|older|newer)(?!\S)",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"\b(?:next|previous|older)\s+page\b"
    r"|\b(?:page|seite|p[aá]gina|страниц[аеу]|strona|stránka|sida|sayfa)\s+[0-9]+\b",  # noqa: RUF001 - Russian
    re.IGNORECASE,
)
# "More" alone, "weiterlesen", "далее" are on every teaser: what they lead to is an article.
_WORDS = frozenset(
    words.strip()
    for words in " ".join(
        """
    next|next page|next posts|previous|prev|previous page|older|older posts|older entries|older articles|older stories
    |older news|newer|newer posts|newer entries|load more|load more articles|load more stories|load more news
    |load more posts|show more|view more|more stories|more news|more articles|more posts|last page
    |weiter|nächste|nächste seite|vorherige|vorherige seite|ältere beiträge|ältere artikel|neuere beiträge|mehr laden
    |mehr anzeigen|weitere artikel|weitere laden|suivant|suivante|suivants|page suivante|précédent|précédente
    |page précédente|articles plus anciens|articles précédents|charger plus|afficher plus|voir plus d'articles
    |siguiente|siguientes|página siguiente|siguiente página|anterior|anteriores|página anterior|entradas antiguas
    |cargar más|mostrar más|ver más noticias|successiva|successivo|successivi|pagina successiva|avanti|precedente
    |carica altro|carica altri|mostra altro|mostra altri|articoli precedenti|próxima|próximo|próxima página|seguinte
    |carregar mais|mostrar mais|mais notícias|volgende|volgende pagina|vorige|meer laden|toon meer|oudere berichten
    |następna|następne|następny|następna strona|poprzednia|starsze|pokaż więcej|załaduj więcej|další|další strana
    |předchozí|starší|načíst další|zobrazit další|ďalšia|ďalšie|načítať ďalšie|nästa|nästa sida|föregående|visa fler
    |visa mer|næste|forrige|vis flere|neste|seuraava|edellinen|näytä lisää|sonraki|sonraki sayfa|önceki
    |daha fazla göster|επόμενη|επόμενο|προηγούμενη|următoarea|următorul|pagina următoare|încarcă mai multe|következő
    |előző|sljedeća|sledeća|prethodna|učitaj još|prikaži više|nākamā|kitas|järgmine
    |следующая|следующие|следующая страница|следующие записи|предыдущая|предыдущие|предыдущая страница
    |предыдущие записи|старые записи|вперед|вперёд|показать еще|показать ещё|загрузить еще|загрузить ещё|еще новости
    |ещё новости|больше новостей|наступна|наступна сторінка|попередня|показати ще|завантажити ще|більше новин
    |следваща|предишна|наступная|التالي|السابق|تحميل المزيد|הבא|הקודם|بعدی|قبلی|下一页|下一頁|上一页|上一頁|下页
    |加载更多|次へ|次のページ|前へ|前のページ|もっと見る|다음|이전|더보기|trang sau|selanjutnya
    |berikutnya|muat lainnya|ถัดไป
    """.split()  # noqa: SIM905 - words, easier to read and add to in one text
    ).split("|")
)
_ARROWS = "«»‹›<>←→⟨⟩▸►…"  # noqa: RUF001 - as they stand on pages
_AROUND = _ARROWS + "[]().,:| \t\r\n\xa0"
_DIGITS = re.compile(r"[0-9]+")
_DAY = re.compile(r"[0-9]{4}[/.-][0-9]{1,2}[/.-][0-9]{1,2}/?\Z")

# Of things that load more; and of anything, where it counts only if the element is for that.
_NEXT_ATTRIBUTES = ("data-next", "data-next-url", "data-next-page", "data-next-href", "data-load-more", "data-more-url")
_URL_ATTRIBUTES = ("data-url", "data-href")
_MAY_BE_BUTTONS = ",".join(f"[{name}]" for name in (*_NEXT_ATTRIBUTES, *_URL_ATTRIBUTES, "onclick"))
_SCRIPTED = re.compile(r"""["']((?:(?:https?:)?/|\?)[^"'\s]*)["']""", re.IGNORECASE)
_TEMPLATE = re.compile(r"[{}<>\s]|\[\[|%7B", re.IGNORECASE)  # filled in by a script: "/news/{page}"


class Paging:
    """Knows the pagers of one page."""

    def __init__(self, tree: LexborHTMLParser) -> None:
        self._tree = tree
        self._marks: dict[str, bool] = {}  # by class: many elements have the same

    def leads(self, node: LexborNode, attributes: Attributes, url: str, page_url: str) -> bool:
        """Tell whether the link *node* to *url*, on the page at *page_url*, leads to another page of the listing."""
        if node.mem_id in self._in_pager or self._is_marked(attributes):
            return True
        relations = attributes.get("rel")
        if relations and not _RELATIONS.isdisjoint(relations.lower().split()):
            return True
        text = node.text()
        return len(text) <= 4 * LONGEST_LABEL and _says_so(text, url, page_url)  # with its indentation

    def buttons(self) -> Iterator[str]:
        """Yield the references that buttons for loading more keep in other attributes than ``href``."""
        for node in self._tree.css(_MAY_BE_BUTTONS)[:MAX_BUTTONS]:
            attributes = node.attributes
            for name in _NEXT_ATTRIBUTES:
                yield from _plausible(attributes.get(name))
            named = self._is_marked(attributes) or _CLASS.search(attributes.get("id") or "")
            if named or _says_so(node.text(), "", ""):
                for name in _URL_ATTRIBUTES:
                    yield from _plausible(attributes.get(name))
                for found in _SCRIPTED.finditer(attributes.get("onclick") or ""):
                    yield from _plausible(found[1])

    @functools.cached_property
    def _in_pager(self) -> set[int]:
        pagers = [
            node
            for node in self._tree.css(_MAY_BE_PAGERS)
            if node.tag not in {"html", "body", "main", "a"}
            and _PAGER.search(" ".join(node.attributes.get(name) or "" for name in ("class", "id", "aria-label")))
        ]
        found: set[int] = set()
        for pager in pagers[:MAX_PAGERS]:
            links = pager.css("a[href]")
            if len(links) <= MAX_PAGER_LINKS:
                found.update(link.mem_id for link in links if len(link.text().strip()) <= LONGEST_LABEL)
        return found

    def _is_marked(self, attributes: Attributes) -> bool:
        for name in ("aria-label", "title"):
            label = attributes.get(name)
            if label and len(label) <= LONGEST_LABEL and (_LABEL.search(label) or _words(label) in _WORDS):
                return True
        named = attributes.get("class")
        if not named:
            return False
        if named not in self._marks:
            self._marks[named] = bool(_CLASS.search(named))
        return self._marks[named]


def _says_so(text: str, url: str, page_url: str) -> bool:
    text = text.strip()
    if len(text) > LONGEST_LABEL:
        return False
    words = _words(text)
    if not words:
        return bool(text) and any(arrow in text for arrow in _ARROWS)
    if words.isdecimal() and words.isascii():
        return len(words) <= 4 and _counts(int(words), url, page_url)
    return words in _WORDS


def _words(text: str) -> str:
    return " ".join(text.strip(_AROUND).lower().split())


def _counts(number: int, url: str, page_url: str) -> bool:
    """Tell whether *url* is page *number* of something: the number ends it, or counts items behind the same path."""
    place, _, query = url.partition("?")
    digits = _DIGITS.findall(query or place)
    if not digits or _DAY.search(url):
        return False
    return int(digits[-1][:9]) == number or (bool(query) and place == page_url.partition("?")[0])


def _plausible(value: str | None) -> Iterator[str]:
    """Yield *value* if it is an address: other things stand in these attributes, too, as numbers and templates."""
    if value and ("/" in value or value.startswith("?")) and not _TEMPLATE.search(value):
        yield value
