"""Reports by mail: which ones the person gets, and when."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from tickets.facts.report_times import next_time
from tickets.models import MailedReport
from tickets.policies import can_receive

from ..access import DeskRequest, desk_view
from ..forms.reports import ReportForm

MOST = 20


@require_safe
@desk_view
def reports(request: DeskRequest) -> HttpResponse:
    rows = MailedReport.objects.filter(owner=request.user).select_related("view", "department")
    found = [{"report": row, "is_open": can_receive(request.user, row)} for row in rows[:MOST]]
    return render(request, "agents/reports/list.html", {"reports": found})


@desk_view
def edit(request: DeskRequest, pk: int | None = None) -> HttpResponse:
    """Make or change a report. What was chosen comes back with the reason if it cannot be saved."""
    report = get_object_or_404(MailedReport, pk=pk, owner=request.user) if pk else None
    form = ReportForm(request.POST or None, instance=report, owner=request.user)
    if request.method == "POST" and form.is_valid():
        if report is None and MailedReport.objects.filter(owner=request.user).count() >= MOST:
            form.add_error(None, _("Ya tienes %(n)s informes. Quita uno antes.") % {"n": MOST})
        else:
            saved = form.save()
            saved.next_at = next_time(saved, after=timezone.now())
            saved.save()
            messages.success(request, _("Guardamos el informe."))
            return redirect("agents:reports")
    context = {"form": form, "report": report}
    return render(
        request, "agents/reports/edit.html", context, status=422 if request.method == "POST" else 200
    )


@require_POST
@desk_view
def send_now(request: DeskRequest, pk: int) -> HttpResponse:
    """Let the next run of the job mail the report."""
    report = get_object_or_404(MailedReport, pk=pk, owner=request.user)
    MailedReport.objects.filter(pk=report.pk).update(next_at=timezone.now())
    messages.success(
        request, _("En camino a %(address)s: sale en un minuto.") % {"address": request.user.email}
    )
    return redirect("agents:reports")


@require_POST
@desk_view
def delete(request: DeskRequest, pk: int) -> HttpResponse:
    get_object_or_404(MailedReport, pk=pk, owner=request.user).delete()
    messages.success(request, _("Quitamos el informe."))
    return redirect("agents:reports")
