"""Clocks whose process names a calendar, moved through the verbs (S2.33, S2.34, LESSONS A8, A9, A11)."""

import re
from datetime import datetime, timedelta
from unittest import mock
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import CustomerKind
from accounts.tests.factories import make_agent, make_user
from tickets import clocks
from tickets.calendars import Target
from tickets.definitions.problems import DefinitionError
from tickets.enums import TargetUnit
from tickets.lists import queues
from tickets.models import Calendar, CalendarVersion, Ticket
from tickets.workflow import conversation, properties
from tickets.workflow.intake import file_ticket
from tickets.workflow.perform import perform
from tickets.workflow.preparing import targets_by_severity
from tickets.workflow.publishing import publish, put_in_use

BOGOTA = ZoneInfo("America/Bogota")
SOURCE = """
format = 1
key = "taller"
name = "Taller"

[[calendars]]
key = "oficina"
label = { es = "Oficina", en = "Office" }
zone = "America/Bogota"
week = { mon = [["08:00", "12:00"], ["13:00", "17:00"]], tue = [["08:00", "17:00"]], wed = [["08:00", "17:00"]], \
thu = [["08:00", "17:00"]], fri = [["08:00", "17:00"]] }
days = [{ date = 2026-12-08, name = "Inmaculada" }]

[targets]
calendar = "oficina"

[targets.first_response]
problem = "1 working hour"
procedure = "4h"

[targets.resolution]
problem = "16 working hours"
procedure = "5 working days"

[[targets.special]]
category = "placa"
resolution = "30 calendar days"

[[targets.special]]
customer_kind = "vip"
first_response = "30 working minutes"

[[customer_kinds]]
key = "vip"
label = "VIP"

[[categories]]
key = "pantalla"
label = "Pantalla"

[[categories]]
key = "tramite"
label = "Trámite"
case_kind = "procedure"

[[categories]]
key = "placa"
label = "Placa"

[[stages]]
key = "nuevo"
label = "Nuevo"
kind = "evaluation"
owner = "staff"

[[stages]]
key = "espera"
label = "Espera"
kind = "waiting_customer"
owner = "requester"

[[stages]]
key = "listo"
label = "Listo"
kind = "done"
owner = "nobody"

[[actions]]
key = "preguntar"
label = "Preguntar"
from = ["nuevo"]
to = "espera"
by = ["staff"]

[[actions]]
key = "seguir"
label = "Seguir"
from = ["espera"]
to = "nuevo"
by = ["staff"]

[[actions]]
key = "terminar"
label = "Terminar"
from = ["nuevo"]
to = "listo"
by = ["staff"]
"""


def at(*parts):
    return datetime(*parts, tzinfo=BOGOTA)


FRIDAY = at(2026, 11, 27, 16, 30)


@pytest.fixture
def process(db):
    return publish(SOURCE).process


class Desk:
    """Files and moves one ticket at chosen times."""

    def __init__(self, process):
        self.process, self.agent = process, make_agent()

    def moved_to(self, moment):
        return mock.patch.object(timezone, "now", return_value=moment)

    def file(self, moment, category="pantalla", requester=None):
        with self.moved_to(moment):
            return file_ticket(
                self.process,
                actor=requester or make_user(),
                category=self.process.categories.get(key=category),
                title="No enciende",
                description="Desde ayer.",
            )

    def do(self, moment, ticket, action):
        with self.moved_to(moment):
            perform(ticket, action, actor=self.agent)


@pytest.fixture
def desk(process):
    return Desk(process)


def clock(ticket, kind="resolution"):
    [found] = ticket.clocks.filter(kind=kind)
    return found


def test_friday_evening_ticket_is_due_on_monday(desk):
    ticket = desk.file(FRIDAY)
    assert clock(ticket, "first_response").due_at == at(2026, 11, 30, 8, 30)
    assert clock(ticket).due_at == at(2026, 12, 1, 15, 30)
    assert ticket.due_at == clock(ticket).due_at


