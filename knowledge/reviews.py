"""Ask a colleague to read an article, and answer (S2.47). Both are told: `review_asked` and `review_answered`."""

from django.db import transaction
from django.db.models import QuerySet
from django.dispatch import Signal
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.enums import Role
from accounts.models import User
from content.text import clean_line

from . import policies
from .exceptions import NotAllowed, NotReviewable
from .models import Article, ReviewRequest
from .models.article import REVIEW_NOTE

review_asked = Signal()
"""Sent with `request=`, inside the transaction: an open `ReviewRequest`, which is new or was asked again."""
review_answered = Signal()
"""Sent with `request=`, inside the transaction: the `ReviewRequest` that its reviewer has just answered."""


def colleagues(actor: User) -> "QuerySet[User]":
    """Return whom this person may ask: all other staff."""
    staff = User.objects.filter(role__in=[Role.AGENT, Role.SUPERVISOR], is_active=True)
    return staff.exclude(pk=actor.pk).order_by("name")


@transaction.atomic
def ask(article: Article, *, actor: User, reviewer: User, note: str = "") -> ReviewRequest:
    """Ask a colleague to read the article, and return the request. One that is open already gets the new note.

    Raises `NotAllowed`, and `NotReviewable` for a colleague who cannot be asked."""
    if not policies.can_write(actor):
        raise NotAllowed
    if not colleagues(actor).filter(pk=reviewer.pk).exists():
        raise NotReviewable(_("Elige a otra persona del equipo para que lo revise."))
    request, _is_new = ReviewRequest.objects.update_or_create(
        article=article,
        reviewer=reviewer,
        answered_at=None,
        defaults={
            "asked_by": actor,
            "note": clean_line(note, max_length=REVIEW_NOTE),
            "at": timezone.now(),
        },
    )
    review_asked.send(sender=ReviewRequest, request=request)
    return request


@transaction.atomic
def answer(article: Article, *, actor: User, said: str = "") -> ReviewRequest | None:
    """Answer what this person was asked about the article, and return the request. None if nothing is open: twice is
    once."""
    request = asked_of(actor).select_for_update(of=("self",)).filter(article=article).first()
    if request is None:
        return None
    request.answer, request.answered_at = clean_line(said, max_length=REVIEW_NOTE), timezone.now()
    request.save(update_fields=["answer", "answered_at"])
    review_answered.send(sender=ReviewRequest, request=request)
    return request


def asked_of(user: User) -> "QuerySet[ReviewRequest]":
    """Return the open requests that wait for this person."""
    return ReviewRequest.objects.filter(reviewer=user, answered_at=None)


def requests_of(article: Article, *, limit: int = 5) -> list[ReviewRequest]:
    """Return the newest requests about the article, answered or not."""
    return list(article.review_requests.select_related("asked_by", "reviewer")[:limit])
