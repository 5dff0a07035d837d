"""Access to the back office: staff only, and each ticket only through `visible_to`."""

from collections.abc import Callable
from functools import partial, wraps
from typing import Concatenate, ParamSpec, TypeVar, cast

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.functional import SimpleLazyObject
from django_htmx.middleware import HtmxDetails

from accounts.models import User
from tickets.models import Ticket
from tickets.workflow.preparing import may_prepare
from web.expired import has_text, not_found_form, session_ended
from web.folios import canonical_address
from web.origins import parts_of

P = ParamSpec("P")
Answer = TypeVar("Answer", bound=HttpResponseBase)
View = Callable[Concatenate[HttpRequest, P], Answer]


class DeskRequest(HttpRequest):
    """The request of a signed-in staff member, as `desk_view` passes it on.

    `may_prepare` decides whether the navigation links to «Preparar». It is computed when a template first reads it, so
    partial pages pay no query for it.
    """

    user: User
    htmx: HtmxDetails
    may_prepare: SimpleLazyObject | bool


DeskView = Callable[Concatenate[DeskRequest, P], Answer]


def desk_view(view: DeskView[P, Answer]) -> View[P, Answer | HttpResponse]:
    """Admit staff only. Customers get 404. If nobody is signed in, pages redirect to sign in, scripts get 401, and what
    was typed in a form is shown, to send it again (`session_ended`).

    An address that is not found is tried again with its folio in the stored form (`canonical_address`). A form for a
    ticket that has left the person's sight meanwhile answers 404 with what was typed.
    """

    @wraps(view)
    def wrapper(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> Answer | HttpResponse:
        response: Answer | HttpResponse
        if not request.user.is_authenticated:
            if getattr(request, "htmx", False) or request.headers.get("X-Requested-With"):
                return HttpResponse(status=401)
            if request.method == "POST" and has_text(request):
                return session_ended(request)
            return redirect_to_login(_page_of(request))
        if not request.user.is_desk_staff:
            raise Http404
        entered = cast("DeskRequest", request)
        entered.may_prepare = SimpleLazyObject(partial(may_prepare, request.user))
        try:
            response = view(entered, *args, **kwargs)
        except Http404:
            if address := canonical_address(request):
                response = redirect(address)
            elif request.method == "POST" and not entered.htmx and has_text(request):
                response = not_found_form(request)
            else:
                raise
        patch_cache_control(response, private=True, no_cache=True)
        patch_vary_headers(response, ["HX-Request", "HX-Target"])
        return response

    return wrapper


def _page_of(request: HttpRequest) -> str:
    """Return the page to show after signing in: for a POST, the page that held the form (its Referer)."""
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    page = parts_of(request.headers.get("Referer", ""))
    if page.netloc != request.get_host():
        return reverse("agents:queue")
    return page._replace(scheme="", netloc="", fragment="").geturl()


def supervisor_view(view: DeskView[P, Answer]) -> View[P, Answer | HttpResponse]:
    """Admit supervisors and administrators only. Agents and customers get 404."""

    @wraps(view)
    def wrapper(request: DeskRequest, /, *args: P.args, **kwargs: P.kwargs) -> Answer:
        if not request.user.is_supervisor:
            raise Http404
        return view(request, *args, **kwargs)

    return desk_view(wrapper)


def administrator_view(view: DeskView[P, Answer]) -> View[P, Answer | HttpResponse]:
    """Admit administrators only. Everybody else gets 404."""

    @wraps(view)
    def wrapper(request: DeskRequest, /, *args: P.args, **kwargs: P.kwargs) -> Answer:
        if not request.user.is_staff:
            raise Http404
        return view(request, *args, **kwargs)

    return desk_view(wrapper)


def find_ticket(user: User, folio: str) -> Ticket:
    """Return the ticket with the related rows that its pages show, or raise 404 if `user` may not see it."""
    visible = Ticket.objects.visible_to(user)
    shown = visible.select_related("category", "department", "assignee", "requester")
    ticket: Ticket | None = next(iter(shown.filter(folio=folio)[:1]), None)
    if ticket is None:
        raise Http404
    return ticket
