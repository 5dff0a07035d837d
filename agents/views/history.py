"""The history: every ticket that the person may see, filtered, sorted and searched by words; and the views they save
(S1.18, S1.19)."""

import hashlib
from typing import Any

from django import forms
from django.contrib import messages
from django.core.cache import cache
from django.db.models import BooleanField, ExpressionWrapper, Q
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from content.keyset import Page
from content.text import clean_line
from content.time_limit import TookTooLong, time_limit
from tickets.lists import queues
from tickets.models import SavedView, Ticket
from tickets.models.views import LONGEST_QUERY
from tickets.policies import can_edit_view
from tickets.search.finding import snippets_of, wanted_stems
from web.paging import read_page

from ..access import DeskRequest, desk_view
from ..forms.history import HistoryFilter
from ..origin import LONGEST
from ..pages.columns import draw_rows, for_columns
from ..pages.rows import ticket_address
from ..sheets import kept
from .exports import exports_of

PAGE_SIZE = 40
MANY = 1000
"""Where counting stops in the side list: views of more tickets say «999+»."""
COUNT_KEPT_SECONDS = 60
COUNT_SECONDS = 0.3
MOST_VIEWS = 30


@require_safe
@desk_view
def history(request: DeskRequest) -> HttpResponse:
    """Show the list, its filters and the views. The list is kept for some seconds: who opens one ticket after another
    comes back to the same one."""

    def draw(problem: str = "") -> dict[str, str]:
        filters = HistoryFilter(request.GET, user=request.user)
        context = {"filters": filters, **_listed(request, filters, problem)}
        return {"results": render_to_string("agents/history/_results.html", context), "query": filters.query}

    try:
        shown = kept("history", (request.GET.urlencode(),), draw, person=request.user)
    except TookTooLong as stopped:
        shown = draw(str(stopped))
    if request.htmx.target == "results":
        return HttpResponse(shown["results"])
    return render(request, "agents/history/page.html", {**shown, **_views(request), **exports_of(request)})


def _listed(request: DeskRequest, filters: HistoryFilter, problem: str) -> dict[str, Any]:
    """Return the page of the list; with a `problem`, that instead. Raises `TookTooLong`."""
    if problem:
        return {"page": Page([]), "took_too_long": problem, "problems": filters.problems}
    text, cursor = filters.value("q") or "", request.GET.get("pagina", "")
    with time_limit():
        tickets = filters.apply(Ticket.objects.visible_to(request.user))
        shown = for_columns(tickets, filters.shown_columns)
        page, other_page = read_page(shown, order=filters.order, size=PAGE_SIZE, cursor=cursor)
        snippets = snippets_of(page.rows, text)
    rows = draw_rows(
        page.rows,
        filters.shown_columns,
        address=ticket_address(_origin(filters, cursor)),
        stems=wanted_stems(text),
        snippets=snippets,
    )
    query = f"{filters.query}&" if filters.query else ""
    return {
        "page": page,
        "rows": rows,
        "count": None if page.newer or page.older else len(page.rows),
        "page_newer": f"?{query}pagina={page.newer}" if page.newer else "",
        "page_older": f"?{query}pagina={page.older}" if page.older else "",
        "problems": [*filters.problems, *filter(None, [other_page])],
    }


@require_safe
@desk_view
def history_count(request: DeskRequest) -> HttpResponse:
    """Return how many tickets the list has. The page asks for it after it is shown: it may be a million."""
    filters = HistoryFilter(request.GET, user=request.user)
    try:
        with time_limit():
            count = filters.apply(Ticket.objects.visible_to(request.user)).count()
    except TookTooLong:
        count = None
    return render(request, "agents/history/_count.html", {"count": count})


def _origin(filters: HistoryFilter, cursor: str) -> str:
    """Return the query string by which a ticket's page leads back here. What is too long is left out."""
    data = QueryDict(filters.query, mutable=True)
    data["cola"] = queues.HISTORY.key
    if cursor:
        data["pagina"] = cursor
    whole = data.urlencode()
    return whole if len(whole) <= LONGEST else f"cola={queues.HISTORY.key}"


@require_safe
@desk_view
def history_filters(request: DeskRequest) -> HttpResponse:
    """Show the form with every filter, as a page of its own or, for htmx, as a part of the history's page."""
    filters = HistoryFilter(request.GET, user=request.user)
    part = "#form" if request.htmx else ""
    return render(request, f"agents/history/filters.html{part}", {"filters": filters})


# --- Saved views ----------------------------------------------------------------------------------------------


