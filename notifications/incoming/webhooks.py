"""Receive mails and delivery reports from the provider that sends our mail, through anymail.

The pages exist only for the provider in use, and only if it proves that it calls: by the secret in
`ANYMAIL_WEBHOOK_SECRET`, or by a signature that anymail demands of that provider.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from anymail.signals import AnymailInboundEvent, AnymailTrackingEvent, inbound, tracking
from anymail.urls import urlpatterns as every_provider
from anymail.utils import get_request_basic_auth
from django.conf import settings
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.crypto import constant_time_compare

from tickets.enums import DeliveryProblem, DeliveryState
from tickets.record import deliveries

from ..enums import MailState
from ..models import OutgoingEmail
from . import mime, receiving

OUTCOMES = {
    "delivered": (DeliveryState.DELIVERED, ""),
    "bounced": (DeliveryState.BOUNCED, DeliveryProblem.BOUNCED),
    "rejected": (DeliveryState.BOUNCED, DeliveryProblem.BOUNCED),
    "complained": (DeliveryState.BOUNCED, DeliveryProblem.COMPLAINT),
}
"""What our pages show, by what anymail calls the event."""
LARGEST_BODY = 2 * mime.MAX_BYTES
"""Providers send a mail in base64, within JSON."""

View = Callable[..., HttpResponse]


def patterns() -> list[URLPattern]:
    """Return the URLs of the provider in use; none if nothing would prove that it calls."""
    found = []
    for pattern in every_provider:
        view: Any = pattern.callback
        is_ours = pattern.name and pattern.name.startswith(f"{settings.MAIL_PROVIDER}_")
        if is_ours and (secrets() or not view.view_class.warn_if_no_basic_auth):
            route = f"{settings.MAIL_PROVIDER}/{'inbound' if 'inbound' in pattern.name else 'tracking'}/"
            found.append(path(route, with_room(view), name=pattern.name))
    return found


def secrets() -> list[str]:
    """Return the pairs `user:password` with which the provider may call."""
    value = settings.ANYMAIL.get("WEBHOOK_SECRET") or []
    return [value] if isinstance(value, str) else list(value)


def with_room(view: View) -> View:
    """Let a caller who has the secret send larger bodies than forms may be: a mail with its files. A stranger's body is
    not read."""

    @wraps(view)
    def roomy(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        given = get_request_basic_auth(request)
        is_known = bool(given) and any(constant_time_compare(given, secret) for secret in secrets())
        length = int(request.META.get("CONTENT_LENGTH") or 0)
        if is_known and length <= LARGEST_BODY and request.content_type == "application/json":
            request._body = request.read()  # noqa: SLF001  (what `request.body` returns, without its limit)
        return view(request, *args, **kwargs)

    roomy.csrf_exempt = True  # type: ignore[attr-defined]
    return roomy


@receiver(inbound, dispatch_uid="notifications.receive_from_provider")
def receive_from_provider(event: AnymailInboundEvent, **kwargs: Any) -> None:
    """Receive the mail. An error of the database is raised: the provider gets 500 and tries again."""
    message = event.message
    envelope = getattr(message, "envelope_recipient", None) or ""
    if envelope and not message.get("Delivered-To"):
        message["Delivered-To"] = envelope
    receiving.receive(message.as_bytes(policy=mime.POLICY), mailbox=settings.DESK_SUPPORT_EMAIL)


@receiver(tracking, dispatch_uid="notifications.note_delivery")
def note_delivery(event: AnymailTrackingEvent, **kwargs: Any) -> None:
    """Note what became of a mail of ours, which the provider names by what we gave it to keep."""
    number = str((event.metadata or {}).get("mail", ""))
    if event.event_type not in OUTCOMES or not number.isascii() or not number.isdigit():
        return
    mail = OutgoingEmail.objects.filter(pk=int(number[:18]), recipient__iexact=event.recipient or "").first()
    if mail is None:
        return
    state, problem = OUTCOMES[event.event_type]
    detail = " ".join(
        str(part) for part in (event.reject_reason, event.description, event.mta_response) if part
    )
    if state == DeliveryState.BOUNCED:
        OutgoingEmail.objects.filter(pk=mail.pk, state=MailState.SENT).update(
            state=MailState.FAILED, last_error=detail[:300]
        )
    if mail.delivery_id is not None:
        deliveries.report(mail.delivery_id, state, problem=problem, detail=detail)
