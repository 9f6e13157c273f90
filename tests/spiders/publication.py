"""Pages in the publication's markup with words of our own, and the ways such pages differ from year to year."""

from __future__ import annotations

import copy
import html
import json
import random
from dataclasses import dataclass
from datetime import date

import lxml.html
from lxml.html import HtmlElement

SITE = "https://www.themoscowtimes.com"


@dataclass(frozen=True)
class Story:
    """One article, as it should come out."""

    number: int
    title: str
    slug: str
    day: str  # 2013/05/15
    published: str
    authors: tuple[str, ...]
    paragraphs: tuple[str, ...]  # may hold inline markup; the first "##" marks a sub-heading, "*" a list item
    related: tuple[str, ...] = ()
    section: str = "News"
    tags: tuple[str, ...] = ()
    subtitle: str = ""
    updated: str | None = None
    opinion: bool = False
    site: str = SITE

    @property
    def url(self) -> str:
        return f"{self.site}/{self.day}/{self.slug}-a{self.number}"

    @property
    def text(self) -> str:
        return "\n\n".join(
            lxml.html.fromstring(f"<p>{part.lstrip('#* ')}</p>").text_content() for part in self.paragraphs
        )


BRIDGE = Story(
    number=31001,
    title="Old River Bridge 'Closed Until Autumn,' City Says",
    slug="old-river-bridge-closed-until-autumn-city-says",
    day="2013/07/02",
    published="2013-07-02T11:20:00+04:00",
    authors=("The Moscow Times",),
    paragraphs=(
        (
            "The old bridge over the river will stay closed to cars until the end of autumn, the city's transport "
            "department said Tuesday, after divers found cracks in two of its piers."
        ),
        (
            "Engineers had asked for the closure in spring, the department "
            '<a href="https://example.org/department/notice-14">said in a notice</a>, but the money was not there.'
        ),
        "“Nobody wants to be the man who opened it too early,” said Pavel Lukin, who leads the repairs.",
        "Buses will take the northern embankment. Trams are not affected.",
        (
            'Deputy Mayor Irina Belova is to present a timetable <a href="/2013/06/20/council-meets-a30911">to the '
            "council</a> next week, the department's statement said."
        ),
    ),
    related=(
        "Council Puts Off Vote on Bridge Money",
        "Divers Inspect River Piers After Flood",
        "Tram Line 9 Returns After Two Years",
    ),
)
ORCHARD = Story(
    number=90412,
    title="Southern Orchards Count the Cost of a Late Frost",
    slug="southern-orchards-count-the-cost-of-a-late-frost",
    day="2024/05/11",
    published="2024-05-11T23:30:00+03:00",
    authors=("Vera Antonova", "Tom Hale", "AFP"),
    subtitle="Growers expect half of last year's apples.",
    section="Business",
    tags=("Farming", "Weather"),
    updated="2024-05-12T08:05:00+03:00",
    paragraphs=(
        (
            "Apple growers in the south expect to bring in no more than half of last year's crop after three nights of "
            "frost in the first week of May, their union said on Saturday."
        ),
        "The cold came when most trees stood in full blossom, the union's head, Stepan Orlov, told reporters.",
        "## ‘Nothing to Pick’",  # noqa: RUF001 - a quotation as it is printed
        "Some owners have already sent their seasonal workers home.",
        "* Early plums are lost almost everywhere.",
        "* Pears on the higher slopes came through.",
        "The Agriculture Ministry did not answer a request for comment.",
        "<i>AFP contributed to this report.</i>",
    ),
    related=("Beekeepers Move Hives North as Spring Shifts",),
)
LIBRARY = Story(
    number=90507,
    title="In Praise of the Slow Library",
    slug="in-praise-of-the-slow-library",
    day="2024/05/20",
    published="2024-05-20T14:00:00+03:00",
    authors=("Nadezhda Gromova",),
    section="Opinion",
    tags=("Books",),
    opinion=True,
    paragraphs=(
        "A library that answers in a second is a fine thing. A library that answers in a week may be a better one.",
        (
            "We have come to think of waiting as a fault. Yet the reader who must wait for a book has time to ask why "
            "he wanted it, and now and then the question is worth more than the answer."
        ),
        "The reading room on the embankment still works that way, and it should be left alone.",
        "Let it be slow.",
    ),
)
STORIES = (BRIDGE, ORCHARD, LIBRARY)

