"""Views for guests: opening the link of a mail, and asking for a new one."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tickets import folios
from tickets.enums import Purpose
from tickets.exceptions import EndedLink, InvalidToken
from tickets.models import GuestToken
from tickets.requesters import guests
from web.grants import grant, granted
from web.in_place import in_place
from web.ratelimit import by_ip, limited

from ..access import ended_link_page, invalid_link_page
from ..forms.ticket import ResendForm

# The page of each kind of link, and of the addresses below a link: for a guest, and for the requester when signed in.
PAGES = {
    Purpose.FOLLOW: ("portal:guest", "portal:ticket"),
    Purpose.CONTRIBUTE: ("portal:guest", "portal:ticket"),
    Purpose.APPROVE: ("portal:guest_approval", "portal:ticket"),
    Purpose.SURVEY: ("portal:guest_survey", "portal:ticket_survey"),
    "due": ("portal:guest_due", "portal:ticket_due"),
}


@limited("link", rate="60/10m", by=by_ip, methods=("GET", "HEAD"))
@require_safe
def guest_link(request: HttpRequest, token: str, *, page: str = "") -> HttpResponse:
    """Exchange a link's token for a cookie and redirect to an address without the token: `page` of the ticket, or else
    the page of the link's purpose. Writes nothing to the database (see `web.grants`).

    Only the redirect forbids the referrer. With a page that does, browsers send its forms with «Origin: null», which
    the CSRF check refuses; `SECURE_REFERRER_POLICY` keeps the token from other sites.
    """
    try:
        found = guests.redeem(token)
    except EndedLink as ended:
        response = ended_link_page(request, ended.token)
        grant(
            request, response, ended.token
        )  # it opens nothing any more, but says whose new link `renew_link` mails
    except InvalidToken:
        response = invalid_link_page(request)
    else:
        guest_page, own_page = PAGES[page or found.purpose]
        own = request.user.is_authenticated and found.ticket.requester_id == request.user.pk
        response = redirect(own_page if own else guest_page, found.ticket.folio)
        if not own:
            grant(request, response, found)
        response["Referrer-Policy"] = "no-referrer"
    add_never_cache_headers(response)
    response["X-Robots-Tag"] = "noindex"
    return response


@in_place
@limited("resend", rate="10/h")
@require_http_methods(["GET", "HEAD", "POST"])
def resend_link(request: HttpRequest) -> HttpResponse:
    """Mail a new link, and answer the same whether or not the folio and the address belong together (B15, B26), and
    whether or not the address has had enough of them: a worker finds that out (`guests.send_again`)."""
    form = ResendForm(request.POST or None, initial={"folio": request.GET.get("folio", "")[: folios.LONGEST]})
    if request.method == "POST" and form.is_valid():
        guests.ask_again(folio=form.cleaned_data["folio"], email=form.cleaned_data["email"])
        return redirect("portal:resend_done")
    return render(request, "portal/guest/resend.html", {"form": form}, status=422 if form.errors else 200)


def _ended_link(request: HttpRequest) -> GuestToken | None:
    """Return the link to the ticket of this address that has ended and that the browser has opened."""
    folio = request.resolver_match.kwargs["folio"] if request.resolver_match else ""
    return guests.find_ended(granted(request), folio=folio)


def _its_ticket(request: HttpRequest) -> str:
    ended = _ended_link(request)
    return str(ended.ticket_id) if ended else ""


@limited("resend", rate="10/h")
@limited("renew-link", rate="3/h", by=_its_ticket)
@require_POST
def renew_link(request: HttpRequest, folio: str) -> HttpResponse:
    """Mail a new link to the address of a link that has ended, without asking for the address again."""
    ended = _ended_link(request)
    if ended is None:
        return redirect(f"{reverse('portal:resend_link')}?{urlencode({'folio': folio})}")
    guests.send_again(folio=folio, email=ended.email, is_known=True)
    return redirect("portal:resend_done")


@require_safe
def resend_done(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/guest/resend_done.html")
