"""Changes of hours and targets after they were proposed: what they do, and saving, discarding and undoing them."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from tickets.calendars import CalendarRules
from tickets.definitions.targets import read_targets
from tickets.enums import ChangeState
from tickets.models import Calendar, Process, ScheduleChange
from tickets.schedules import applying, job, proposing
from tickets.schedules.versions import Subject, current_version, is_stale
from web.paging import read_page
from web.refusals import Refusal

from ..access import DeskRequest, supervisor_view
from ..pages import schedules as pages
from ..sheets import mark_change_by

PAGE_SIZE = 50
BIGGEST = 2**31 - 1


@require_POST
@supervisor_view
def confirm(request: DeskRequest, pk: int) -> HttpResponse:
    change = find_change(pk)
    with Refusal() as refusal:
        change = job.go_on(applying.confirm(change, actor=request.user))
        mark_change_by(request.user)
        messages.success(request, _saved(change))
    if refusal:
        messages.error(request, str(refusal))
    return redirect(page_of(change))


@require_POST
@supervisor_view
def discard(request: DeskRequest, pk: int) -> HttpResponse:
    change = find_change(pk)
    proposing.discard(change, actor=request.user)
    messages.success(request, _("Descartamos el cambio. Todo sigue como estaba."))
    return redirect(subject_page(change))


@require_POST
@supervisor_view
def undo(request: DeskRequest, pk: int) -> HttpResponse:
    """Propose to take back a change, and show what that would do."""
    change = find_change(pk)
    with Refusal() as refusal:
        draft = job.go_on(proposing.propose_undo(change, actor=request.user))
        messages.info(request, _("Todavía no deshicimos nada: mira qué cambia y confírmalo."))
        return redirect(page_of(draft))
    messages.error(request, str(refusal))
    return redirect(f"{subject_page(change)}versiones/")


@require_POST
@supervisor_view
def again(request: DeskRequest, pk: int) -> HttpResponse:
    """Count a draft again, on top of what others have saved meanwhile."""
    change = find_change(pk)
    with Refusal() as refusal:
        actor, reason = request.user, change.reason
        if change.calendar:
            rules = CalendarRules.read(change.rules)
            draft = proposing.propose(change.calendar, rules, actor=actor, reason=reason)
        else:
            process = Process.objects.get(pk=change.process_id or 0)
            targets = read_targets(change.rules)
            draft = proposing.propose_targets(
                process, targets, actor=actor, base=process.policy_id, reason=reason
            )
        return redirect(page_of(job.go_on(draft)))
    messages.error(request, str(refusal))
    return redirect(subject_page(change))


@require_safe
@supervisor_view
def progress(request: DeskRequest, pk: int) -> HttpResponse:
    """Answer the panel «Qué cambia», which asks every two seconds while the job is at work."""
    mark_change_by(request.user)
    return render(request, "agents/schedules/_impact.html", impact_context(request, find_change(pk)))


@require_safe
@supervisor_view
def moved(request: DeskRequest, pk: int) -> HttpResponse:
    """List the due dates that a change moves, of one kind: the list behind each figure."""
    change = find_change(pk)
    kind = request.GET.get("que", "despues")
    if kind not in pages.KINDS:
        raise Http404
    rows = pages.dues_of(change, kind, request.user)
    page, problem = read_page(rows, order=("id",), size=PAGE_SIZE, cursor=request.GET.get("desde", ""))
    here = f"?que={kind}&desde="
    context = side(change.calendar or change.process) | {
        "change": change,
        "change_url": page_of(change),
        "impact": pages.impact(change, request.user, kind),
        "kind": kind,
        "label": pages.LABELS[kind],
        "page": page,
        "problem": problem,
        "page_newer": f"{here}{page.newer}" if page.newer else "",
        "page_older": f"{here}{page.older}" if page.older else "",
    }
    return render(request, "agents/schedules/moved.html", context)


def _saved(change: ScheduleChange) -> str:
    if change.undoes_id is not None:
        return _("Lo deshicimos.")
    if change.is_closure:
        return _("Confirmamos el cierre.")
    return _("Guardamos el horario.") if change.calendar else _("Guardamos los plazos.")


def find_change(pk: int) -> ScheduleChange:
    rows = ScheduleChange.objects.exclude(state=ChangeState.DISCARDED)
    return get_object_or_404(rows.select_related(*job.RELATED, "process__current"), pk=min(pk, BIGGEST))


def shown_change(request: DeskRequest, subject: Subject) -> ScheduleChange | None:
    """Return the change of `subject` that `?cambio=` names."""
    pk = number_in(request.GET.get("cambio", ""))
    rows = subject.changes.exclude(state=ChangeState.DISCARDED).select_related(*job.RELATED)
    return rows.filter(pk=pk).first() if pk else None


def number_in(text: str) -> int:
    """Return the number that a person or an address sent; 0 for anything else."""
    return int(text) if text.isdecimal() and len(text) < 10 else 0


def subject_page(change: ScheduleChange) -> str:
    if change.calendar:
        return reverse("agents:calendar", args=[change.calendar.key])
    return reverse("agents:targets", args=[change.process.key if change.process else ""])


def page_of(change: ScheduleChange) -> str:
    return f"{subject_page(change)}?cambio={change.pk}"


def impact_context(request: DeskRequest, change: ScheduleChange | None) -> dict[str, Any]:
    """Return what the panel «Qué cambia» draws."""
    if change is None:
        return {"change": None, "impact": None, "is_stale": False}
    subject = change.calendar or change.process
    stale = subject is not None and change.state == ChangeState.DRAFT and is_stale(change, subject)
    impact = pages.impact(change, request.user, request.GET.get("que", ""))
    return {"change": change, "impact": impact, "is_stale": stale}


def side(current: Subject | None) -> dict[str, Any]:
    """Return what the list of calendars and processes at the side shows, and which of them is the present one."""
    rows = Calendar.objects.filter(current__isnull=False).select_related("current")
    return {
        "calendars": [
            {"calendar": each, "counts": pages.counts_in_words(current_version(each).as_rules)}
            for each in rows
        ],
        "processes": list(Process.objects.filter(current__isnull=False)),
        "calendar": current if isinstance(current, Calendar) else None,
        "process": current if isinstance(current, Process) else None,
    }