APPEAL_LINES = (
    "A word from the newsroom:",
    "Dear readers,",
    "Our reporters work under pressure, and our independence rests on you who read us.",
    "Your support, whatever its size, pays for the reporting. You can give from $3 a month.",
    "Thank you for standing by our newsroom.",
)


def appeal(name: str = "contribute-article") -> str:
    """An appeal for donations in words of our own, in the publication's form."""
    first, *rest = APPEAL_LINES
    lines = "".join(f"<p>{line}</p>" for line in rest[:-1])
    return (
        f'<div class="{name} p-3 mb-3" y-use="contribute.Article"><h4>{first}</h4>{lines}'
        f'<p>{rest[-1]} <a href="{SITE}/contribute2?utm_source=contribute">Support us</a></p>'
        f'<div class="{name}__periods"><span>Once</span> <span>Monthly</span></div>'
        f'<a class="{name}__button" href="{SITE}/contribute2?utm_source=contribute">Continue</a>'
        f'<div class="{name}__later">Not today? <br><span>Remind me later.</span></div></div>'
    )


def related_html(titles: tuple[str, ...], how: str = "p_ul") -> str:
    """A list of related articles as different years and editors have marked it."""
    anchors = [f'<a href="/news/article/x/{500 + n}.html">{html.escape(t)}</a>' for n, t in enumerate(titles)]
    items = "".join(f"<li>{anchor}</li>" for anchor in anchors)
    broken = "<br>".join(anchors)
    return {
        "p_ul": f"<p>Related articles:</p><ul>{items}</ul>",
        "p_br": f"<p>Related articles:<br>{broken}</p>",
        "two_p_br": f"<p>Related articles:</p><p>{broken}</p>",
        "bold": "<p><b>Related articles:</b></p>" + "".join(f"<p><b>{anchor}</b></p>" for anchor in anchors),
        "bold_ul": f"<b>Related articles:</b><ul>{items}</ul>",
        "h3": "<h3>Related articles</h3>" + "".join(f"<p>{anchor}</p>" for anchor in anchors),
        "h3_ul": f"<h3>Related articles:</h3><ul>{items}</ul>",
        "dashes": "<p><strong>Related articles:</strong><br>- " + "<br>- ".join(anchors) + "</p>",
        "bullets": "<p>Related articles:</p><p>" + "<br>".join(f"• {anchor}" for anchor in anchors) + "</p>",
        "table": "<table><tr><td>Related articles:</td></tr>"
        + "".join(f"<tr><td>{anchor}</td></tr>" for anchor in anchors)
        + "</table>",
    }[how]


RELATED_FORMS = ("p_ul", "p_br", "two_p_br", "bold", "bold_ul", "h3", "h3_ul", "dashes", "bullets", "table")


def _content(story: Story, how: str) -> str:
    parts: list[str] = []
    for part in story.paragraphs:
        if part.startswith("##"):
            parts.append(f"<h2>{part[2:].strip()}</h2>")
        elif part.startswith("*"):
            item = f"<li>{part[1:].strip()}</li>"
            if parts and parts[-1].endswith("</ul>"):
                parts[-1] = f"{parts[-1][:-5]}{item}</ul>"
            else:
                parts.append(f"<ul>{item}</ul>")
        else:
            parts.append(f"<p>{part}</p>")

    def block(kind: str, inner: str) -> str:
        return f'<div data-id="article-block-type" class="article__block article__block--{kind}">{inner}</div>'

    if story.number < 80_000:
        listed = related_html(story.related, how) if story.related else ""
        return block("html", "\n".join(parts) + listed)
    blocks = [block("html", part) for part in parts]
    for title in story.related:
        blocks.insert(
            1,
            block(
                "article",
                '<aside class="article__related-article"><span class="label">news</span><a data-id="in-article-block" '
                f'href="{SITE}/2024/04/01/x-a90001" title="{html.escape(title)}"><h3 class="related-article__title">'
                f'{html.escape(title)}</h3><span class="related-article__cta">Read more</span></a></aside>',
            ),
        )
    blocks.insert(
        3,
        block(
            "image",
            '<figure class="article__image"><img src="https://static.themoscowtimes.com/image/1360/aa/x.jpg">'
            "<figcaption>"
            '<span class="article__image__caption">A view of the place.</span> '
            '<span class="article__image__credits">O. Maker / MT</span></figcaption></figure>',
        ),
    )
    blocks.append(
        block(
            "embed",
            '<div class="article__embed"><blockquote class="twitter-tweet"><p>Look at this.</p>&mdash; Someone '
            '<a href="https://twitter.com/someone/status/12">May 11, 2024</a></blockquote></div>',
        )
    )
    return "\n".join(blocks)


