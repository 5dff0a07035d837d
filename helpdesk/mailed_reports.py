"""Mail the reports that people have asked for: the panel's figures, or a saved view of the history.

A report leaves once: its next time and its mail are stored together. It has what its owner may see when it leaves; one
whose owner may no longer see it is put off without a mail.
"""

import logging
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.http import QueryDict
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from agents import exports
from agents.forms.history import HistoryFilter
from agents.forms.panel import PanelFilter, range_label
from agents.pages.columns import for_columns
from agents.pages.panel import Panel
from content.dates import dated_day
from notifications.outgoing import outbox
from notifications.outgoing.composing import fits_in_mail
from tickets.facts.report_times import next_time, period_of
from tickets.models import Export, MailedReport, SavedView, Ticket
from tickets.policies import can_receive
from tickets.record.days import day_of

logger = logging.getLogger(__name__)

TEMPLATE = "mailed_report"
AT_ONCE = 100
ROWS = 20


def send_due() -> int:
    """Mail the reports whose time has come. Returns how many left. One that fails is tried again at its next time."""
    count = 0
    due = MailedReport.objects.filter(next_at__lte=timezone.now()).order_by("next_at")
    for report in due.select_related("owner", "view", "department")[:AT_ONCE]:
        try:
            count += _send(report)
        except Exception:
            logger.exception("report %s failed", report.pk)
            _put_off(report)
    return count


def _send(report: MailedReport) -> bool:
    if not can_receive(report.owner, report):
        _put_off(report)
        return False
    with translation.override(report.owner.language), timezone.override(report.owner.zone):
        attached = None
        if report.view is not None and report.with_csv and not _problems(report, report.view):
            attached = exports.write_now(report.owner, query=report.view.query, name=report.view.name)
        message = _composed(report, attached)
        with transaction.atomic():
            if not _put_off(report, last_at=timezone.now()):
                return False
            outbox.enqueue_account_mail(
                message,
                template=TEMPLATE,
                user=report.owner,
                language=report.owner.language,
                expires_at=None,
                is_urgent=False,
                export=attached,
            )
    return True


def _put_off(report: MailedReport, **columns: Any) -> bool:
    """Store the next time. Returns False if another process has done it, which then mails the report."""
    following = next_time(report, after=timezone.now())
    mine = MailedReport.objects.filter(pk=report.pk, next_at=report.next_at)
    return bool(mine.update(next_at=following, **columns))


def _composed(report: MailedReport, attached: Export | None) -> EmailMultiAlternatives:
    facts = {
        "desk": {
            "name": settings.DESK_NAME,
            "support_email": settings.DESK_SUPPORT_EMAIL,
            "support_phone": settings.DESK_SUPPORT_PHONE,
        },
        "reports_url": settings.DESK_BASE_URL + reverse("agents:reports"),
        **(_panel_facts(report) if report.view is None else _view_facts(report, report.view, attached)),
    }
    text = render_to_string("emails/mailed_report/body.txt", facts)
    message = EmailMultiAlternatives(facts["subject"], text, to=[report.owner.email])
    message.attach_alternative(render_to_string("emails/mailed_report/body.html", facts), "text/html")
    return message


def _panel_facts(report: MailedReport) -> dict[str, Any]:
    today = day_of(timezone.now())
    period = period_of(report, today=today)
    query = {"desde": f"{period.first}", "hasta": f"{period.last}"}
    if report.department is not None:
        query["departamento"] = report.department.key
    filters = PanelFilter(QueryDict(urlencode(query)), today=today)
    where = str(report.department) if report.department else _("toda la mesa")
    days = range_label(period, write=dated_day)  # nobody knows when a mail is read
    return {
        "subject": _("Resumen de %(days)s: %(where)s") % {"days": days, "where": where},
        "days": days,
        "before": range_label(period.before, write=dated_day),
        "figures": Panel(filters).figures(),
        **_way_to_the_tickets(report, query),
    }


def _way_to_the_tickets(report: MailedReport, query: dict[str, str]) -> dict[str, str]:
    """Return the button of the mail: supervisors get the panel, managers, who have none, the history of those days."""
    if report.owner.is_supervisor:
        page, button = "agents:panel", _("Abrir el panel")
    else:
        page, button = "agents:history", _("Abrir el histórico")
        query = {
            "creado_desde": query["desde"],
            "creado_hasta": query["hasta"],
            "departamento": query["departamento"],
        }
    return {"url": f"{settings.DESK_BASE_URL}{reverse(page)}?{urlencode(query)}", "button": button}


def _problems(report: MailedReport, view: SavedView) -> list[str]:
    """Say which filters of the view mean nothing any more: without them the list would have other tickets."""
    return HistoryFilter(QueryDict(view.query), user=report.owner).problems


def _told_of_csv(attached: Export | None) -> str:
    """Say what became of the list that the mail should bring."""
    if attached is None:
        return _("No pudimos preparar la lista: abre la vista y expórtala.")
    if not fits_in_mail(attached):
        return _("La lista es muy grande para un correo: abre la vista y expórtala.")
    return _("La lista completa va adjunta.")


def _view_facts(report: MailedReport, view: SavedView, attached: Export | None) -> dict[str, Any]:
    filters, problems = HistoryFilter(QueryDict(view.query), user=report.owner), _problems(report, view)
    tickets = filters.apply(Ticket.objects.visible_to(report.owner))
    rows = [] if problems else list(for_columns(tickets, ()).order_by(*filters.order)[: ROWS + 1])
    count = tickets.count() if len(rows) > ROWS else len(rows)
    return {
        "problems": problems,
        "subject": _("Informe: %(name)s") % {"name": view.name},
        "name": view.name,
        "count": count,
        "more": max(0, count - ROWS),
        "rows": [
            {
                "folio": ticket.folio,
                "title": ticket.title,
                "state": str(ticket.stage_definition.label),
                "url": settings.DESK_BASE_URL + reverse("agents:ticket", args=[ticket.folio]),
            }
            for ticket in rows[:ROWS]
        ],
        "url": f"{settings.DESK_BASE_URL}{reverse('agents:history')}?{view.query}&vista={view.pk}",
        "button": _("Abrir la vista"),
        "csv": _told_of_csv(attached) if report.with_csv and not problems else "",
    }
