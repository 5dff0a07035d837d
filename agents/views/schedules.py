"""«Horarios y plazos»: supervisors edit calendars, see what a change does, save it and undo it (S2.33, S2.34)."""

from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tickets.calendars import CalendarRules
from tickets.enums import ChangeState
from tickets.models import Calendar, CalendarVersion, ScheduleChange
from tickets.schedules import job, proposing
from tickets.schedules.holidays import copy_holidays
from tickets.schedules.versions import current_version
from web.refusals import Refusal

from ..access import DeskRequest, supervisor_view
from ..forms.schedules import ClosureForm, HoursForm, NewCalendarForm
from ..pages import schedules as pages
from .schedule_changes import impact_context, number_in, shown_change, side

PAGE_SIZE = 50
VERSIONS = 100
YEARS_AHEAD = 3
DAY = 24 * 3600


@require_safe
@supervisor_view
def schedules(request: DeskRequest) -> HttpResponse:
    """Go to the first calendar; without one, say what calendars are for."""
    first = Calendar.objects.filter(current__isnull=False).first()
    if first:
        return redirect("agents:calendar", first.key)
    return render(request, "agents/schedules/empty.html", side(None))


@require_http_methods(["GET", "HEAD", "POST"])
@supervisor_view
def new_calendar(request: DeskRequest) -> HttpResponse:
    form = NewCalendarForm(request.POST or None, zone=settings.DESK_TIME_ZONE)
    if request.method == "POST" and form.is_valid():
        with Refusal(form):
            calendar = proposing.create_calendar(
                actor=request.user,
                key=form.key(),
                name=form.cleaned_data["name"],
                name_en=form.cleaned_data["name_en"],
                rules=form.rules(),
            )
            messages.success(request, _("Creamos el calendario. Nómbralo en un proceso para que cuente."))
            return redirect("agents:calendar", calendar.key)
    status = 422 if request.method == "POST" else 200
    return render(request, "agents/schedules/new.html", side(None) | {"form": form}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@supervisor_view
def calendar(request: DeskRequest, key: str) -> HttpResponse:
    """Show the hours of a calendar or, with `?cambio=`, those of a draft and what it would do."""
    found = _find(key)
    change = shown_change(request, found)
    before = CalendarRules.read(change.rules) if change else current_version(found).as_rules
    year = _year(request, before)
    base = (change.base if change else None) or current_version(found)
    reason = change.reason if change and change.state == ChangeState.DRAFT else ""
    if request.method != "POST":
        return _page(
            request,
            found,
            HoursForm(before=before, base=base, year=year, reason=reason),
            change=change,
            year=year,
        )
    form = HoursForm(request.POST, before=before, base=base, year=year)
    if "copiar" in request.POST:
        form = HoursForm(form.copy_monday(), before=before, base=base, year=year)
        form.is_valid()
        return _page(request, found, form, change=change, year=year, is_typed=True)
    if form.is_valid():
        with Refusal(form):
            rules = form.rules()
            if "festivos" in request.POST:
                copied = copy_holidays(
                    rules,
                    country=form.cleaned_data["country"],
                    region=form.cleaned_data["region"].strip().upper(),
                    years=[year],
                )
                rules = copied.rules
            draft = proposing.propose(
                found,
                rules,
                actor=request.user,
                base=CalendarVersion.objects.filter(pk=form.cleaned_data["base"], calendar=found).first()
                or base,
                reason=form.cleaned_data["reason"],
            )
            job.go_on(draft)
            return redirect(f"{_url(found)}?cambio={draft.pk}&ano={year}")
    return _page(request, found, form, change=change, year=year, is_typed=True, status=422)


@require_POST
@supervisor_view
def closure(request: DeskRequest, key: str) -> HttpResponse:
    """Propose an extraordinary closure and show what it would do."""
    found = _find(key)
    rules = current_version(found).as_rules
    form = ClosureForm(request.POST, zone=rules.zone, is_open_at_night=_is_open_at_night(rules))
    if form.is_valid():
        with Refusal(form):
            draft = proposing.propose_closure(found, actor=request.user, **form.closure())
            job.go_on(draft)
            return redirect(f"{_url(found)}?cambio={draft.pk}#impact")
    year = _year(request, rules)
    hours = HoursForm(before=rules, base=current_version(found), year=year)
    return _page(request, found, hours, closure=form, year=year, status=422)


@require_POST
@supervisor_view
def phone(request: DeskRequest, key: str) -> HttpResponse:
    """Choose, or no longer choose, this calendar for the phone and WhatsApp in the portal (S3.25)."""
    found = _find(key)
    proposing.choose_for_phone(found, actor=request.user, chosen="si" in request.POST)
    messages.success(request, _("Guardamos el horario del teléfono."))
    return redirect("agents:calendar", key)


@require_http_methods(["GET", "HEAD", "POST"])
@supervisor_view
def versions(request: DeskRequest, key: str) -> HttpResponse:
    """List the versions of a calendar, and propose to go back to one."""
    found = _find(key)
    if request.method == "POST":
        version = get_object_or_404(found.versions, number=number_in(request.POST.get("version", "")))
        with Refusal() as refusal:
            draft = job.go_on(proposing.propose_version(version, actor=request.user))
            return redirect(f"{_url(found)}?cambio={draft.pk}")
        messages.error(request, str(refusal))
        return redirect("agents:calendar_versions", key)
    rows = found.versions.select_related("created_by", "change", "change__undoes").order_by("-number")
    context = side(found) | {"versions": rows[:VERSIONS]}
    return render(request, "agents/schedules/versions.html", context)


def _find(key: str) -> Calendar:
    return get_object_or_404(
        Calendar.objects.filter(current__isnull=False).select_related("current"), key=key
    )


def _year(request: DeskRequest, rules: CalendarRules) -> int:
    now = timezone.now().astimezone(ZoneInfo(rules.zone)).year
    text = request.GET.get("ano", "")
    year = int(text) if text.isdecimal() and len(text) == 4 else now
    return year if now - 1 <= year <= now + YEARS_AHEAD else now


def _is_open_at_night(rules: CalendarRules) -> bool:
    return any(end > DAY for hours in rules.week for _begin, end in hours)


def _url(found: Calendar) -> str:
    return reverse("agents:calendar", args=[found.key])


def _page(
    request: DeskRequest,
    found: Calendar,
    form: HoursForm,
    *,
    year: int,
    change: ScheduleChange | None = None,
    closure: ClosureForm | None = None,
    is_typed: bool = False,
    status: int = 200,
) -> HttpResponse:
    now, current = timezone.now(), current_version(found).as_rules
    shown = form.before if not is_typed else _typed(form)
    today = now.astimezone(ZoneInfo(shown.zone)).date()
    old = change.base.as_rules if change and change.base and change.state != ChangeState.DRAFT else current
    context = (
        side(found)
        | impact_context(request, change)
        | {
            "form": form,
            "closure_form": closure or ClosureForm(zone=shown.zone, proposed=pages.proposed_closure(change)),
            "rules": shown,
            "week": [(row, *form.slots(row.key)) for row in pages.week_rows(shown, old)],
            "total": pages.week_total(shown),
            "total_before": pages.week_total(old),
            "coming": pages.coming_days(shown, old, now=now),
            "months": pages.year_months(shown, year, today=today),
            "year": year,
            "years": range(today.year - 1, today.year + YEARS_AHEAD + 1),
            "next_days": pages.next_days(shown, now=now),
            "copied_until": max((own.day.year for own in shown.days if own.source), default=None),
            "closures": pages.closures_of(found, current, now=now),
            "users": pages.users_of(found),
            "is_typed": is_typed,
        }
    )
    return render(request, "agents/schedules/calendar.html", context, status=status)


def _typed(form: HoursForm) -> CalendarRules:
    """Return what the form describes, to be drawn; the stored rules while it cannot be read."""
    with Refusal():
        if form.is_valid():
            return form.rules()
    return form.before
