"""Who is at a ticket's page and with what right: its requester signed in, or the bearer of a link.

Both see the same pages; what differs is the actor that goes to the verbs and the addresses of the forms.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers, patch_cache_control
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from accounts.models import User
from content.text import MAX_TEXT
from tickets import policies
from tickets.actors import Actor
from tickets.enums import Purpose
from tickets.models import GuestToken, Ticket
from tickets.requesters import guests
from web.grants import granted

View = Callable[..., HttpResponse]
UNSENT = "unsent"


@dataclass(frozen=True)
class Access:
    ticket: Ticket
    actor: Actor
    token: GuestToken | None = None

    def url(self, name: str, **kwargs: Any) -> str:
        """The address of one of the ticket's pages for this person."""
        space = "guest" if self.token else "ticket"
        view = f"{space}_{name}" if name else space
        return reverse(f"portal:{view}", kwargs={"folio": self.ticket.folio, **kwargs})

    @property
    def purpose(self) -> str:
        return self.token.purpose if self.token else ""

    @property
    def home_url(self) -> str:
        """The page that this person came from."""
        return self.url("approval" if self.purpose == Purpose.APPROVE else "")

    @property
    def can_reply(self) -> bool:
        return policies.can_reply(self.actor, self.ticket)

    @property
    def can_rate(self) -> bool:
        return policies.can_rate(self.actor, self.ticket)

    @property
    def can_choose_notifications(self) -> bool:
        return policies.can_choose_notifications(self.actor, self.ticket)

    @property
    def version(self) -> int:
        """What forms carry. A member of the desk who asks for help is still staff to `events.require_fresh`."""
        staff = isinstance(self.actor, User) and self.actor.is_desk_staff
        return self.ticket.version if staff else self.ticket.public_version

    @property
    def files_key(self) -> str:
        """The name under which files of the next reply wait: the person's own, the same after signing in again."""
        who = f"guest {self.token.email}" if self.token else f"user {self.actor.pk}"  # type: ignore[union-attr]
        return salted_hmac("portal.reply", f"{who} {self.ticket.pk}", algorithm="sha256").hexdigest()


def ticket_view(*purposes: Purpose) -> Callable[[View], View]:
    """The view gets an `Access` in place of the folio. Strangers get 404, guests whose links fit none of `purposes`
    (any more) the page that says so. Nothing of it stays in a shared machine's cache."""

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapper(request: HttpRequest, folio: str, *, guest: bool = False, **kwargs: Any) -> HttpResponse:
            if guest:
                access = _guest(request, folio, purposes)
                response = view(request, access, **kwargs) if access else no_longer_valid(request)
                add_never_cache_headers(response)
                return response
            if not request.user.is_authenticated:
                return _sign_in(request, folio)
            response = view(request, _own(request.user, folio), **kwargs)
            patch_cache_control(response, private=True, no_cache=True)
            return response

        return wrapper

    return decorate


def _own(user: User, folio: str) -> Access:
    """What the person asked for; staff see everybody else's tickets in the back office, not here."""
    found = Ticket.objects.requested_by(user).filter(folio=folio)
    ticket = found.select_related("process_version", "category", "department", "assignee").first()
    if ticket is None:
        raise Http404
    ticket.requester = user
    return Access(ticket, user)


def _guest(request: HttpRequest, folio: str, purposes: tuple[Purpose, ...]) -> Access | None:
    tokens = granted(request)
    token = guests.still_valid(tokens, folio=folio, purposes=purposes) if tokens else None
    if token is None:
        return None
    if request.method == "POST":
        guests.note_use(token)
    return Access(token.ticket, guests.actor_of(token), token)


def no_longer_valid(request: HttpRequest) -> HttpResponse:
    """One page for links that never were, ran out or were withdrawn, and for addresses without a link."""
    if getattr(request, "htmx", False):
        # 286 ends htmx's polling. The page keeps what it shows and what is typed; sending that says why it is over.
        return HttpResponse(status=286, headers={"HX-Reswap": "none"})
    return render(request, "portal/guest/invalid.html", status=404)


def _sign_in(request: HttpRequest, folio: str) -> HttpResponse:
    """The session ended, or never was. What was posted waits for the person on the ticket's page."""
    if getattr(request, "htmx", False) or request.headers.get("X-Requested-With"):
        return HttpResponse(status=401)
    page = reverse("portal:ticket", kwargs={"folio": folio})
    if request.method != "POST":
        return redirect_to_login(request.get_full_path())
    body = request.POST.get("body", "")
    if body and len(body) <= MAX_TEXT:
        request.session[UNSENT] = {folio: body}
        messages.info(
            request, _("Tu sesión había terminado. Entra de nuevo: tu respuesta te espera en el ticket.")
        )
    return redirect_to_login(page)


def unsent(request: HttpRequest, folio: str) -> str:
    """A reply that came when the session had ended."""
    return str(request.session.get(UNSENT, {}).get(folio, ""))


def forget_unsent(request: HttpRequest) -> None:
    request.session.pop(UNSENT, None)
