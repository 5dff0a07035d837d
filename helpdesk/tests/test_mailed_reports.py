"""Reports by mail leave once, at their time, with what their owner may see (section 5 of the supervisor's desk)."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.models import Membership, User
from accounts.tests.factories import make_agent, make_department, make_supervisor, make_user
from agents import exports
from content.dates import dated_day
from helpdesk import mailed_reports
from notifications.models import OutgoingEmail
from notifications.outgoing import composing, delivery
from tickets.enums import ReportInterval
from tickets.facts import counting
from tickets.facts.report_times import next_time, period_of
from tickets.models import MailedReport, SavedView, Ticket
from tickets.record.days import day_of
from tickets.search import indexing
from tickets.tests.factories import make_process, make_ticket

pytestmark = pytest.mark.django_db
PAGE = "/agentes/informes/"


@pytest.fixture
def supervisor() -> User:
    return make_supervisor(name="Carolina Núñez")


@pytest.fixture
def tickets() -> list[Ticket]:
    process = make_process("incidencia-tecnica")
    made = [make_ticket(process, title=title) for title in ("Cobro duplicado", "=1+1 raro")]
    yesterday = timezone.now() - timedelta(days=1)
    Ticket.objects.update(created_at=yesterday)
    list(counting.count_all())
    indexing.index_changed()
    return made


def due(owner: User, **columns: Any) -> MailedReport:
    return MailedReport.objects.create(
        owner=owner, **{"next_at": timezone.now() - timedelta(minutes=1), **columns}
    )


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def reports() -> Any:
    """Return the reports in the outbox, beside which there are the mails of the tickets."""
    return OutgoingEmail.objects.filter(template=mailed_reports.TEMPLATE)


def sent() -> list[Any]:
    """Send what waits in the outbox and return the reports."""
    delivery.drain()
    return [message for message in mail.outbox if message.subject.startswith("Informe")]


def test_panel_is_mailed_once_in_its_owners_language_with_a_link(
    supervisor: User, tickets: list[Ticket]
) -> None:
    report = due(supervisor)
    assert mailed_reports.send_due() == 1
    assert mailed_reports.send_due() == 0
    row = reports().get()
    assert (row.recipient, row.is_urgent) == (supervisor.email, False)
    assert row.subject.startswith("Resumen de")
    assert "Reportados: 2" in row.text
    assert "/agentes/panel/?desde=" in row.text
    assert "Abrir el panel" in row.html
    report.refresh_from_db()
    assert report.next_at > timezone.now()
    assert report.last_at is not None
    supervisor.language = "en"
    supervisor.save()
    MailedReport.objects.update(next_at=timezone.now())
    mailed_reports.send_due()
    newest = reports().latest("pk")
    assert "Reported: 2" in newest.text
    assert "Reportados" not in newest.html


def test_view_is_mailed_with_its_rows_and_the_csv_where_asked(
    supervisor: User, tickets: list[Ticket]
) -> None:
    view = SavedView.objects.create(
        owner=supervisor, name="Cobros", query="q=cobros&columna=folio&columna=asunto"
    )
    due(supervisor, view=view, with_csv=True)
    assert mailed_reports.send_due() == 1
    [message] = sent()
    assert message.subject == "Informe: Cobros"
    assert "La vista tiene 1 ticket." in message.body
    assert tickets[0].folio in message.body
    [(name, content, kind)] = message.attachments
    assert (name, kind) == ("Cobros.csv", "text/csv")
    text = content if isinstance(content, str) else content.decode("utf-8-sig")
    assert text.strip("\ufeff").splitlines() == ["Folio,Asunto", f"{tickets[0].folio},Cobro duplicado"]


def test_view_without_csv_has_no_attachment_and_cuts_a_long_list(
    supervisor: User, tickets: list[Ticket]
) -> None:
    process = make_process("incidencia-tecnica")
    for _n in range(23):
        make_ticket(process)
    due(supervisor, view=SavedView.objects.create(owner=supervisor, name="Todo", query=""))
    mailed_reports.send_due()
    [message] = sent()
    assert message.attachments == []
    assert "La vista tiene 25 tickets." in message.body
    assert message.body.count("MA-") == 20
    assert "y 5 más" in message.body
    assert "lista completa" not in message.body


@pytest.mark.parametrize(
    ("module", "name", "value", "told"),
    [
        (composing, "LARGEST_ATTACHMENT", 10, "La lista es muy grande para un correo"),
        (exports, "write_now", lambda *_args, **_named: None, "No pudimos preparar la lista"),
        (composing, "LARGEST_ATTACHMENT", 10**6, "La lista completa va adjunta."),
    ],
)
def test_mail_says_what_became_of_the_csv(
    supervisor: User, tickets: list[Ticket], monkeypatch: pytest.MonkeyPatch, module: Any, name: str, value: Any,
    told: str,
) -> None:  # fmt: skip
    monkeypatch.setattr(module, name, value)
    view = SavedView.objects.create(owner=supervisor, name="Cobros", query="q=cobros")
    due(supervisor, view=view, with_csv=True)
    mailed_reports.send_due()
    [message] = sent()
    assert told in message.body
    assert len(message.attachments) == told.startswith("La lista completa")


def test_days_of_a_mail_are_dates_because_nobody_knows_when_it_is_read(
    supervisor: User, tickets: list[Ticket]
) -> None:
    due(supervisor)
    mailed_reports.send_due()
    row = reports().get()
    assert dated_day(day_of(timezone.now()) - timedelta(days=1)) in row.subject
    for text in (row.subject, row.text, row.html):
        assert not re.search(r"\b(hoy|ayer)\b", text)


def test_manager_gets_the_panel_of_their_department_only(tickets: list[Ticket]) -> None:
    department = make_department("soporte-tecnico")
    Ticket.objects.update(department=department)
    list(counting.count_all())
    manager = make_agent(department)
    Membership.objects.filter(user=manager).update(is_manager=True)
    manager = User.objects.get(pk=manager.pk)
    due(manager, department=department)
    due(manager, department=make_department("otro"))
    due(manager)
    assert mailed_reports.send_due() == 1
    row = reports().get()
    assert "Reportados: 2" in row.text
    assert "/agentes/historico/?creado_desde=" in row.text
    assert "/agentes/panel/" not in row.text


def test_who_has_left_or_lost_the_view_gets_nothing(supervisor: User, tickets: list[Ticket]) -> None:
    stranger = make_agent()
    view = SavedView.objects.create(owner=supervisor, name="Privada", query="")
    due(stranger, view=view)
    left = make_supervisor()
    due(left)
    User.objects.filter(pk=left.pk).update(is_active=False)
    assert mailed_reports.send_due() == 0
    assert not reports().exists()
    assert not MailedReport.objects.filter(next_at__lte=timezone.now()).exists()


def test_report_that_fails_is_put_off_and_others_leave(
    supervisor: User, tickets: list[Ticket], monkeypatch: pytest.MonkeyPatch
) -> None:
    due(supervisor, view=SavedView.objects.create(owner=supervisor, name="Todo", query=""))
    due(supervisor)

    def broken(*arguments: Any) -> dict[str, Any]:
        raise RuntimeError("broken")

    monkeypatch.setattr(mailed_reports, "_view_facts", broken)
    assert mailed_reports.send_due() == 1
    assert not MailedReport.objects.filter(next_at__lte=timezone.now()).exists()


# --- When ----------------------------------------------------------------------------------------------------------


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("every", "after", "leaves"),
    [
        ("day", "2026-11-27 11:59", "2026-11-27 12:00"),  # 7:00 in Bogotá
        ("day", "2026-11-27 12:00", "2026-11-28 12:00"),
        ("week", "2026-11-27 12:00", "2026-11-30 12:00"),  # a Monday
        ("week", "2026-11-30 12:00", "2026-12-07 12:00"),
        ("month", "2026-11-27 12:00", "2026-12-01 12:00"),
        ("month", "2027-01-31 23:00", "2027-02-01 12:00"),
    ],
)
def test_report_leaves_at_its_hour_in_its_owners_zone(every: str, after: str, leaves: str) -> None:
    report = MailedReport(owner=User(time_zone="America/Bogota"), every=every, weekday=1, hour=7)
    assert next_time(report, after=at(after)) == at(leaves)


def test_hour_that_a_change_of_clocks_skips_leaves_once_all_the_same() -> None:
    report = MailedReport(owner=User(time_zone="Europe/Madrid"), every="day", hour=2)
    first = next_time(report, after=at("2026-03-28 12:00"))  # 2:00 does not exist on the 29th
    second = next_time(report, after=first)
    assert timedelta(hours=22) <= second - first <= timedelta(hours=26)


def test_days_that_are_told_are_whole() -> None:
    today = date(2026, 12, 1)
    told = {}
    for every in ReportInterval:
        period = period_of(MailedReport(every=every), today=today)
        told[every.value] = (f"{period.first}", f"{period.last}")
    assert told == {
        "day": ("2026-11-30", "2026-11-30"),
        "week": ("2026-11-24", "2026-11-30"),
        "month": ("2026-11-01", "2026-11-30"),
    }


# --- The page ------------------------------------------------------------------------------------------------------


def test_report_is_made_changed_sent_and_removed(supervisor: User) -> None:
    client = client_of(supervisor)
    assert "No recibes informes" in client.get(PAGE).content.decode()
    data = {"what": "panel", "department": "", "every": "week", "weekday": "1", "hour": "7"}
    assert client.post(f"{PAGE}nuevo/", data).status_code == 302
    report = MailedReport.objects.get()
    assert report.next_at.astimezone(supervisor.zone).isoweekday() == 1
    assert "Panel de toda la mesa" in client.get(PAGE).content.decode()
    client.post(f"{PAGE}{report.pk}/", {**data, "every": "day", "hour": "18"})
    report.refresh_from_db()
    assert (report.every, report.next_at.astimezone(supervisor.zone).hour) == ("day", 18)
    client.post(f"{PAGE}{report.pk}/enviar/")
    assert mailed_reports.send_due() == 1
    client.post(f"{PAGE}{report.pk}/quitar/")
    assert not MailedReport.objects.exists()


def test_wrong_choice_is_refused_with_the_reason(supervisor: User) -> None:
    client = client_of(supervisor)
    private = SavedView.objects.create(owner=make_supervisor(), name="Ajena", query="")
    data = {"what": f"{private.pk}", "every": "year", "weekday": "9", "hour": "30"}
    response = client.post(f"{PAGE}nuevo/", data)
    assert response.status_code == 422
    assert response.content.decode().count("is-invalid") >= 4
    assert not MailedReport.objects.exists()


def test_nobody_touches_the_reports_of_others_and_customers_have_none(supervisor: User) -> None:
    report = due(supervisor)
    other = client_of(make_supervisor())
    assert other.get(f"{PAGE}{report.pk}/").status_code == 404
    assert other.post(f"{PAGE}{report.pk}/enviar/").status_code == 404
    assert other.post(f"{PAGE}{report.pk}/quitar/").status_code == 404
    assert client_of(make_user()).get(PAGE).status_code == 404
    assert MailedReport.objects.exists()


def test_agent_who_manages_nothing_is_offered_views_only(supervisor: User) -> None:
    SavedView.objects.create(owner=supervisor, name="Compartida", query="", is_shared=True)
    page = client_of(make_agent()).get(f"{PAGE}nuevo/").content.decode()
    assert "Vista: Compartida" in page
    assert "Resumen del panel" not in page


def test_view_whose_filter_means_nothing_any_more_is_not_mailed_wider(
    supervisor: User, tickets: list[Ticket]
) -> None:
    view = SavedView.objects.create(owner=supervisor, name="Otro", query="departamento=otro")
    place = make_department("otro")
    place.is_active = False
    place.save()
    due(supervisor, view=view, with_csv=True)
    assert mailed_reports.send_due() == 1
    row = reports().get()
    assert "Un filtro de la vista ya no vale" in row.text
    assert tickets[0].folio not in row.text + row.html
    assert row.export is None


def test_name_of_a_view_that_is_no_longer_shared_is_not_shown(supervisor: User) -> None:
    view = SavedView.objects.create(owner=supervisor, name="Despido de Juan", query="", is_shared=False)
    agent = make_agent()
    due(agent, view=view)
    page = client_of(agent).get(PAGE).content.decode()
    assert "Despido de Juan" not in page
    assert "Ya no tienes acceso a este informe" in page
