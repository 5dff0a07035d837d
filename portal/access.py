"""Access to the portal pages of one ticket: for its signed-in requester, or for a guest with a link.

Both see the same pages. They differ in the actor that is passed to the verbs and in the addresses of the forms.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers, patch_cache_control
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from accounts.models import User
from content.text import MAX_TEXT
from tickets import policies
from tickets.actors import Actor, Guest
from tickets.enums import Purpose
from tickets.models import GuestToken, Ticket
from tickets.requesters import guests
from web.expired import has_text, session_ended
from web.folios import canonical_address
from web.grants import granted

View = Callable[..., HttpResponse]
UNSENT = "unsent"
UNSENT_KEPT = 5  # replies per session; the oldest is dropped for a new one


@dataclass(frozen=True)
class Access:
    """One person's access to one ticket. `token` is None for the signed-in requester."""

    ticket: Ticket
    actor: Actor
    token: GuestToken | None = None

    def url(self, name: str, **kwargs: Any) -> str:
        """Return the address of the ticket's page `name` for this person; with an empty name, of its main page."""
        space = "guest" if self.token else "ticket"
        view = f"{space}_{name}" if name else space
        return reverse(f"portal:{view}", kwargs={"folio": self.ticket.folio, **kwargs})

    @property
    def purpose(self) -> str:
        return self.token.purpose if self.token else ""

    @property
    def home_url(self) -> str:
        """The page to return to after a form: the approval page for an approval link, else the ticket's main page."""
        return self.url("approval" if self.purpose == Purpose.APPROVE else "")

    @property
    def only_reads(self) -> bool:
        """Whether the guest's link has just been revoked, so that they may see the result and nothing else."""
        return isinstance(self.actor, Guest) and self.actor.only_reads

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
        """The version number in this person's forms: `version` for staff, also on a ticket that they filed, else
        `public_version`.

        `require_fresh` compares the posted number with the same field.
        """
        staff = isinstance(self.actor, User) and self.actor.is_desk_staff
        return self.ticket.version if staff else self.ticket.public_version

    @property
    def files_key(self) -> str:
        """The `draft_key` of files for this person's next reply. It is the same after signing in again."""
        who = f"guest {self.token.email}" if self.token else f"user {self.actor.pk}"  # type: ignore[union-attr]
        return salted_hmac("portal.reply", f"{who} {self.ticket.pk}", algorithm="sha256").hexdigest()


def ticket_view(*purposes: Purpose) -> Callable[[View], View]:
    """Decorate a view of one ticket: it receives an `Access` in place of the folio.

    A signed-in person who is not the requester gets 404. A visitor who is not signed in is sent to sign in. On guests'
    addresses, a visitor without a valid link for one of `purposes` gets `ended_link_page` or `invalid_link_page`.
    Browsers never store a guest's pages, and must ask the server before they show a requester's page again. An address
    that opens nothing is tried again with its folio in the stored form (`canonical_address`).
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapper(request: HttpRequest, folio: str, *, guest: bool = False, **kwargs: Any) -> HttpResponse:
            address = canonical_address(request)
            if guest:
                access = _guest(request, folio, purposes)
                if access is None and address:
                    return redirect(address)
                response = view(request, access, **kwargs) if access else _without_link(request, folio)
                add_never_cache_headers(response)
                return response
            if not request.user.is_authenticated:
                return _sign_in(request, folio)
            try:
                own = _own(request.user, folio)
            except Http404:
                if address:
                    return redirect(address)
                raise
            response = view(request, own, **kwargs)
            patch_cache_control(response, private=True, no_cache=True)
            return response

        return wrapper

    return decorate


def _own(user: User, folio: str) -> Access:
    """Return the requester's access to their ticket, or raise 404. Staff get 404 too: they read others' tickets in the
    back office."""
    found = Ticket.objects.requested_by(user).filter(folio=folio)
    ticket = found.select_related("category", "department", "assignee").first()
    if ticket is None:
        raise Http404
    ticket.requester = user
    return Access(ticket, user)


def _guest(request: HttpRequest, folio: str, purposes: tuple[Purpose, ...]) -> Access | None:
    """Return the guest's access, or None without a valid link for one of `purposes`. A POST marks the link as used."""
    tokens = granted(request)
    find = guests.find_readable if request.method in ("GET", "HEAD") else guests.find_valid
    token = find(tokens, folio=folio, purposes=purposes) if tokens else None
    if token is None:
        return None
    if request.method == "POST":
        guests.record_use(token)
    return Access(token.ticket, guests.guest_of(token), token)