@pytest.mark.demand("S2.34")
def test_targets_in_days_end_with_the_last_second_of_a_working_day(desk):
    ticket = desk.file(at(2026, 12, 3, 10, 0), "tramite")
    assert clock(ticket, "first_response").due_at == at(2026, 12, 3, 14, 0)
    assert clock(ticket).due_at == at(
        2026, 12, 11, 23, 59, 59
    )  # Friday, Monday, not the holiday, Wednesday …


def test_targets_of_a_category_and_of_a_customer_kind_win(desk):
    vip = make_user(kind=CustomerKind.objects.get(key="vip"))
    ticket = desk.file(FRIDAY, "placa", vip)
    assert clock(ticket).due_at == at(2026, 12, 27, 23, 59, 59)
    assert clock(ticket, "first_response").due_at == at(2026, 11, 27, 17, 0)
    other = desk.file(FRIDAY, "pantalla")
    assert clock(other, "first_response").due_at == at(2026, 11, 30, 8, 30)


def test_a_pause_outside_working_hours_moves_nothing(desk):
    ticket = desk.file(FRIDAY)
    desk.do(at(2026, 11, 27, 18, 0), ticket, "preguntar")
    desk.do(at(2026, 11, 30, 7, 0), ticket, "seguir")
    assert clock(ticket).due_at == at(2026, 12, 1, 15, 30)


def test_a_pause_moves_the_date_by_the_working_time_in_it(desk):
    ticket = desk.file(FRIDAY)
    desk.do(at(2026, 11, 27, 16, 45), ticket, "preguntar")
    paused = clock(ticket)
    assert clocks.current_due(paused, now=at(2026, 11, 30, 9, 0)) == at(2026, 12, 1, 16, 45)
    status = clocks.status(paused, now=at(2026, 11, 29, 9, 0))
    assert (status.state, status.left) == ("paused", timedelta(hours=15, minutes=45))
    desk.do(at(2026, 11, 30, 9, 0), ticket, "seguir")
    assert clock(ticket).due_at == at(2026, 12, 1, 16, 45)


def test_a_pause_within_a_day_does_not_move_a_target_in_days(desk):
    ticket = desk.file(at(2026, 12, 3, 10, 0), "tramite")
    desk.do(at(2026, 12, 4, 9, 0), ticket, "preguntar")
    desk.do(at(2026, 12, 4, 15, 0), ticket, "seguir")
    assert clock(ticket).due_at == at(2026, 12, 11, 23, 59, 59)
    desk.do(at(2026, 12, 9, 15, 0), ticket, "preguntar")
    desk.do(at(2026, 12, 10, 9, 0), ticket, "seguir")
    assert clock(ticket).due_at == at(2026, 12, 14, 23, 59, 59)


def test_agreed_date_outside_opening_hours_stays_and_moves_by_working_time(desk):
    ticket = desk.file(FRIDAY)
    sunday = at(2026, 12, 6, 10, 0)
    with desk.moved_to(FRIDAY):
        properties.change_properties(ticket, actor=desk.agent, due_at=sunday)
    desk.do(at(2026, 11, 28, 9, 0), ticket, "preguntar")
    desk.do(at(2026, 11, 29, 9, 0), ticket, "seguir")
    assert clock(ticket).due_at == sunday
    desk.do(at(2026, 11, 30, 9, 0), ticket, "preguntar")
    desk.do(at(2026, 11, 30, 11, 0), ticket, "seguir")
    assert clock(ticket).due_at == at(2026, 12, 7, 10, 0)


def test_agreed_date_of_a_target_in_days_keeps_its_hour(desk):
    ticket = desk.file(at(2026, 12, 3, 10, 0), "tramite")
    with desk.moved_to(at(2026, 12, 3, 10, 0)):
        properties.change_properties(ticket, actor=desk.agent, due_at=at(2026, 12, 4, 11, 0))
    desk.do(at(2026, 12, 3, 16, 0), ticket, "preguntar")
    desk.do(at(2026, 12, 4, 9, 0), ticket, "seguir")
    assert (clock(ticket).unit, clock(ticket).due_at) == ("working", at(2026, 12, 4, 13, 0))


