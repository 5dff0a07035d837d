"""Which articles fit a ticket: internal procedures beside it, and answers to cite."""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef

from accounts.models import User
from content.search import score, words_of
from tickets.models import Ticket

from .enums import Audience
from .models import Article, ArticleScope
from .models.querysets import ArticleQuerySet

MOST = 5
LOOKED_AT = 50


@dataclass(frozen=True)
class Fit:
    """An article that fits a ticket. `scope` is the narrowest of its scopes that is true of the ticket."""

    article: Article
    scope: ArticleScope
    has_words: bool


def fitting(ticket: Ticket, *, reader: User, limit: int = MOST) -> list[Fit]:
    """Return the published internal procedures whose scopes are true of the ticket: department, process, category and
    stage (S2.36–S2.38). Those whose keywords stand in the ticket's title or excerpt come first, then the narrowest.

    Takes three queries, for `LOOKED_AT` articles at most.
    """
    return _fits(Article.objects.visible_to(reader).procedures(), ticket, limit)


def beside(ticket: Ticket, *, reader: User, limit: int = MOST) -> tuple[list[Fit], list[Fit]]:
    """Return what `fitting` and `answering` return, in three queries for both."""
    found = _fits(Article.objects.visible_to(reader), ticket, LOOKED_AT)
    internal = [fit for fit in found if fit.article.audience == Audience.INTERNAL]
    others = [fit for fit in found if fit.article.audience != Audience.INTERNAL]
    return internal[:limit], others[:limit]


def answering(ticket: Ticket, *, reader: User, limit: int = MOST) -> list[Fit]:
    """Return the published articles for customers whose scopes are true of the ticket, as `fitting` sorts them."""
    return _fits(Article.objects.visible_to(reader).exclude(audience=Audience.INTERNAL), ticket, limit)


def _fits(readable: ArticleQuerySet, ticket: Ticket, limit: int) -> list[Fit]:
    true = ArticleScope.objects.of_ticket(ticket)
    found = readable.published().filter(Exists(true.filter(article=OuterRef("pk"))))
    articles = list(
        found.select_related("section").with_published_texts().order_by("position", "pk")[:LOOKED_AT]
    )
    scopes: dict[int, ArticleScope] = {}
    for scope in true.filter(article__in=articles).order_by("pk"):
        known = scopes.get(scope.article_id)
        if known is None or _width(scope) < _width(known):
            scopes[scope.article_id] = scope
    text = f"{ticket.title}\n{ticket.excerpt}"
    fits = [
        Fit(article, scopes[article.pk], bool(article.words and score(words_of(article.words), [(1, text)])))
        for article in articles
        if article.pk in scopes
    ]
    fits.sort(key=lambda fit: (not fit.has_words, _width(fit.scope), fit.article.position, fit.article.pk))
    return fits[:limit]


def _width(scope: ArticleScope) -> int:
    """Return how many of its parts a scope leaves open."""
    return [bool(scope.department_id), bool(scope.process), bool(scope.category), bool(scope.stage)].count(
        False
    )
