"""What an article is besides news: opinion, an interview, a review. By its data, its section and its address.

The names are those of IPTC's genre codes (https://cv.iptc.org/newscodes/genre/) in lower case, where it has one; what
says nothing of itself has none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote

from archive.extraction import structured
from archive.extraction.page import path_of
from archive.extraction.structured import Data, Structured
from archive.schema_org import types

OF_TYPES = {
    "opinionnewsarticle": "opinion",
    "analysisnewsarticle": "analysis",
    "backgroundnewsarticle": "background",
    "reviewnewsarticle": "review",
    "criticreview": "review",
    "claimreview": "fact check",
    "satiricalarticle": "satire",
    "advertisercontentarticle": "advertising",
}
# What sections are called, as one sees it on a page or in an address. Whole names only: "Interview with a Vampire".
_NAMES = {
    "opinion": """opinion opinions opinión opinião opinione opinioni op-ed op-eds oped commentary comment commentisfree
        columns column columnists columnist viewpoint perspective perspectives voices kommentar kommentare kolumne
        kolumnen meinung meinungen debatte debatt opinie chronique chroniques tribune tribunes idées idees débats debats
        columna columnas editoriales tribuna opiniones commenti мнение мнения колонка колонки колумнисты opinii yorum
        opini 社説 オピニオン 评论 觀點 观点 رأي آراء""",
    "editorial": "editorial editorials editorial-board leitartikel éditorial éditoriaux edito éditos leader leaders",
    "letter": "letters letters-to-the-editor leserbriefe leserbrief cartas courrier-des-lecteurs",
    "interview": """interview interviews entrevista entrevistas entretien entretiens intervista interviste интервью
        gespräch gespräche interviu röportaj wawancara インタビュー 专访""",
    "analysis": "analysis news-analysis analyse analysen analyses analisi análisis аналитика analiz analisis 分析",
    "review": """review reviews film-reviews book-reviews movie-reviews rezension rezensionen kritik critique critiques
        reseña reseñas recensioni recensione рецензия рецензии""",
    "obituary": """obituary obituaries obits nachruf nachrufe nécrologie necrologie disparitions obituario obituarios
        necrologi некролог некрологи""",
    "fact check": """fact-check fact-checks factcheck fact-checking faktencheck factuel desintox verificación fatos
        проверка-фактов فاکت-نامہ""",
    "background": "explainer explainers explained hintergrund décryptage decryptage contexto разбор",
    "satire": "satire satira satira-politica humor humour",
    "advertising": """sponsored advertorial advertorials anzeige partner-content paid-content paid-post brandvoice
        branded-content publireportage партнерский-материал реклама""",
    "press release": "press-release press-releases pressemitteilung pressemitteilungen",
}
OF_NAMES = {name: genre for genre, names in _NAMES.items() for name in names.split()}
PARTS = 2  # segments of an address from its start, those of a section; what follows is the article's own name
BETWEEN = re.compile(r"[\s_/&+:-]+")


def genre(data: Structured, item: Data | None, section: str | None, url: str) -> tuple[str, str] | None:
    """Return what an article is besides news, and where that stands; ``None`` when nothing says so.

    *item* is the article's own JSON-LD object, *section* the section as it was read.
    """
    kinds = types(item) if item else set()
    named = next((OF_TYPES[kind] for kind in OF_TYPES if kind in kinds), None)
    if named is None and any("claimreview" in types(other) for other in data.objects):
        named = OF_TYPES["claimreview"]
    told = named or _known(structured.strings((item or {}).get("genre")))
    if told:
        return told, "json-ld"
    shown = _known([section or ""])
    if shown:
        return shown, "markup"
    segments = [segment for segment in unquote(path_of(url)).split("/") if segment][:-1]
    found = _known(segments[:PARTS])
    return (found, "url") if found else None


def _known(names: Iterable[str]) -> str | None:
    for name in names:
        found = OF_NAMES.get(BETWEEN.sub("-", name.strip().casefold()))
        if found:
            return found
    return None