def test_another_case_kind_counts_otherwise_from_the_same_beginning(desk):
    ticket = desk.file(FRIDAY)
    with desk.moved_to(at(2026, 11, 30, 9, 0)):
        properties.change_properties(ticket, actor=desk.agent, case_kind="procedure")
    assert clock(ticket, "first_response").due_at == FRIDAY + timedelta(hours=4)
    assert clock(ticket).due_at == at(2026, 12, 4, 23, 59, 59)
    with desk.moved_to(at(2026, 11, 30, 9, 5)):
        properties.change_properties(ticket, actor=desk.agent, case_kind="problem")
    assert clock(ticket).due_at == at(2026, 12, 1, 15, 30)


def test_proposed_date_counts_working_time_also_when_the_target_has_passed(desk):
    ticket = desk.file(FRIDAY)
    early = clocks.proposed_due(ticket, severity="low", case_kind="problem", now=FRIDAY)
    late = clocks.proposed_due(ticket, severity="low", case_kind="problem", now=at(2026, 12, 4, 16, 0))
    assert (early, late) == (at(2026, 12, 1, 15, 30), at(2026, 12, 9, 15, 0))


def test_paused_tickets_are_listed_by_the_working_time_they_have_left(desk):
    much, little = desk.file(at(2026, 11, 27, 16, 0)), desk.file(at(2026, 11, 26, 9, 0))
    for ticket in (much, little):
        desk.do(at(2026, 11, 27, 16, 30), ticket, "preguntar")
    order = Ticket.objects.order_by(*queues.ORDERS["vence"].keys)
    assert list(order.values_list("pk", flat=True)) == [little.pk, much.pk]


def test_stored_clocks_keep_the_version_that_counted_them(desk):
    ticket = desk.file(FRIDAY)
    office = Calendar.objects.get()
    rules = {**office.current.rules, "week": {"mon": [["08:00", "09:00"]]}}
    office.current = CalendarVersion.objects.create(calendar=office, number=2, rules=rules)
    office.save()
    assert clock(ticket).calendar_version.number == 1
    later = desk.file(FRIDAY)
    assert clock(later, "first_response").calendar_version.number == 2
    assert clock(later, "first_response").due_at == at(2026, 11, 30, 9, 0)


def test_a_calendar_version_never_changes(process):
    version = CalendarVersion.objects.get()
    with pytest.raises(TypeError):
        version.save()


def test_publishing_keeps_the_hours_of_the_desk_and_says_so(process):
    again = put_in_use(SOURCE.replace('mon = [["08:00"', 'mon = [["09:00"'))
    assert CalendarVersion.objects.count() == 1
    assert [change for change in again.changes if "Oficina" in change]
    quiet = put_in_use(SOURCE + "\n")
    assert not quiet.changes


