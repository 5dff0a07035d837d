"""The help centre: its sections, what a list shows of an article, and the page of one."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from content.article_markdown import plain
from content.search import stems_of
from knowledge.enums import Audience, Missing
from knowledge.models import Article, ArticleFeedback, ArticleFile, ArticleText, Section
from knowledge.models.article import minutes_of
from knowledge.models.querysets import Reader
from knowledge.ranking import Found, Hit, Pieces, bodies_of, rank
from knowledge.rendering import rendered
from web.structured_data import structured_data

from . import topics
from .topics import Topic

LISTED = 4
"""The articles of each section on the page of the help centre."""
RELATED, LOOKED_AT = 4, 12
ALIKE, SAME_SECTION = 0.15, 0.25
BEFORE, AFTER = 60, 130
"""The letters of an excerpt before the first word that was found, and from it on."""


def address_of(article: Article, language: str = "") -> str:
    """Return the article's address; with a language, that of its text in it."""
    if language:
        return reverse("portal:article_in", args=[article.slug, language])
    return reverse("portal:article", args=[article.slug])


def row(article: Article) -> dict[str, Any]:
    """Return what a list shows of an article with its published texts."""
    text = article.published_text()
    version = text.published if text else None
    return {
        "href": address_of(article),
        "title": version.title if version else "",
        "summary": version.summary if version else "",
        "language": text.language if text else "",
        "helped": article.helped_percent,
    }


def sections(reader: Reader) -> list[dict[str, Any]]:
    """Return the sections that have an article for the person, each with its first articles. Takes four queries."""
    readable = Article.objects.in_portal(reader)
    every = list(Section.objects.all())
    branches = []
    for section in every:
        first = readable.filter(section=section).order_by("position", "slug").values("pk")[: LISTED + 1]
        branches.append(Article.objects.filter(pk__in=first).order_by().values_list("pk", flat=True))
    ids = (
        list(branches[0].union(*branches[1:], all=True) if len(branches) > 1 else branches[0])
        if branches
        else []
    )
    by_section: dict[int, list[Article]] = {}
    articles = Article.objects.filter(pk__in=ids).order_by("position", "slug").with_published_texts()
    for article in articles:
        by_section.setdefault(article.section_id, []).append(article)
    return [
        {
            "section": section,
            "href": reverse("portal:help_section", args=[section.slug]),
            "rows": [row(article) for article in by_section[section.pk][:LISTED]],
            "has_more": len(by_section[section.pk]) > LISTED,
        }
        for section in every
        if section.pk in by_section
    ]


def readable_sections(reader: Reader) -> list[Section]:
    """Return the sections that have an article for the person. One query."""
    own = Article.objects.in_portal(reader).filter(section=OuterRef("pk"))
    return list(Section.objects.filter(Exists(own)))


def crumbs(section: Section | None = None, title: str = "") -> list[dict[str, str]]:
    """Return the way to a page of the help centre."""
    way = [
        {"label": _("Inicio"), "href": reverse("portal:home")},
        {"label": _("Artículos de ayuda"), "href": reverse("portal:help")},
    ]
    if section:
        way.append({"label": str(section), "href": reverse("portal:help_section", args=[section.slug])})
    return [*way, {"label": title, "href": ""}] if title else way


def page(request: HttpRequest, article: Article, text: ArticleText) -> dict[str, Any]:
    """Return what the page of an article shows. `text` is one of its published texts."""
    version = text.published
    assert version is not None  # noqa: S101  (the caller found it published)
    readable = Article.objects.in_portal(request.user)
    body = rendered(
        article,
        version.body,
        readable=readable,
        file_address=file_address,
        article_address=lambda slug: reverse("portal:article", args=[slug]),
    )
    return {
        "article": article,
        "shown": text,
        "version": version,
        "body": body,
        "crumbs": crumbs(article.section, version.title),
        "others": [other for other in article.texts.all() if other.published_id and other.pk != text.pk],
        "is_translated": text.language == (get_language() or "")[:2],
        "files": [
            file for file in article.files.all() if file.file and not file.is_image and not file.is_held
        ],
        "topic": topic_of(article),
        "related": related(request.user, article),
        "canonical": canonical(request, article, text.language),
        "structured": _structured(request, article, text) if article.audience == Audience.PUBLIC else "",
    }


def file_address(file: ArticleFile) -> str:
    return reverse("web:article_file", args=[file.uuid])


