"""A customer's page, with those of their tickets that the reader may see."""

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from tickets import policies
from tickets.lists.queues import BoundedCount, for_rows
from tickets.models import Ticket
from web.paging import read_page

from ..access import DeskRequest, desk_view
from ..pages.rows import Moment, rows_of

PAGE_SIZE = 25
ORDER = ("-updated_at", "-id")


@require_safe
@desk_view
def customer(request: DeskRequest, pk: int) -> HttpResponse:
    visible = Ticket.objects.visible_to(request.user).filter(requester=pk)
    known = policies.people_visible_to(request.user).select_related("kind").filter(pk=pk)
    person = known.annotate(
        open_tickets=BoundedCount(visible.open()), all_tickets=BoundedCount(visible)
    ).first()
    if person is None:
        raise Http404
    rows = for_rows(visible)
    page, problem = read_page(rows, order=ORDER, size=PAGE_SIZE, cursor=request.GET.get("desde", ""))
    checked = visible.filter(standing_checked_at__isnull=False).order_by("-standing_checked_at")
    context = {
        "person": person,
        "checked_at": checked.values_list("standing_checked_at", flat=True).first(),
        "rows": rows_of(page.rows, Moment.present()),
        "page_newer": f"?desde={page.newer}" if page.newer else "",
        "page_older": f"?desde={page.older}" if page.older else "",
        "problem": problem,
    }
    return render(request, "agents/customers/detail.html", context)