def _without_link(request: HttpRequest, folio: str) -> HttpResponse:
    """Answer a guest who has no valid link for this page of ticket `folio`: say what ended the link that this browser
    has opened, if any. What they typed waits in the session for the new link."""
    tokens = granted(request)
    ended = guests.find_ended(tokens, folio=folio) if tokens else None
    if ended is None:
        return invalid_link_page(request)
    if request.method == "POST":
        keep_unsent(request, folio, _message_in(request))
    return ended_link_page(request, ended)


def _message_in(request: HttpRequest) -> str:
    """Return the posted message to the team: that of a reply, or of an action (`<action>-message`)."""
    field = next((name for name in request.POST if name == "body" or name.endswith("-message")), "")
    return request.POST.get(field, "")


def invalid_link_page(request: HttpRequest) -> HttpResponse:
    """Answer 404 with the same page for unknown links, for links of somebody who is not the requester, and for visitors
    who have opened no link. A poll by htmx gets 286 without a page.

    A browser that comes to a guest's page without any cookie may just have followed a good link and dropped our
    cookie: the page then says how to allow cookies, too.
    """
    if _is_poll(request):
        return _stop_polling()
    arrived = request.resolver_match is not None and "token" not in request.resolver_match.kwargs
    context = {"may_block_cookies": arrived and not request.COOKIES}
    return render(request, "portal/guest/invalid.html", context, status=404)


def ended_link_page(request: HttpRequest, token: GuestToken) -> HttpResponse:
    """Answer 410 with what ended the link, how the ticket stands and a button that mails a new link. A poll by htmx
    gets 286 without a page."""
    if _is_poll(request):
        return _stop_polling()
    context = {"token": token, "ticket": token.ticket, "unsent": unsent_reply(request, token.ticket.folio)}
    return render(request, "portal/guest/ended.html", context, status=410)


def _is_poll(request: HttpRequest) -> bool:
    return bool(getattr(request, "htmx", False)) and request.method == "GET"


def _stop_polling() -> HttpResponse:
    """Return status 286, which makes htmx stop polling without changing the page, so that the typed text stays. A form
    that is later sent from that page without htmx gets the whole page."""
    return HttpResponse(status=286, headers={"HX-Reswap": "none"})


def _sign_in(request: HttpRequest, folio: str) -> HttpResponse:
    """Send a person who is not signed in to the sign-in page; requests by scripts get 401.

    A posted reply is stored in the session, and the ticket's page shows it again after signing in. Another form with
    something typed is shown again.
    """
    if getattr(request, "htmx", False) or request.headers.get("X-Requested-With"):
        return HttpResponse(status=401)
    page = reverse("portal:ticket", kwargs={"folio": folio})
    if request.method != "POST":
        return redirect_to_login(request.get_full_path())
    if keep_unsent(request, folio, _message_in(request)):
        messages.info(
            request, _("Tu sesión había terminado. Entra de nuevo: tu respuesta te espera en el ticket.")
        )
    elif has_text(request):
        return session_ended(request)
    return redirect_to_login(page)


def account_view(view: View) -> View:
    """Decorate a page of one's own account: nobody else gets in. What was typed into its form before the session ended
    is shown again."""

    @wraps(view)
    def wrapper(request: HttpRequest, /, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated:
            return view(request, **kwargs)
        if request.method == "POST" and has_text(request):
            return session_ended(request)
        return redirect_to_login(request.get_full_path())

    return wrapper


def keep_unsent(request: HttpRequest, folio: str, body: str) -> bool:
    """Keep a reply that could not be sent in the session, and return whether it was kept: not if it is empty or too
    long."""
    kept = bool(body) and len(body) <= MAX_TEXT
    if kept:
        others = {key: text for key, text in request.session.get(UNSENT, {}).items() if key != folio}
        request.session[UNSENT] = dict(list({**others, folio: body}.items())[-UNSENT_KEPT:])
    return kept


def unsent_reply(request: HttpRequest, folio: str) -> str:
    """Return the reply that `keep_unsent` stored for this ticket; an empty text if there is none."""
    return str(request.session.get(UNSENT, {}).get(folio, ""))


def forget_unsent_reply(request: HttpRequest, folio: str) -> None:
    """Delete the reply that `_sign_in` stored for this ticket. Those for other tickets stay."""
    replies = request.session.get(UNSENT, {})
    if folio in replies:
        request.session[UNSENT] = {key: text for key, text in replies.items() if key != folio}
