"""Count deflections: tickets that an answer made unnecessary (S3.20).

It counts only if the person said «Esto lo resolvió» and filed nothing in that category, on whatever way in, for `DAYS`
days. Then the row forgets who they were.
"""

import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.models import User
from content.batches import delete_in_batches
from tickets.models import Ticket

from .enums import DeflectionOutcome
from .models import Article, Deflection
from .suggestions.offers import Suggestion

DAYS = 7
"""The days in which a ticket of the same category takes the count back."""
AT_ONCE = 500
KEPT_DAYS = 730
REPORTED_DAYS = 90

PENDING, COUNTED, FILED = DeflectionOutcome.PENDING, DeflectionOutcome.COUNTED, DeflectionOutcome.FILED
NOBODY = {"user": None, "visitor": "", "draft": None}


@transaction.atomic
def record(
    suggestion: Suggestion,
    *,
    process: str,
    category: str,
    user: User | None = None,
    visitor: str = "",
    draft: uuid.UUID | None = None,
) -> Deflection | None:
    """Note that the suggestion helped a person, who is `user` or the browser `visitor`. Returns None without either.

    One person has one row that is not decided for each category: saying it again names the other answer, and the days
    begin anew. Unique constraints keep it so when two tabs say it at the same time.
    """
    if user is None and not visitor:
        return None
    said = {"article": suggestion.article, "pattern": suggestion.pattern, "draft": draft}
    try:
        with transaction.atomic():
            return _write(process, category, user, visitor, said)
    except IntegrityError:  # another request wrote the row meanwhile: now it is found
        return _write(process, category, user, visitor, said)


def _write(process: str, category: str, user: User | None, visitor: str, said: dict[str, Any]) -> Deflection:
    """Save the one row of the person. A row of the account and one of the browser, from before the person signed in,
    become one."""
    mine = _pending_of(user, visitor).filter(process=process, category=category)
    row, *others = [*mine.select_for_update()] or [Deflection(process=process, category=category)]
    Deflection.objects.filter(pk__in=[other.pk for other in others]).delete()
    row.user, row.visitor, row.at = user or row.user, visitor, timezone.now()
    for name, value in said.items():
        setattr(row, name, value)
    row.save()
    return row


def of_draft(draft: uuid.UUID, *, user: User | None, visitor: str) -> Deflection | None:
    """Return what this person said about the report they were writing; None if nothing, or if it has been decided."""
    mine = _pending_of(user, visitor).filter(draft=draft)
    found: Deflection | None = mine.select_related("article", "pattern").first()
    return found


def take_back(*, process: str, category: str, user: User | None, visitor: str) -> int:
    """Do not count what this person said: they have filed a ticket of the category after all. Returns how many rows."""
    if user is None and not visitor:
        return 0
    since = timezone.now() - timedelta(days=DAYS)
    mine = _pending_of(user, visitor).filter(process=process, category=category, at__gte=since)
    return mine.update(outcome=FILED, **NOBODY)


def settle(*, now: datetime | None = None) -> int:
    """Decide what was said more than `DAYS` days ago, and forget who said it. Returns how many rows were decided.

    Tickets on any way in are looked for by account. A guest's are known by the browser alone (`take_back`).
    """
    now = now or timezone.now()
    due = Deflection.objects.filter(outcome=PENDING, at__lt=now - timedelta(days=DAYS)).order_by("at", "pk")
    filed = Ticket.objects.annotate(topic=Coalesce("category__key", Value(""))).filter(
        requester=OuterRef("user"),
        process_version__process__key=OuterRef("process"),
        topic=OuterRef("category"),
        created_at__gte=OuterRef("at"),
        created_at__lte=OuterRef("at") + timedelta(days=DAYS),
    )
    total = 0
    while rows := list(due.annotate(has_filed=Exists(filed)).values_list("pk", "has_filed")[:AT_ONCE]):
        for outcome, has_filed in ((FILED, True), (COUNTED, False)):
            ids = [pk for pk, each in rows if each is has_filed]
            Deflection.objects.filter(pk__in=ids, outcome=PENDING).update(outcome=outcome, **NOBODY)
        total += len(rows)
    return total


def counted(
    *, days: int = REPORTED_DAYS, articles: Collection[Article] | None = None
) -> "QuerySet[Deflection]":
    """Return the rows of the last `days` days that count, all or those of these articles."""
    since = timezone.now() - timedelta(days=days)
    rows = Deflection.objects.filter(outcome=COUNTED, at__gte=since)
    return rows if articles is None else rows.filter(article__in=articles)


def most_helpful(*, days: int = REPORTED_DAYS, limit: int = 20) -> list[tuple[Article, int]]:
    """Return the articles that deflected most tickets, with how many. Two queries."""
    counts = counted(days=days).exclude(article=None).order_by().values("article").annotate(n=Count("pk"))
    numbers = {row["article"]: row["n"] for row in counts.order_by("-n", "article")[:limit]}
    articles = Article.objects.filter(pk__in=numbers).with_published_texts()
    return sorted(((each, numbers[each.pk]) for each in articles), key=lambda pair: (-pair[1], pair[0].pk))


def by_pattern(*, days: int = REPORTED_DAYS) -> dict[int, int]:
    """Return how many tickets each solution that repeats itself deflected, by its id. One query."""
    rows = counted(days=days).exclude(pattern=None).order_by().values_list("pattern")
    return dict(rows.annotate(n=Count("pk")))


def forget_old() -> int:
    """Delete the rows that no report shows any more. Returns how many."""
    decided = Deflection.objects.filter(outcome__in=[COUNTED, FILED])
    return delete_in_batches(decided.filter(at__lt=timezone.now() - timedelta(days=KEPT_DAYS)))


def _pending_of(user: User | None, visitor: str) -> "QuerySet[Deflection]":
    mine = Q(visitor=visitor) if visitor else Q(pk=None)
    if user is not None:
        mine |= Q(user=user)
    return Deflection.objects.filter(mine, outcome=PENDING)
