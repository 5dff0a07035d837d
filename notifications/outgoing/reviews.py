"""The mails about reviews of articles: to the colleague who is asked, and back to who asked (S2.47)."""

from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import User
from knowledge.models import ReviewRequest

from . import outbox
from .cases import address

ASKED, ANSWERED = "review_asked", "review_answered"


def tell_reviewer(request: ReviewRequest) -> None:
    """Put the mail that asks for the review into the outbox."""
    _enqueue(request, ASKED, request.reviewer, actor=request.asked_by, words=request.note)


def tell_who_asked(request: ReviewRequest) -> None:
    """Put the mail with the answer into the outbox."""
    if request.asked_by:
        _enqueue(request, ANSWERED, request.asked_by, actor=request.reviewer, words=request.answer)


def _enqueue(request: ReviewRequest, template: str, user: User, *, actor: User | None, words: str) -> None:
    """Queue the mail, unless its reader wants none."""
    if not user.is_active or not user.notify_by_email:
        return
    with translation.override(user.language):
        text = request.article.latest_text()
        title = text.latest.title if text and text.latest else request.article.slug
        names = {"name": actor or settings.DESK_NAME, "title": title}
        said = {
            ASKED: _("%(name)s te pide revisar «%(title)s»"),
            ANSWERED: _("%(name)s revisó «%(title)s»"),
        }
        message = _composed(request, user, subject=said[template] % names, words=words)
    outbox.enqueue_account_mail(
        message, template=template, user=user, language=user.language, expires_at=None, is_urgent=False
    )


def _composed(request: ReviewRequest, user: User, *, subject: str, words: str) -> EmailMultiAlternatives:
    facts: dict[str, Any] = {
        "desk": {
            "name": settings.DESK_NAME,
            "support_email": settings.DESK_SUPPORT_EMAIL,
            "support_phone": settings.DESK_SUPPORT_PHONE,
        },
        "subject": subject,
        "words": words,
        "url": address("agents:article_edit", request.article.slug),
        "button": _("Abrir el artículo"),
    }
    message = EmailMultiAlternatives(
        subject, render_to_string("emails/review/body.txt", facts), to=[user.email]
    )
    message.attach_alternative(render_to_string("emails/review/body.html", facts), "text/html")
    return message
