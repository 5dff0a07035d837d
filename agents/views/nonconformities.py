"""The list and the review of nonconformities, for supervisors (S2.30)."""

import uuid

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from content.form_fields import LongTextField
from tickets.closing.nonconformities import review
from tickets.lists import arrivals
from tickets.models import Nonconformity
from web.paging import read_page
from web.refusals import Refusal

from ..access import DeskRequest, supervisor_view
from ..kept import KeptForm

PAGE_SIZE = 25
ORDER = ("-opened_at", "-id")


class ReviewForm(forms.Form):
    review = LongTextField(
        label=gettext_lazy("Conclusión de la revisión"),
        help_text=gettext_lazy("Qué pasó y qué hacemos para que no se repita."),
        widget=forms.Textarea(attrs={"rows": 4, "data-behaviour": "autosize"}),
    )


@require_safe
@supervisor_view
def nonconformities(request: DeskRequest) -> HttpResponse:
    reviewed = request.GET.get("vista") == "revisadas"
    rows = Nonconformity.objects.filter(reviewed_at__isnull=not reviewed)
    rows = rows.select_related("ticket", "responsible", "reviewed_by")
    page, problem = read_page(rows, order=ORDER, size=PAGE_SIZE, cursor=request.GET.get("desde", ""))
    here = "?vista=revisadas&" if reviewed else "?"
    context = {
        "page": page,
        "reviewed": reviewed,
        "page_newer": f"{here}desde={page.newer}" if page.newer else "",
        "page_older": f"{here}desde={page.older}" if page.older else "",
        "problem": problem,
    }
    return render(request, "agents/nonconformities/list.html", context)


@require_safe
@supervisor_view
def overtaken(request: DeskRequest) -> HttpResponse:
    """List the tickets that a later one was answered before, newest first (S2.35)."""
    page, problem = read_page(
        arrivals.newest(), order=("-at", "-id"), size=PAGE_SIZE, cursor=request.GET.get("desde", "")
    )
    context = {
        "page": page,
        "page_newer": f"?desde={page.newer}" if page.newer else "",
        "page_older": f"?desde={page.older}" if page.older else "",
        "problem": problem,
    }
    return render(request, "agents/nonconformities/overtaken.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@supervisor_view
def nonconformity(request: DeskRequest, pk: int) -> HttpResponse:
    report = get_object_or_404(
        Nonconformity.objects.select_related("ticket", "responsible", "reviewed_by"), pk=pk
    )
    kept = KeptForm(request, f"inconformidad-{pk}")
    if kept.was_discarded:
        return redirect("agents:nonconformity", pk)
    form = ReviewForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            with Refusal(form):
                review(report, actor=request.user, conclusion=form.cleaned_data["review"])
                kept.forget()
                messages.success(request, _("Guardamos la revisión."))
                return redirect("agents:nonconformities")
        kept.keep()
    else:
        kept.fill(form)
    context = {"report": report, "form": form, "kept": kept, "key": uuid.uuid4()}
    return render(request, "agents/nonconformities/detail.html", context, status=status)
