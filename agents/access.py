"""The door of the back office: desk staff alone, and each ticket only through `visible_to`."""

from collections.abc import Callable
from functools import partial, wraps
from typing import Concatenate, ParamSpec, cast
from urllib.parse import urlsplit

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.functional import SimpleLazyObject
from django_htmx.middleware import HtmxDetails

from accounts.models import User
from tickets.models import Ticket
from tickets.workflow.preparing import may_prepare

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


class DeskRequest(HttpRequest):
    """A request that came through the door. `may_prepare`, for the frame of whole pages, is found out when asked."""

    user: User
    htmx: HtmxDetails
    may_prepare: SimpleLazyObject


DeskView = Callable[Concatenate[DeskRequest, P], HttpResponse]


def desk_view(view: DeskView[P]) -> View[P]:
    """Customers get 404: to them there is no back office. Whoever did not sign in is asked to, except by scripts."""

    @wraps(view)
    def wrapper(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not request.user.is_authenticated:
            if getattr(request, "htmx", False) or request.headers.get("X-Requested-With"):
                return HttpResponse(status=401)
            return redirect_to_login(_page_of(request))
        if not request.user.is_desk_staff:
            raise Http404
        entered = cast("DeskRequest", request)
        entered.may_prepare = SimpleLazyObject(partial(may_prepare, request.user))
        response = view(entered, *args, **kwargs)
        patch_cache_control(response, private=True, no_cache=True)
        patch_vary_headers(response, ["HX-Request", "HX-Target"])
        return response

    return wrapper


def _page_of(request: HttpRequest) -> str:
    """Where to go on after signing in. Not where a form was sent, which shows nothing, but the page it was on."""
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    page = urlsplit(request.headers.get("Referer", ""))
    if page.netloc != request.get_host():
        return reverse("agents:queue")
    return page._replace(scheme="", netloc="", fragment="").geturl()


def supervisor_view(view: DeskView[P]) -> View[P]:
    """For supervisors and above; to agents these pages do not exist."""

    @wraps(view)
    def wrapper(request: DeskRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not request.user.is_supervisor:
            raise Http404
        return view(request, *args, **kwargs)

    return desk_view(wrapper)


def find_ticket(user: User, folio: str) -> Ticket:
    """The ticket, with what every page of it shows, if the person may see it."""
    visible = Ticket.objects.visible_to(user)
    shown = visible.select_related("process_version", "category", "department", "assignee", "requester")
    ticket: Ticket | None = shown.filter(folio=folio).first()
    if ticket is None:
        raise Http404
    return ticket
