"""Side tasks on a ticket: ask another department, take, finish and withdraw (S0.20)."""

import uuid

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from tickets import policies
from tickets.models import SideTask, Ticket
from tickets.workflow import side_tasks
from web.forms import StampedForm
from web.refusals import Refusal

from ..access import DeskRequest, desk_view, find_ticket
from ..forms.side_tasks import AskTaskForm, FinishTaskForm
from ..kept import RESULT, SIDE_TASK, KeptForm
from ..origin import origin_of
from .changes import answer_change


@require_http_methods(["GET", "HEAD", "POST"])
@desk_view
def ask(request: DeskRequest, folio: str) -> HttpResponse:
    """Ask another department for a task."""
    ticket = find_ticket(request.user, folio)
    kept = KeptForm(request, SIDE_TASK, ticket)
    if kept.was_discarded:
        return redirect(request.get_full_path())
    status = 200
    if request.method == "POST":
        form = AskTaskForm(request.POST, ticket=ticket)
        if form.is_valid():
            with Refusal(form):
                task = form.save(ticket, actor=request.user)
                kept.forget()
                told = _("Pediste la tarea a %(department)s.") % {"department": task.department}
                return answer_change(request, folio, told)
        kept.keep()
        status = 422
    else:
        form = AskTaskForm(initial={"key": uuid.uuid4()}, ticket=ticket)
        kept.fill(form)
    context = {"ticket": ticket, "form": form, "kept": kept, "origin": origin_of(request)}
    part = "#form" if request.htmx else ""
    return render(request, f"agents/tickets/ask_task.html{part}", context, status=status)


@require_POST
@desk_view
def take(request: DeskRequest, folio: str, pk: int) -> HttpResponse:
    task = _find_task(find_ticket(request.user, folio), pk)
    with Refusal() as refusal:
        side_tasks.take(task, actor=request.user, key=StampedForm(request.POST).stamp()["key"])
    return answer_change(request, folio, _("La tarea es tuya."), error=str(refusal))


@require_http_methods(["GET", "HEAD", "POST"])
@desk_view
def finish(request: DeskRequest, folio: str, pk: int) -> HttpResponse:
    """End a task with what was done. Whoever may see the ticket only because of it, goes on to their queue."""
    ticket = find_ticket(request.user, folio)
    task = _find_task(ticket, pk)
    kept = KeptForm(request, f"{RESULT}{pk}", ticket)
    if kept.was_discarded:
        return redirect(request.get_full_path())
    status = 200
    is_offered = task.is_open and policies.can_do_side_task(request.user, task)
    if request.method == "POST":
        form = FinishTaskForm(request.POST)
        if form.is_valid():
            with Refusal(form):
                form.save(task, actor=request.user)
                kept.forget()
                return answer_change(request, folio, _("Terminaste la tarea."))
        kept.keep()
        status = 422
    elif not is_offered and not kept.data:
        return answer_change(request, folio, error=_("Esta tarea ya terminó, o es de otro equipo."))
    else:
        form = FinishTaskForm(initial={"key": uuid.uuid4()})
        kept.fill(form)
    context = {"ticket": ticket, "task": task, "form": form, "kept": kept, "origin": origin_of(request)}
    context["is_offered"] = is_offered
    part = "#form" if request.htmx else ""
    return render(request, f"agents/tickets/finish_task.html{part}", context, status=status)


@require_POST
@desk_view
def withdraw(request: DeskRequest, folio: str, pk: int) -> HttpResponse:
    task = _find_task(find_ticket(request.user, folio), pk)
    with Refusal() as refusal:
        side_tasks.withdraw(task, actor=request.user, key=StampedForm(request.POST).stamp()["key"])
    return answer_change(request, folio, _("Retiraste la tarea."), error=str(refusal))


def _find_task(ticket: Ticket, pk: int) -> SideTask:
    task = ticket.side_tasks.select_related("department").filter(pk=pk).first()
    if task is None:
        raise Http404
    task.ticket = ticket
    return task