def _teasers() -> str:
    titles = ("Harbor Cranes Stand Idle for a Third Day", "Choir Wins Prize Abroad", "Snow Ploughs Sold for Scrap")
    excerpts = "".join(
        f'<div class="article-excerpt-default"><a href="{SITE}/2024/05/21/t-a9060{n}" title="{title}"><figure><img '
        f'src="/t.jpg"></figure><h3 class="article-excerpt-default__headline">{title}</h3><div class="teaser">What was '
        "said about it on Monday, in a few words, by those who were there.</div></a></div>"
        for n, title in enumerate(titles)
    )
    return f'<section class="cluster"><h2 class="cluster__label">Read more</h2>{excerpts}</section>'


def _byline(story: Story) -> str:
    names = [
        f'<a href="{SITE}/author/{name.lower().replace(" ", "-")}" class="byline__author__name" title="{name}">'
        f"{name}</a>"
        for name in story.authors
    ]
    joined = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    if story.updated:
        time = f'Updated: <time class="byline__datetime" datetime="{story.updated}">May 12, 2024</time>'
    else:
        time = f'<time class="byline__datetime" datetime="{story.published}">shown day</time>'
    return f'<div class="byline__details"><div class="byline__author">By {joined}</div>{time}</div>'


def article_container(story: Story, *, how: str = "p_ul", with_appeal: bool = True) -> str:
    """The part of a page that is the article, as endless scrolling appends it to another page."""
    title = html.escape(story.title)
    disclaimer = (
        '<div class="article__disclaimer">The views expressed in opinion pieces do not necessarily reflect the '
        "position of The Moscow Times.</div>"
        if story.opinion
        else ""
    )
    tags = ", ".join(f'<a href="{SITE}/tag/{tag.lower()}" class="tag">{tag}</a>' for tag in story.tags)
    return f"""<div class="container article-container" id="article-id-{story.number}" data-page-id="{story.number}"
 data-article-url="{story.url}" data-article-title="{title}">
<article class="article article--news"><header class="article__header"><h1><a href="{story.url}">{title}</a></h1>
<h2>{html.escape(story.subtitle)}</h2></header>
<div class="article__byline byline">{_byline(story)}<div class="social"><a href="{story.url}/pdf">PDF</a></div></div>
<figure class="article__featured-image"><img src="https://static.themoscowtimes.com/image/article_1360/aa/lead.jpg">
<figcaption><span class="article__featured-image__caption">The scene on Monday.</span>
<span class="article__featured-image__credits">N. Body / TASS</span></figcaption></figure>
<div class="article__content-container"><div class="article__content" y-name="article-content">
{_content(story, how)}
</div>{disclaimer}<div class="article__bottom"></div>
{f'<div class="article__tags">Read more about: {tags}</div>' if tags else ""}
<div class="newsletterbanner"><h4>Sign up for our newsletter</h4><div>A selection of stories in your inbox each week.
<a href="{SITE}/newsletterpreview/default">Preview</a></div><input type="email"><button>Subscribe</button></div>
{appeal() if with_appeal else ""}
</div></article></div>"""