def test_a_process_may_name_a_calendar_that_the_desk_has(process):
    without = SOURCE[: SOURCE.index("[[calendars]]")] + SOURCE[SOURCE.index("[targets]") :]
    publish(without.replace('"taller"', '"otro-taller"'))
    Calendar.objects.update(current=None)
    CalendarVersion.objects.all().delete()
    Calendar.objects.all().delete()
    with pytest.raises(DefinitionError, match="oficina"):
        publish(without.replace('"taller"', '"tercer-taller"'))


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ('calendar = "oficina"\n', "", "[targets", "falta calendar"),
        ('calendar = "oficina"', 'calendar = "taller"', "calendar =", "no hay un calendario «taller»"),
        ('"1 working hour"', '"1 working hour rolled"', 'problem = "1', "se esperaba un plazo"),
        ('"1 working hour"', '"0 working hours"', 'problem = "0', "se esperaba un plazo"),
        ('"1 working hour"', '""', 'problem = ""', "falta el plazo"),
        ('"1 working hour"', '"una hora"', 'problem = "una', "se esperaba un plazo"),
        ('category = "placa"', 'category = "plaza"', 'category = "plaza"', "no hay una categoría"),
        ('customer_kind = "vip"', 'customer_kind = "vap"', "[[targets.special", "no hay un tipo de cliente"),
        ('customer_kind = "vip"\n', "", "[[targets.special", "falta category o customer_kind"),
        ('resolution = "30 calendar days"\n', "", "[[targets.special", "falta un plazo: first_response"),
        ('zone = "America/Bogota"', 'zone = "America/Macondo"', "zone =", "zona horaria"),
        ('"08:00", "12:00"', '"8", "12"', "week =", "mon: Escribe cada horario"),
        ('zone = "America/Bogota"', 'zone = "America/Bogota"\nhoras = 3', "horas", "no conocemos «horas»"),
    ],
)
def test_each_mistake_about_time_is_told_with_its_line(db, old, new, line, says):
    assert old in SOURCE
    source = SOURCE.replace(old, new, 1)
    with pytest.raises(DefinitionError) as refused:
        publish(source)
    [problem] = [each for each in refused.value.problems if says in each.message]
    assert source.splitlines()[problem.line - 1].startswith(line)


def test_the_page_explains_hours_holidays_and_pauses(desk, client):
    ticket = desk.file(at(2026, 12, 4, 16, 0))
    desk.do(at(2026, 12, 7, 9, 0), ticket, "preguntar")
    desk.do(at(2026, 12, 7, 10, 0), ticket, "seguir")
    client.force_login(desk.agent)
    with desk.moved_to(at(2026, 12, 9, 10, 0)):
        page = client.get(reverse("agents:ticket_due", args=[ticket.folio])).content.decode()
    page = " ".join(re.sub(r"<[^>]+>", " ", page).replace("\N{NO-BREAK SPACE}", " ").split())
    for words in (
        "Tiempo hábil usado 10 h de 16 horas hábiles Quedan 6 h",
        "Cerrado: Inmaculada ayer no cuenta",
        "En pausa, esperando al solicitante",
        "Fuera de horario no cuenta",
        "Cuenta y falta, el plazo de la política 16 h",
        "Pausa de 1 h, esperando al solicitante",
        "Cuenta el horario «Oficina», versión 1.",
    ):
        assert words in page, words


def test_a_list_of_tickets_reads_each_calendar_once(desk, client, django_assert_num_queries):
    for _number in range(3):
        desk.file(FRIDAY)
    tickets = list(queues.for_rows(Ticket.objects.all()))
    pk = CalendarVersion.objects.get().pk
    CalendarVersion.objects.forget(pk)
    with django_assert_num_queries(2):
        for found in queues.clocks_of(tickets).values():
            assert [clocks.status(each, now=FRIDAY).state for each in found] == ["ok", "ok"]


def test_answering_stops_the_first_response_on_time(desk):
    ticket = desk.file(FRIDAY)
    with desk.moved_to(at(2026, 11, 30, 8, 20)):
        conversation.send_follow_up(ticket, actor=desk.agent, body="Lo vemos.")
    answered = clock(ticket, "first_response")
    assert clocks.status(answered, now=at(2026, 12, 1, 9, 0)).state == "met"


def test_cards_say_the_target_and_how_it_is_counted(desk, client):
    page = client.get(reverse("portal:home")).content.decode()
    for words in ("Primera respuesta: 1 hora hábil", "5 días hábiles", "Primera respuesta: 1 hora hábil"):
        assert words in page
    desk.file(FRIDAY, "placa", make_user(kind=CustomerKind.objects.get(key="vip")))
    targets = targets_by_severity(Ticket.objects.get())
    assert set(targets.values()) == {Target(timedelta(minutes=30), TargetUnit.WORKING)}