def canonical(request: HttpRequest, article: Article, language: str) -> str:
    """Return the one address by which search engines know the text."""
    return request.build_absolute_uri(address_of(article, language))


def topic_of(article: Article) -> Topic | None:
    """Return the topic under which somebody goes on whom the article did not help: the first of its scopes that the
    desk offers."""
    for scope in article.scopes.all():
        if scope.topic and (topic := topics.find(scope.topic)):
            return topic
    return None


def related(reader: Reader, article: Article) -> list[dict[str, Any]]:
    """Return articles that are about the same, as rows; those of the same section count more."""
    language = (get_language() or "")[:2]
    text = article.published_text(language)
    title = text.published.title if text and text.published else ""
    hits = rank(title, reader=reader, language=language, limit=LOOKED_AT, least=ALIKE)
    hits.sort(key=lambda hit: -(hit.score + SAME_SECTION * (hit.article.section_id == article.section_id)))
    others = [hit for hit in hits if hit.article.pk != article.pk][:RELATED]
    return [{"href": address_of(hit.article), "title": hit.title} for hit in others]


def vote(
    article: Article, text: ArticleText, feedback: ArticleFeedback | None, *, is_complete: bool = False
) -> dict[str, Any]:
    """Return what the question «¿Te sirvió?» shows: how others answered, and what this person did. `is_complete` is
    True just after a «No» was sent with its reason, even an empty one: it is thanked for and not asked for again."""
    yes, total = article.yes_count, article.yes_count + article.no_count
    return {
        "action": reverse("portal:article_vote", args=[article.slug]),
        "language": text.language,
        "yes": yes,
        "total": total,
        "given": feedback,
        "asks_why": feedback is not None
        and not is_complete
        and not feedback.is_useful
        and not (feedback.missing or feedback.comment),
        "missing": Missing.choices,
    }


def hit_rows(found: Found, hits: list[Hit]) -> list[dict[str, Any]]:
    """Return what a list of results shows of each article: title and excerpt in pieces, each with whether it was looked
    for. One query."""
    bodies = bodies_of(hits)
    return [
        {
            "href": address_of(hit.article),
            "language": hit.text.language,
            "title": found.marked(hit.title),
            "text": excerpt(hit, body, found),
            "section": str(hit.article.section),
            "minutes": minutes_of(body),
            "helped": hit.article.helped_percent,
        }
        for hit in hits
        for body in [bodies.get(hit.text.published_id or 0, "")]
    ]


def excerpt(hit: Hit, body: str, found: Found) -> Pieces:
    """Return the summary, or the place in the text where the words stand if neither title nor summary has them."""
    pieces = found.marked(hit.summary)
    if hit.summary and any(is_found for _text, is_found in [*found.marked(hit.title), *pieces]):
        return pieces
    text = plain(body)
    place = _first_place(found.marked(text))
    if place is None:
        return pieces or found.marked(text[: BEFORE + AFTER])
    start = max(0, place - BEFORE)
    start = text.find(" ", start, place) + 1 if start else 0
    shown = text[start : place + AFTER]
    cut = f"{'…' if start else ''}{shown}{'…' if len(text) > place + AFTER else ''}"
    return found.marked(cut)


def _first_place(pieces: Iterable[tuple[str, bool]]) -> int | None:
    at = 0
    for text, is_found in pieces:
        if is_found:
            return at
        at += len(text)
    return None


def synonyms_of(found: Found) -> dict[str, list[tuple[frozenset[str], ...]]]:
    """Return for each word of the query the other phrases that mean the same, as stems."""
    return {
        term.word: [phrase.words for phrase in term.phrases if phrase.words != (stems_of(term.word),)]
        for term in found.analysis.terms
    }


def _structured(request: HttpRequest, article: Article, text: ArticleText) -> str:
    version = text.published
    assert version is not None  # noqa: S101
    return structured_data(
        {
            "@context": "https://schema.org",
            "@type": "TechArticle",
            "headline": version.title,
            "description": version.summary,
            "inLanguage": text.language,
            "datePublished": article.created_at.isoformat(),
            "dateModified": article.updated_at.isoformat(),
            "mainEntityOfPage": canonical(request, article, text.language),
            "articleSection": str(article.section),
            "publisher": {"@type": "Organization", "name": settings.DESK_NAME},
        }
    )