class ViewForm(forms.ModelForm):
    """Names a view and says whether it is shared. A person's views have different names."""

    name = forms.CharField(
        label=gettext_lazy("Nombre de la vista"),
        max_length=60,
        error_messages={"required": gettext_lazy("Escribe un nombre para la vista.")},
    )

    class Meta:
        model = SavedView
        fields = ("name", "is_shared")

    def __init__(self, *args: Any, owner: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.owner = owner

    def clean_name(self) -> str:
        name = clean_line(self.cleaned_data["name"], max_length=60)
        same = SavedView.objects.filter(owner=self.owner, name=name).exclude(pk=self.instance.pk)
        if same.exists():
            raise forms.ValidationError(_("Ya tienes una vista con ese nombre."))
        return name


def _views(request: DeskRequest) -> dict[str, Any]:
    """Return the person's own views, those that others share, and the one that the address names. One query, and one
    more for a view beyond the first ones."""
    is_own = Q(owner=request.user)
    rows = SavedView.objects.filter(is_own | Q(is_shared=True)).annotate(
        is_own=ExpressionWrapper(is_own, BooleanField())
    )
    views = list(rows.order_by("-is_own", "name", "id")[: 2 * MOST_VIEWS])
    own = [view for view in views if view.is_own]
    shared = [view for view in views if not view.is_own]
    chosen = request.GET.get("vista", "")
    view = next((view for view in views if f"{view.pk}" == chosen), None)
    if view is None and chosen.isascii() and chosen.isdecimal() and len(chosen) < 10:
        view = rows.filter(pk=int(chosen)).first()
    return {
        "view": view,
        "may_edit_view": view is not None and can_edit_view(request.user, view),
        "own_views": own,
        "shared_views": shared,
        "view_counts": cache.get(_counts_key(request)) or {},
    }


@require_safe
@desk_view
def history_counts(request: DeskRequest) -> HttpResponse:
    """Return the side list with the figure of each view. They are counted once a minute: some take long."""
    context = _views(request)
    if not context["view_counts"]:
        views = [*context["own_views"], *context["shared_views"]]
        context["view_counts"] = {view.pk: _count_of(view, request) for view in views[:MOST_VIEWS]}
        cache.set(_counts_key(request), context["view_counts"], COUNT_KEPT_SECONDS)
    return render(request, "agents/history/_views.html", context)


def _count_of(view: SavedView, request: DeskRequest) -> int | None:
    """Return how many tickets the view has for this person, up to `MANY`. None if counting takes too long, or
    if a filter means nothing any more."""
    filters = HistoryFilter(QueryDict(view.query), user=request.user)
    if filters.problems:
        return None
    try:
        with time_limit(COUNT_SECONDS):
            tickets = filters.apply(Ticket.objects.visible_to(request.user)).order_by()
            return len(tickets.values_list("pk")[:MANY])
    except TookTooLong:
        return None


def _counts_key(request: DeskRequest) -> str:
    return f"views:{hashlib.sha256(f'{request.user.pk}'.encode()).hexdigest()[:20]}"


@require_POST
@desk_view
def save_view(request: DeskRequest) -> HttpResponse:
    """Save the filters in the query string under a name. What was typed comes back with the reason if it cannot."""
    form = ViewForm(request.POST, owner=request.user)
    filters = HistoryFilter(QueryDict(request.POST.get("query", "")), user=request.user)
    if form.is_valid() and SavedView.objects.filter(owner=request.user).count() >= MOST_VIEWS:
        form.add_error("name", _("Ya tienes %(n)s vistas. Borra una antes.") % {"n": MOST_VIEWS})
    if len(filters.query) > LONGEST_QUERY:
        form.add_error(None, _("Son demasiados filtros para guardarlos. Quita algunos."))
    if not form.is_valid():
        context = {"form": form, "query": filters.query}
        return render(request, "agents/history/save.html", context, status=422)
    view = form.save(commit=False)
    view.owner, view.query = request.user, filters.query
    view.save()
    cache.delete(_counts_key(request))
    messages.success(request, _("Guardamos la vista «%(name)s».") % {"name": view.name})
    return redirect(_address(view))


@desk_view
def edit_view(request: DeskRequest, pk: int) -> HttpResponse:
    """Rename, share or delete a view, or give it the filters of the page from which one comes."""
    view = get_object_or_404(SavedView, pk=pk)
    if not can_edit_view(request.user, view):
        raise Http404
    form = ViewForm(request.POST or None, instance=view, owner=view.owner)
    query = HistoryFilter(QueryDict((request.POST or request.GET).get("query", "")), user=request.user).query
    if request.method == "POST":
        cache.delete(_counts_key(request))
        if request.POST.get("do") == "delete":
            view.delete()
            messages.success(request, _("Borramos la vista «%(name)s».") % {"name": view.name})
            return redirect("agents:history")
        with_filters = bool(request.POST.get("with_filters"))
        if with_filters and len(query) > LONGEST_QUERY:
            form.add_error(None, _("Son demasiados filtros para guardarlos. Quita algunos."))
        if form.is_valid():
            view = form.save(commit=False)
            if with_filters:
                view.query = query
            view.save()
            messages.success(request, _("Guardamos la vista «%(name)s».") % {"name": view.name})
            return redirect(_address(view))
    context = {"form": form, "view": view, "query": query, "is_other": query and query != view.query}
    return render(
        request, "agents/history/save.html", context, status=422 if request.method == "POST" else 200
    )


def _address(view: SavedView) -> str:
    query = QueryDict(view.query, mutable=True)
    query["vista"] = str(view.pk)
    return f"{reverse('agents:history')}?{query.urlencode()}"
