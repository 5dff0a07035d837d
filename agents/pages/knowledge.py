"""What the knowledge has for a ticket: procedures to follow, and articles to cite in an answer (S2.36–S2.38, S2.47)."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import cached_property

from content.article_markdown import plain, steps_of
from knowledge.enums import Audience
from knowledge.models import Article, ArticleVersion
from knowledge.procedures import Fit, beside
from tickets.enums import MessageKind
from tickets.models import Ticket

STEP, EXCERPT = 400, 600
MOST_STEPS = 20


@dataclass(frozen=True)
class Procedure:
    """A procedure beside a ticket: its steps, or the beginning of its text if it has none."""

    article: Article
    title: str
    number: int
    steps: list[str]
    excerpt: str

    @property
    def href(self) -> str:
        return reverse("agents:article", args=[self.article.slug])

    @property
    def slug(self) -> str:
        return self.article.slug

    @property
    def text(self) -> str:
        """The steps to insert in an internal note."""
        steps = [f"{number}. {step}" for number, step in enumerate(self.steps, 1)]
        return "\n".join([f"**{self.title}**", "", *(steps or [self.excerpt])])


class Knowledge:
    """The procedures and articles that fit a ticket. Takes four queries, one if nothing fits."""

    def __init__(self, request: Any, ticket: Ticket) -> None:
        self.request: HttpRequest = request
        self.user = request.user
        self.ticket = ticket

    @cached_property
    def _found(self) -> tuple[list[Fit], list[Fit]]:
        return beside(self.ticket, reader=self.user)

    @cached_property
    def procedures(self) -> list[Procedure]:
        texts = [(fit.article, fit.article.published_text()) for fit in self._found[0]]
        ids = [text.published_id for _article, text in texts if text and text.published_id]
        bodies = dict(ArticleVersion.objects.filter(pk__in=ids).values_list("pk", "body")) if ids else {}
        found = []
        for article, text in texts:
            if text is not None and text.published is not None:
                body = bodies.get(text.published.pk, "")
                steps = [plain(step, STEP) for step in steps_of(body)[:MOST_STEPS]]
                title, number = text.published.title, text.published.number
                found.append(Procedure(article, title, number, steps, "" if steps else plain(body, EXCERPT)))
        return found

    @cached_property
    def insertions(self) -> list[dict[str, Any]]:
        """What the composer offers by «/»: the link of an article in any message, the steps of a procedure only in an
        internal note, which the requester never reads. A text never moves from one kind of message to another."""
        return [*self._links(), *self._steps()]

    def _links(self) -> list[dict[str, Any]]:
        rows = []
        for fit in self._found[1]:
            if fit.article.audience != Audience.PUBLIC and self.ticket.requester_id is None:
                continue  # a guest has no account to read it with
            text = fit.article.published_text(self.ticket.requester_language)
            if text is None or text.published is None:
                continue
            address = self.request.build_absolute_uri(fit.article.address)
            title = text.published.title.replace("[", "(").replace("]", ")")
            rows.append(
                {
                    "slug": fit.article.slug,
                    "label": text.published.title,
                    "icon_name": "file-text",
                    "mode": "",
                    "text": f"[{title}]({address})",
                    "has_words": fit.has_words,
                }
            )
        return rows

    def _steps(self) -> list[dict[str, Any]]:
        return [
            {
                "slug": procedure.slug,
                "label": procedure.title,
                "icon_name": "lock",
                "mode": MessageKind.NOTE.value,
                "text": procedure.text,
            }
            for procedure in self.procedures
        ]

    @cached_property
    def cited(self) -> dict[str, Any] | None:
        """The article that a proposed answer cites: the first for customers whose keywords stand in the ticket."""
        return next((row for row in self._links() if row["has_words"]), None)

    def insertion(self, slug: str) -> dict[str, Any] | None:
        """Return what to insert for the article with this address, if it fits the ticket."""
        return next((row for row in self.insertions if row["slug"] == slug), None)
