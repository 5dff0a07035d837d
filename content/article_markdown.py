"""Make HTML of articles: our Markdown subset (`markdown`), with headings, pictures, steps and links between articles.

    ## Crear una contraseña nueva                      a heading, with an anchor, for the table of contents
    1. Abre la app y toca **Olvidé mi contraseña**.    steps
       ![Pantalla de entrada](entrar.png "El enlace está debajo de Entrar")
    > **¿Pediste varios?** Solo sirve el último.       a notice
    Sigue con [cuenta bloqueada](articulo:cuenta-bloqueada) o con [el código](#si-el-codigo-no-llega).

A message may not have these, because «# 5» and «![» are text there. As in messages, what is no deliberate markup is
shown. The HTML is escaped and then sanitized; it has only the pictures and addresses that the caller names.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import nh3
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import slugify

from . import markdown
from .text import as_typed, plain_excerpt

MAX_ARTICLE = 40_000
"""The maximum length of an article's text."""
MAX_HTML = 8 * MAX_ARTICLE

ANCHOR = "s-"
"""Begins every anchor, so that no heading of an article takes an id of the page."""
_HEADING = re.compile(r" {0,3}(#{1,3})[ \t]+(\S[^\n]*?)[ \t]*#*[ \t]*")
_PICTURE = re.compile(
    r"""\s*!\[([^\[\]\n]{0,300})\]\(\s*([\w.-]{1,120})(?:[ \t]+"([^"\n]{0,300})")?\s*\)\s*"""
)
_LINK = re.compile(r"\[(?P<label>[^\[\]\n]{1,300})\]\((?P<to>#[\w-]{1,120}|articulo:[\w-]{1,80})\)")
_STAND_IN = "https://article.invalid/"
_STOOD_IN = re.compile(rf'<a href="{re.escape(_STAND_IN)}(?P<kind>[as])/(?P<name>[\w-]+)">(?P<label>.*?)</a>')
_LEFT_OVER = re.compile(rf"{re.escape(_STAND_IN)}([as])/([\w-]+)")
"""In code, where a link is text."""
_KINDS = {"s": "#", "a": "articulo:"}


@dataclass(frozen=True)
class Picture:
    """A picture of the article: where it is served, and its size in pixels."""

    address: str
    width: int
    height: int


@dataclass(frozen=True)
class Heading:
    """An entry of the table of contents. `level` is 2 or 3."""

    level: int
    anchor: str
    text: str


@dataclass(frozen=True)
class Rendered:
    """The safe HTML of an article and its headings in order."""

    html: SafeString
    headings: tuple[Heading, ...]

    @property
    def contents(self) -> list[Heading]:
        """The headings of the table of contents."""
        return [heading for heading in self.headings if heading.level == 2]


def render(text: str, *, pictures: Mapping[str, Picture], articles: Mapping[str, str]) -> Rendered:
    """Return an article as safe HTML. `pictures` and `articles` are the pictures by name and the addresses of articles
    by slug: a picture or link that is not among them is left out, its words stay.

    A text over `MAX_ARTICLE`, which no verb saves, or whose HTML would be over `MAX_HTML`, is shown unformatted.
    """
    page = _Page(pictures, articles)
    html = "\n".join(_ArticleBlocks(text.split("\n"), page=page)) if len(text) <= MAX_ARTICLE else ""
    html = html.replace(markdown.LITERAL, "")
    if not html or len(html) > MAX_HTML:
        shown = escape(as_typed(text)).replace("\n", "<br>\n")
        return Rendered(_clean(f"<p>{shown}</p>"), ())
    return Rendered(_clean(html), tuple(page.headings))


def pictures_in(text: str) -> list[str]:
    """Return the names of the pictures that the text shows, in order."""
    return [found[2] for line in text.split("\n") if (found := _PICTURE.fullmatch(_without_mark(line)))]


def linked_articles(text: str) -> set[str]:
    """Return the slugs of the articles that the text links."""
    return {
        found["to"].removeprefix("articulo:")
        for found in _LINK.finditer(text)
        if not found["to"].startswith("#")
    }


def sections_of(text: str) -> list[tuple[str, str]]:
    """Return the headings of the text with what stands below each, as written; the beginning has an empty heading."""
    parts = [("", [""])]
    for line in text.split("\n"):
        if found := _HEADING.fullmatch(line):
            parts.append((found[2], []))
        else:
            parts[-1][1].append(line)
    return [(heading, "\n".join(lines).strip()) for heading, lines in parts]


def steps_of(text: str) -> list[str]:
    """Return the first list of numbered steps of the text, each as one line of Markdown without its pictures."""
    steps: list[str] = []
    for line in text.split("\n"):
        number = re.match(r" {0,3}(\d{1,3})\.\s+(\S.*)", line)
        if number and int(number[1]) == len(steps) + 1:
            steps.append(number[2].strip())
        elif steps and line.strip() and not line.startswith((" ", "\t")):
            break
    return steps


def plain(text: str, length: int = MAX_ARTICLE) -> str:
    """Return the beginning of an article as one line of at most `length` characters of plain text, without pictures
    and headings. It is not escaped."""
    lines = [line for line in text.split("\n") if not _PICTURE.fullmatch(_without_mark(line))]
    kept = [line for line in lines if not _HEADING.fullmatch(line)]
    return plain_excerpt(_LINK.sub(r"\g<label>", "\n".join(kept)), length)


