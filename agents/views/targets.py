"""The targets of a process: supervisors edit them, see what a change does, save it and undo it (S2.33, S2.34)."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from tickets.definitions.targets import read_targets
from tickets.enums import ChangeState, ClockKind
from tickets.models import Process
from tickets.promises import targets_of
from tickets.schedules import job, proposing
from web.refusals import Refusal

from ..access import DeskRequest, supervisor_view
from ..forms.targets import TargetsForm
from .schedule_changes import impact_context, number_in, page_of, shown_change, side

VERSIONS = 100


@require_http_methods(["GET", "HEAD", "POST"])
@supervisor_view
def targets(request: DeskRequest, key: str) -> HttpResponse:
    """Show the targets of a process or, with `?cambio=`, those of a draft and what it would do."""
    process = _find(key)
    change = shown_change(request, process)
    before = read_targets(change.rules) if change else targets_of(process)
    reason = change.reason if change and change.state == ChangeState.DRAFT else ""
    form = TargetsForm(request.POST or None, process=process, before=before, reason=reason)
    if request.method == "POST" and form.is_valid():
        with Refusal(form):
            draft = proposing.propose_targets(
                process,
                form.targets(),
                actor=request.user,
                base=number_in(request.POST.get("base", "")) or None,
                reason=form.cleaned_data["reason"],
            )
            return redirect(page_of(job.go_on(draft)))
    base = change.base_policy_id if change and change.state == ChangeState.DRAFT else process.policy_id
    context = side(process) | impact_context(request, change)
    context |= {
        "form": form,
        "kinds": list(ClockKind),
        "base": base or "",
        "is_typed": request.method == "POST",
    }
    return render(
        request, "agents/schedules/targets.html", context, status=422 if request.method == "POST" else 200
    )


@require_http_methods(["GET", "HEAD", "POST"])
@supervisor_view
def versions(request: DeskRequest, key: str) -> HttpResponse:
    """List the versions of a process's targets, and propose to go back to one."""
    process = _find(key)
    if request.method == "POST":
        version = get_object_or_404(process.policies, number=number_in(request.POST.get("version", "")))
        with Refusal() as refusal:
            return redirect(page_of(job.go_on(proposing.propose_policy(version, actor=request.user))))
        messages.error(request, str(refusal))
        return redirect("agents:targets_versions", key)
    rows = process.policies.select_related("created_by", "change", "change__undoes").order_by("-number")
    context = side(process) | {"versions": rows[:VERSIONS]}
    return render(request, "agents/schedules/targets_versions.html", context)


def _find(key: str) -> Process:
    rows = Process.objects.filter(current__isnull=False).select_related("policy")
    return get_object_or_404(rows, key=key)
