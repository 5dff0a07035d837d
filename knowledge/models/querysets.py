"""Querysets of articles. `visible_to` and `in_portal` are the only ways to an article for a person."""

from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Prefetch, Q
from django.utils import timezone

from accounts.models import User

from ..enums import ArticleState, Audience

if TYPE_CHECKING:
    from tickets.models import Ticket


Reader = User | AnonymousUser | None
"""Somebody who reads. None and `AnonymousUser` are visitors without an account."""


def audiences_of(reader: Reader, *, in_portal: bool = False) -> list[Audience]:
    """Return the audiences whose published articles the person may read. In the portal nobody reads procedures."""
    if not isinstance(reader, User) or not reader.is_active:
        return [Audience.PUBLIC]
    if reader.is_desk_staff and not in_portal:
        return list(Audience)
    return [Audience.PUBLIC, Audience.CUSTOMERS]


class ArticleQuerySet(models.QuerySet[Any]):
    def visible_to(self, reader: Reader) -> "ArticleQuerySet":
        """Return the articles that the person may read: staff all of them, drafts included; others what is published
        for them."""
        if isinstance(reader, User) and reader.is_active_staff:
            return self
        return self.published().filter(audience__in=audiences_of(reader))

    def in_portal(self, reader: Reader) -> "ArticleQuerySet":
        """Return the articles that the person reads in the portal. Internal procedures are never among them, whoever
        asks."""
        return self.published().filter(audience__in=audiences_of(reader, in_portal=True))

    def published(self) -> "ArticleQuerySet":
        return self.filter(state=ArticleState.PUBLISHED)

    def procedures(self) -> "ArticleQuerySet":
        return self.filter(audience=Audience.INTERNAL)

    def due_for_review(self) -> "ArticleQuerySet":
        """Return the published articles whose review date has come, the oldest first."""
        return self.published().filter(review_on__lte=timezone.localdate()).order_by("review_on", "pk")

    def with_published_texts(self) -> "ArticleQuerySet":
        """Read the published texts too, without their bodies, for lists. Takes one more query."""
        texts: Any = self.model._meta.get_field("texts").related_model
        published = texts.objects.filter(published__isnull=False).select_related("published")
        return self.prefetch_related(Prefetch("texts", published.defer("published__body", "indexed_words")))

    def with_latest_texts(self) -> "ArticleQuerySet":
        """Read the latest version of each text too, without its body, for lists of those who write. One more query."""
        texts: Any = self.model._meta.get_field("texts").related_model
        latest = texts.objects.filter(latest__isnull=False).select_related("latest")
        return self.prefetch_related(Prefetch("texts", latest.defer("latest__body", "indexed_words")))


class ScopeQuerySet(models.QuerySet[Any]):
    def of_ticket(self, ticket: "Ticket") -> "ScopeQuerySet":
        """Return the scopes that are true of this ticket now."""
        category = ticket.category.key if ticket.category else ""
        return self.filter(
            Q(department=None) | Q(department=ticket.department_id),
            process__in=["", ticket.definition.key],
            category__in=["", category],
            stage__in=["", ticket.stage],
        )