def _without_mark(line: str) -> str:
    return re.sub(r"^\s*(?:\d{1,3}\.|[-*])\s+", "", line)


@dataclass
class _Page:
    """What the blocks of one article share."""

    pictures: Mapping[str, Picture]
    articles: Mapping[str, str]
    headings: list[Heading] = field(default_factory=list)

    def anchor(self, text: str) -> str:
        """Return the anchor for a heading: its words, with a number if another heading has the same."""
        base = ANCHOR + (slugify(text)[:60] or "seccion")
        taken = {heading.anchor for heading in self.headings}
        number = 1
        anchor = base
        while anchor in taken:
            number += 1
            anchor = f"{base}-{number}"
        return anchor


@dataclass
class _ArticleBlocks(markdown._Blocks):  # noqa: SLF001  (the subset is extended here, and nowhere else)
    page: _Page = field(default_factory=lambda: _Page({}, {}))

    def _block(self, start: int) -> tuple[str, int]:
        line = self.lines[start]
        if not self.depth and (heading := _HEADING.fullmatch(line)):
            return self._heading(len(heading[1]), heading[2]), start + 1
        if picture := _PICTURE.fullmatch(line):
            return self._picture(*picture.groups(default="")), start + 1
        return super()._block(start)

    def _heading(self, marks: int, text: str) -> str:
        html = self._inline(text)
        level = 3 if marks == 3 else 2
        plain = " ".join(re.sub(r"<[^>]*>", "", html).split())
        heading = Heading(level, self.page.anchor(as_typed(text)), _unescaped(plain))
        self.page.headings.append(heading)
        return f'<h{level} id="{heading.anchor}">{html}</h{level}>'

    def _picture(self, seen: str, name: str, caption: str) -> str:
        picture = self.page.pictures.get(name)
        if picture is None:
            return f"<p>{escape(as_typed(caption or seen))}</p>" if (caption or seen).strip() else "<br>"
        below = f"<figcaption>{self._inline(caption)}</figcaption>" if caption.strip() else ""
        size = f' width="{picture.width}" height="{picture.height}"' if picture.width else ""
        image = f'<img src="{escape(picture.address)}" alt="{escape(as_typed(seen))}"{size} loading="lazy">'
        return f'<figure class="kb-fig">{image}{below}</figure>'

    def _inside(self, lines: list[str], *, tight: bool = False, is_item: bool = False) -> Iterable[str]:
        return _ArticleBlocks(lines, self.depth + 1, tight=tight, is_item=is_item, page=self.page)

    def _inline(self, text: str) -> str:
        """Make HTML of a line. Links inside the help centre go through the parser as links to a host that does not
        exist, which `_links` then replaces: the parser knows only links to the web."""
        if "](#" not in text and "](articulo:" not in text:
            return super()._inline(text)
        html = super()._inline(_LINK.sub(self._stand_in, text))
        return _LEFT_OVER.sub(lambda found: f"{_KINDS[found[1]]}{found[2]}", _STOOD_IN.sub(self._link, html))

    def _stand_in(self, found: re.Match[str]) -> str:
        kind, name = ("s", found["to"][1:]) if found["to"].startswith("#") else ("a", found["to"][9:])
        return f"[{found['label']}]({_STAND_IN}{kind}/{name})"

    def _link(self, found: re.Match[str]) -> str:
        if found["kind"] == "s":
            anchor = found["name"] if found["name"].startswith(ANCHOR) else ANCHOR + found["name"]
            return f'<a href="#{anchor}">{found["label"]}</a>'
        address = self.page.articles.get(found["name"])
        return f'<a href="{escape(address)}">{found["label"]}</a>' if address else found["label"]

    def _is_steps(self, number: str | None) -> bool:
        return number == "1" and not self.depth


def _unescaped(text: str) -> str:
    for name, char in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#x27;", "'"), ("&amp;", "&")):
        text = text.replace(name, char)
    return text


def _clean(html: str) -> SafeString:
    return mark_safe(_cleaner.clean(html.encode("utf-8", "replace").decode()))


def _filtered(tag: str, name: str, value: str) -> str | None:
    """Drop addresses that are neither ours nor of the web: pictures only from this host."""
    if (tag, name) == ("img", "src"):
        return value if value.startswith("/") and not value.startswith("//") else None
    if (tag, name) == ("a", "href") and not value.startswith(("/", "#", "http://", "https://", "mailto:")):
        return None
    return None if value.startswith("//") else value


_cleaner = nh3.Cleaner(
    tags={
        *("p", "br", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a", "h2", "h3"),
        *("table", "thead", "tbody", "tr", "th", "td", "figure", "figcaption", "img"),
    },
    attributes={
        "a": {"href"},
        "ol": {"start"},
        "h2": {"id"},
        "h3": {"id"},
        "img": {"src", "alt", "width", "height", "loading"},
    },
    allowed_classes={"ol": {"kb-steps"}, "figure": {"kb-fig"}},
    attribute_filter=_filtered,
    url_schemes={"http", "https", "mailto"},
    link_rel="noopener noreferrer",
)