def page(story: Story, *, how: str = "p_ul", with_appeal: bool = True) -> str:
    """A whole page of the present template."""
    title = html.escape(story.title)
    data = {
        "@context": "http://schema.org/",
        "@type": "NewsArticle",
        "headline": story.title,
        "datePublished": story.published,
        "dateModified": "2024-12-30T10:11:12+03:00",
        "articleSection": "news",
        "keywords": ",".join(story.tags),
        "isAccessibleForFree": True,
        "url": story.url,
        "mainEntityOfPage": story.url,
        "author": {"@type": "Person", "name": story.authors[0]},
        "publisher": {"@type": "Organization", "name": "The Moscow Times"},
        "image": {"@type": "ImageObject", "url": "https://static.themoscowtimes.com/image/og/aa/x.jpg"},
    }
    crumbs = {
        "@context": "http://schema.org/",
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": 1, "name": "The Moscow Times"},
            {"@type": "ListItem", "position": 2, "name": story.section},
            {"@type": "ListItem", "position": 3, "name": story.title},
        ],
    }
    first = lxml.html.fromstring(f"<p>{story.paragraphs[0]}</p>").text_content()
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><base href="{SITE}/"><title>{title} - The Moscow Times</title>
<meta property="og:site_name" content="The Moscow Times"><meta property="og:title" content="Longer: {title}">
<meta name="author" content="{story.authors[0]}"><link rel="canonical" href="{story.url}">
<meta property="og:description" content="{html.escape(first)}"><meta property="article:content_tier" content="free">
<script type="application/ld+json">{json.dumps(data)}</script>
<script type="application/ld+json">{json.dumps(crumbs)}</script>
<script type="application/ld+json">{{"@type": "WebSite", "url": "{SITE}/",}}</script></head>
<body class="article-item" y-use="Main"><div class="site-header"><a href="{SITE}/">Home</a>
<a class="contribute-teaser__button" href="{SITE}/contribute?utm_source=x">Contribute today</a></div>
<nav><ul><li><a href="/news">News</a></li><li><a href="/business">Business</a></li></ul></nav>
<article y-use="article.IsIntersecting">{article_container(story, how=how, with_appeal=with_appeal)}
<aside class="sidebar"><h3>Most read</h3><ul><li><a href="/x-a1">
<time datetime="2024-05-20T01:00:00+03:00">May 20</time><h5>Snow Ploughs Sold for Scrap</h5>
</a></li></ul></aside>{_teasers()}</article>
<footer><div>&copy; all rights reserved.</div></footer></body></html>"""


def print_page(story: Story) -> str:
    """The print version: no classes, everything in a row."""
    names = [f'<a href="{SITE}/author/{name.lower().replace(" ", "-")}">{name}</a>' for name in story.authors]
    joined = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    apart = '<p style="font-family: roboto;">'
    body = (
        _content(story, "p_ul")
        if story.number < 80_000
        else "".join(f"<p>{part.lstrip('#* ')}</p>" for part in story.paragraphs)
        + "".join(f'<br><b>Related article</b>: <a href="{SITE}/2024/04/01/x-a90001">{t}</a>' for t in story.related)
    )
    return (
        f'<img src="https://static.themoscowtimes.com/img/logo.svg" width="410"><br><br>'
        f"<h1>{html.escape(story.title)}</h1><h2>{html.escape(story.subtitle)}</h2>"
        f"{apart}By {joined}</p>{apart}{_print_day(story)}</p>"
        f'<img src="https://static.themoscowtimes.com/lead.jpg">{apart}The scene on Monday. <b>N. Body / TASS</b></p>'
        f"{body}{apart}Original url: {story.url}</p>"
    )


def _print_day(story: Story) -> str:
    return f"{date.fromisoformat(story.day.replace('/', '-')):%B %d, %Y}"


def parsed(text: str) -> HtmlElement:
    return lxml.html.document_fromstring(text.encode(), parser=lxml.html.HTMLParser(encoding="utf-8"))


def written(root: HtmlElement) -> bytes:
    out: bytes = lxml.html.tostring(root, encoding="utf-8", doctype="<!DOCTYPE html>")
    return out


def with_noise(root: HtmlElement, *, attributes: bool) -> None:
    """Replace every class name by a made-up one; with *attributes*, take ids and data attributes away too."""
    chance, names = random.Random(11), {}
    for element in root.iter():
        if not isinstance(element.tag, str):
            continue
        if element.get("class"):
            words = element.get("class").split()
            element.set("class", " ".join(names.setdefault(w, f"k{chance.getrandbits(32):x}") for w in words))
        if attributes:
            for name in list(element.attrib):
                if name in {"id", "y-use", "y-name"} or name.startswith("data-"):
                    del element.attrib[name]


def with_appeal_inside(root: HtmlElement, where: str) -> None:
    """Move the appeal into the text: at its start, middle or end, or its lines bare among the paragraphs."""
    content = root.xpath("//*[@y-name='article-content']")[0]
    box = root.xpath("//*[contains(@class, 'contribute-article p-3')]")[0]
    box.getparent().remove(box)
    box.tail = None
    paragraphs = content[0]
    if where == "start":
        content.insert(0, box)
    elif where == "middle":
        paragraphs.insert(len(paragraphs) // 2, box)
    elif where == "end":
        content.append(box)
    else:
        middle = max(1, len(paragraphs) // 2)
        for line in reversed(list(box)):
            paragraphs.insert(middle, line)


def with_appended(root: HtmlElement, other: Story, *, inside: bool) -> None:
    """Append another article as endless scrolling does, inside the outer article or after it."""
    added = copy.deepcopy(lxml.html.fragment_fromstring(article_container(other)))
    own = root.xpath("//*[@data-page-id]")[0]
    if inside:
        own.getparent().append(added)
    else:
        own.getparent().addnext(added)
