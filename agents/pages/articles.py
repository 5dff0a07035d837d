"""The articles as those who write them see them: the views of the list, its rows, and the page of one article."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from content.search import score, words_of
from knowledge.enums import ArticleState
from knowledge.models import Article, ArticleFile, ArticleText
from knowledge.models.querysets import ArticleQuerySet
from knowledge.ranking import search
from knowledge.reviews import asked_of

PAGE = 25
FOUND = 40
"""The articles that a search shows of the published ones, and as many of those that are not."""
LOOKED_AT = 500
"""The newest articles of a state that is not published whose titles are compared with the words."""
NEWEST = ("-updated_at", "-id")
ASKED_OF_ME = "me-piden"
VIEWS: dict[str, tuple[ArticleState | None, Any, tuple[str, ...]]] = {
    "publicados": (ArticleState.PUBLISHED, _("Publicados"), NEWEST),
    "borradores": (ArticleState.DRAFT, _("Borradores"), NEWEST),
    "por-revisar": (ArticleState.PUBLISHED, _("Por revisar"), ("review_on", "id")),
    ASKED_OF_ME: (None, _("Te piden revisar"), NEWEST),
    "archivados": (ArticleState.ARCHIVED, _("Archivados"), NEWEST),
}
"""The views of the list: the state of their articles (None for any), their name and their order, which an index has."""


def listed(user: User, view: str, chosen: dict[str, Any]) -> ArticleQuerySet:
    """Return the articles of a view that fit what was chosen, but for the words."""
    state, _name, order = VIEWS[view]
    rows: ArticleQuerySet = Article.objects.visible_to(user)
    rows = rows.filter(state=state) if state else rows.filter(pk__in=asked_of(user).values("article"))
    if view == "por-revisar":
        rows = rows.due_for_review()
    if section := chosen.get("seccion"):
        rows = rows.filter(section__slug=section)
    if audience := chosen.get("quien"):
        rows = rows.filter(audience=audience)
    if language := chosen.get("idioma"):
        rows = rows.filter(Exists(ArticleText.objects.filter(article=OuterRef("pk"), language=language)))
    if chosen.get("propios"):
        rows = rows.filter(owner=user)
    return rows.order_by(*order).select_related("section", "owner").with_latest_texts()


def found(user: User, view: str, chosen: dict[str, Any]) -> list[Article]:
    """Return the articles of a view that have something of the words, best first; at most `FOUND`.

    The published ones are found by the index of the search; of the others, which it does not have, the titles of the
    newest `LOOKED_AT` are compared.
    """
    rows, words = listed(user, view, chosen), chosen["q"]
    if VIEWS[view][0] == ArticleState.PUBLISHED:
        hits = search(words, reader=user, language=(get_language() or "")[:2], in_portal=False, limit=FOUND)
        ids = [hit.article.pk for hit in hits.hits]
    else:
        newest = rows.prefetch_related(None).order_by(*NEWEST).values("pk")[:LOOKED_AT]
        ids = _alike(list(newest.values_list("pk", flat=True)), words)
    place = {pk: number for number, pk in enumerate(ids)}
    return sorted(rows.filter(pk__in=ids), key=lambda article: place[article.pk])


def _alike(ids: Sequence[int], words: str) -> list[int]:
    """Return the articles whose latest title has the words, best first."""
    titles = ArticleText.objects.filter(article__in=ids, latest__isnull=False)
    wanted = words_of(words)
    scores: dict[int, float] = {}
    for pk, title in titles.values_list("article_id", "latest__title"):
        scores[pk] = max(scores.get(pk, 0), score(wanted, [(1, title)]))
    best = sorted((pk for pk in ids if scores.get(pk)), key=lambda pk: -scores[pk])
    return best[:FOUND]


def row(article: Article, today: date | None = None, *, to_review: bool = False) -> dict[str, Any]:
    """Return what the list shows of an article with its latest texts. One `to_review` leads to the editor, where its
    reviewer answers."""
    text = article.latest_text()
    latest = text.latest if text else None
    texts = [each for each in article.texts.all() if each.latest_id]
    return {
        "article": article,
        "href": reverse("agents:article_edit" if to_review else "agents:article", args=[article.slug]),
        "title": latest.title if latest else article.slug,
        "language": text.language if text else "",
        "languages": [each.language for each in texts],
        "has_changes": article.is_published and any(each.has_unpublished_changes for each in texts),
        "is_due": bool(
            article.is_published
            and article.review_on
            and article.review_on <= (today or timezone.localdate())
        ),
        "helped": article.helped_percent,
    }


def file_address(file: ArticleFile) -> str:
    return reverse("web:article_file", args=[file.uuid])


def article_address(slug: str) -> str:
    return reverse("agents:article", args=[slug])
