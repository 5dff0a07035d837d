"""Views for guests: opening the link of a mail, and asking for a new one."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_http_methods, require_safe

from tickets.enums import Purpose
from tickets.exceptions import InvalidToken
from tickets.requesters import guests
from web.grants import grant
from web.ratelimit import by_field, by_ip, limited

from ..access import invalid_link_page
from ..forms.ticket import ResendForm

# The page of each kind of link: for a guest, and for the requester when signed in.
PAGES = {
    Purpose.FOLLOW: ("portal:guest", "portal:ticket"),
    Purpose.CONTRIBUTE: ("portal:guest", "portal:ticket"),
    Purpose.APPROVE: ("portal:guest_approval", "portal:ticket"),
    Purpose.SURVEY: ("portal:guest_survey", "portal:ticket_survey"),
}


@limited("link", rate="60/10m", by=by_ip, methods=("GET", "HEAD"))
@require_safe
def guest_link(request: HttpRequest, token: str) -> HttpResponse:
    """Exchange a link's token for a cookie and redirect to an address without the token. Writes nothing to the database
    (see `web.grants`)."""
    try:
        found = guests.redeem(token)
    except InvalidToken:
        response = invalid_link_page(request)
    else:
        guest_page, own_page = PAGES[Purpose(found.purpose)]
        own = request.user.is_authenticated and found.ticket.requester_id == request.user.pk
        response = redirect(own_page if own else guest_page, found.ticket.folio)
        if not own:
            grant(request, response, found)
    add_never_cache_headers(response)
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response


@limited("resend", rate="10/h")
@limited("resend-mail", rate="3/h", by=by_field("email"))
@require_http_methods(["GET", "HEAD", "POST"])
def resend_link(request: HttpRequest) -> HttpResponse:
    """Mail a new link, and answer the same whether or not the folio and the address belong together (B15, B26)."""
    form = ResendForm(request.POST or None, initial={"folio": request.GET.get("folio", "")[:24]})
    if request.method == "POST" and form.is_valid():
        guests.send_again(folio=form.cleaned_data["folio"], email=form.cleaned_data["email"])
        return redirect("portal:resend_done")
    return render(request, "portal/guest/resend.html", {"form": form}, status=422 if form.errors else 200)


@require_safe
def resend_done(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/guest/resend_done.html")
