"""The clocks for the next reply and for progress, warnings and automatic news (S0.19, S0.21, S2.32)."""

from datetime import datetime, timedelta
from unittest import mock
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from accounts.tests.factories import make_agent, make_department, make_supervisor, make_user
from tickets import clocks
from tickets.definitions.problems import DefinitionError
from tickets.models import Clock, Ticket
from tickets.workflow import conversation, properties, sweeps
from tickets.workflow.intake import file_ticket
from tickets.workflow.perform import perform
from tickets.workflow.publishing import publish

BOGOTA = ZoneInfo("America/Bogota")
HOUR = timedelta(hours=1)
OPEN = '[["08:00", "18:00"]]'
SOURCE = f"""
format = 1
key = "taller"
name = "Taller"
department = "soporte"
departments = [{{ key = "soporte", label = "Soporte" }}]

[[calendars]]
key = "oficina"
label = "Oficina"
zone = "America/Bogota"
week = {{ mon = {OPEN}, tue = {OPEN}, wed = {OPEN}, thu = {OPEN}, fri = {OPEN} }}

[targets]
calendar = "oficina"

[targets.first_response]
problem = "2 working hours"
procedure = "2 working hours"

[targets.next_reply]
problem = "4 working hours"
procedure = "8 working hours"

[targets.progress]
problem = "10 working hours"
procedure = "24h"

[targets.resolution]
problem = "40 working hours"
procedure = "40h"

[[categories]]
key = "falla"
label = "Falla"

[[categories]]
key = "tramite"
label = "Trámite"
case_kind = "procedure"

[[stages]]
key = "nuevo"
label = "Nuevo"
public_label = "Recibido"
kind = "evaluation"
owner = "staff"

[[stages]]
key = "trabajo"
label = "Banco de pruebas"
public_label = "En reparación"
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
key = "aceptar"
label = "Aceptar"
from = ["nuevo"]
to = "trabajo"
by = ["staff"]
style = "primary"

[[actions]]
key = "preguntar"
label = "Preguntar"
from = ["nuevo", "trabajo"]
to = "espera"
by = ["staff"]

[[actions]]
key = "seguir"
label = "Seguir"
from = ["espera"]
to = "trabajo"
by = ["staff"]

[[actions]]
key = "terminar"
label = "Terminar"
from = ["nuevo", "trabajo"]
to = "listo"
by = ["staff"]
style = "primary"

[[actions]]
key = "reabrir"
label = "Reabrir"
from = ["listo"]
to = "trabajo"
by = ["staff"]
"""


def at(day, hour, minute=0):
    """Return a moment of November 2026 in Bogotá. The 2nd is a Monday."""
    return datetime(2026, 11, day, hour, minute, tzinfo=BOGOTA)


class Desk:
    """One ticket, filed on Monday at 8:00, and what happens to it at chosen times."""

    def __init__(self, category="falla", start=None, source=SOURCE):
        self.now = start or at(2, 8)
        self.process = publish(source).process
        self.home = make_department("soporte")
        self.agent, self.supervisor, self.customer = make_agent(self.home), make_supervisor(), make_user()
        with self.time:
            self.ticket = file_ticket(
                self.process, actor=self.customer, category=self.process.categories.get(key=category),
                title="No enciende", description="Desde ayer.",
            )  # fmt: skip
            properties.assign(self.ticket, actor=self.supervisor, assignee=self.agent)

    @property
    def time(self):
        return mock.patch.object(timezone, "now", return_value=self.now)

    def at(self, *moment):
        self.now = at(*moment)
        return self

    def answer(self, body="Seguimos.", **more):
        with self.time:
            conversation.send_follow_up(self._fresh(), actor=self.agent, body=body, **more)
        return self

    def reply(self, body="¿Ya?"):
        with self.time:
            conversation.reply(self._fresh(), actor=self.customer, body=body)
        return self

    def do(self, action):
        with self.time:
            perform(self._fresh(), action, actor=self.agent)
        return self

    def change(self, **values):
        with self.time:
            properties.change_properties(self._fresh(), actor=self.supervisor, **values)
        return self

    def sweep(self):
        with self.time:
            sweeps.breach_overdue()
            sweeps.give_notice()
        self._fresh()
        return self

    def _fresh(self):
        self.ticket = Ticket.objects.get(pk=self.ticket.pk)
        return self.ticket

    def clock(self, kind):
        return Clock.objects.filter(ticket=self.ticket, kind=kind).first()

    def events(self, kind):
        return [
            (event.data.get("clock"), event.at, [entry["to"] for entry in event.notify])
            for event in self.ticket.events.filter(kind=kind).order_by("version")
        ]

    @property
    def automatic(self):
        return [
            event.message for event in self.ticket.events.filter(kind="message").order_by("version")
            if event.data.get("automatic")
        ]  # fmt: skip


@pytest.fixture
def desk(db):
    return Desk()


# --- Next reply ---------------------------------------------------------------------------------------------------


@pytest.mark.demand("S0.19")
def test_first_response_covers_all_messages_before_it(desk):
    desk.at(2, 9).reply()
    assert desk.clock("next_reply") is None


@pytest.mark.demand("S0.19")
def test_next_reply_begins_with_the_first_unanswered_message(desk):
    desk.at(2, 9).answer().at(2, 10).reply().at(2, 11).reply()
    clock = desk.clock("next_reply")
    assert (clock.started_at, clock.due_at, clock.stopped_at) == (at(2, 10), at(2, 14), None)
    desk.at(2, 12).answer()
    assert desk.clock("next_reply").stopped_at == at(2, 12)
    desk.at(2, 17).reply()
    clock = desk.clock("next_reply")
    assert (clock.started_at, clock.due_at, clock.stopped_at) == (at(2, 17), at(3, 11), None)
    assert Clock.objects.filter(ticket=desk.ticket, kind="next_reply").count() == 1


@pytest.mark.demand("S0.19")
def test_internal_note_answers_nobody(desk):
    desk.at(2, 9).answer().at(2, 10).reply().at(2, 11)
    with desk.time:
        conversation.add_internal_note(desk.ticket, actor=desk.agent, body="Ya casi.")
    assert desk.clock("next_reply").stopped_at is None


@pytest.mark.demand("S2.32")
def test_breach_of_an_answered_turn_stays_on_record(desk):
    """The same row begins again before any sweep has run."""
    desk.at(2, 9).answer().at(2, 10).reply().at(2, 15).answer().at(2, 16).reply().sweep()
    assert [event[:2] for event in desk.events("breached")] == [("next_reply", at(2, 14))]
    assert desk.ticket.is_escalated
    clock = desk.clock("next_reply")
    assert (clock.due_at, clock.breached_at) == (at(3, 10), None)


@pytest.mark.demand("S2.32")
def test_turn_that_closing_ended_late_is_recorded_once(desk):
    desk.at(2, 9).answer().at(2, 10).reply().at(2, 16).do("terminar").sweep().sweep()
    assert [event[:2] for event in desk.events("breached")] == [("next_reply", at(2, 14))]


def test_reply_is_the_nearest_promise(desk):
    desk.at(2, 9).answer().at(2, 10).reply()
    assert desk.ticket.due_order != at(2, 14)  # the object before the verb
    assert desk._fresh().due_order == at(2, 14)
    assert clocks.nearest(desk.ticket.clocks.all()).kind == "next_reply"
    desk.at(2, 11).answer()
    assert clocks.nearest(desk._fresh().clocks.all()).kind == "progress"


# --- Progress -----------------------------------------------------------------------------------------------------


@pytest.mark.demand("S0.21")
def test_progress_begins_again_with_every_public_message(desk):
    assert desk.clock("progress").due_at == at(2, 18)
    desk.at(2, 16).answer()
    assert (desk.clock("progress").started_at, desk.clock("progress").due_at) == (at(2, 16), at(3, 16))


@pytest.mark.demand("S0.21")
def test_silent_desk_reminds_and_writes_the_truth(desk):
    desk.at(2, 9).answer().at(2, 10).do("aceptar").at(3, 9).sweep()
    assert desk.events("breached") == [("progress", at(3, 9), ["assignee"])]
    [message] = desk.automatic
    assert "«En reparación»" in message.body
    assert "«Listo»" in message.body
    assert "jueves 5 de noviembre, 18:00 (hora de Bogota)" in message.body
    assert "Banco" not in message.body
    assert (message.is_public, message.author, message.created_at) == (True, None, at(3, 9))
    event = message.event
    assert [(entry["to"], entry["template"]) for entry in event.notify] == [("requester", "status_update")]
    assert not desk.ticket.is_escalated
    assert (desk.clock("progress").started_at, desk.clock("progress").due_at) == (at(3, 9), at(4, 9))


@pytest.mark.demand("S0.21")
def test_automatic_news_is_written_in_the_requesters_language(db):
    desk = Desk()
    Ticket.objects.filter(pk=desk.ticket.pk).update(requester_language="en")
    desk.at(3, 8).sweep()
    assert "Your case is still open" in desk.automatic[0].body


@pytest.mark.demand("S0.21")
def test_automatic_news_promises_no_date_that_has_passed(desk):
    Clock.objects.filter(ticket=desk.ticket, kind="resolution").update(due_at=at(2, 9))
    desk.at(3, 8).sweep()
    assert "ya pasó" in desk.automatic[0].body
    assert "a más tardar" not in desk.automatic[0].body


@pytest.mark.demand("S0.21")
def test_automatic_news_is_no_answer(desk):
    desk.at(3, 8).sweep()
    assert desk.automatic
    assert (desk.ticket.first_response_at, desk.clock("first_response").stopped_at) == (None, None)
    assert desk.ticket.last_staff_message_at is None
    desk.at(3, 9).answer().at(3, 10).reply().at(5, 9).sweep()
    assert len(desk.automatic) == 2
    assert desk.clock("next_reply").stopped_at is None


@pytest.mark.demand("S0.21")
def test_automatic_news_waits_for_the_opening(desk):
    """The span ends when the desk closes; the breach is dated then, the message leaves in the morning."""
    desk.at(2, 18).sweep()
    assert desk.events("breached")[-1][:2] == ("progress", at(2, 18))
    assert desk.automatic == []
    desk.at(3, 7, 59).sweep()
    assert desk.automatic == []
    desk.at(3, 8).sweep()
    assert len(desk.automatic) == 1


@pytest.mark.demand("S0.21")
def test_elapsed_span_keeps_the_night_quiet(db, settings):
    settings.DESK_TIME_ZONE = "America/Bogota"
    desk = Desk("tramite", start=at(2, 21))
    desk.at(3, 21).sweep()
    assert (len(desk.events("breached")) > 0, desk.automatic) == (True, [])
    desk.at(4, 7, 59).sweep()
    assert desk.automatic == []
    desk.at(4, 8).sweep()
    assert len(desk.automatic) == 1


@pytest.mark.demand("S0.21")
def test_fourth_silence_tells_the_supervisor_instead(desk):
    for day in (3, 4, 5, 6, 9, 10):
        desk.at(day, 8).sweep().at(day, 18).sweep()
    assert len(desk.automatic) == 3
    told = [who for kind, _at, who in desk.events("breached") if kind == "progress"]
    assert told == [["assignee"]] * 3 + [["assignee", "role:supervisor"]]
    desk.at(11, 9).answer().at(12, 9).sweep()
    assert len(desk.automatic) == 4


@pytest.mark.demand("S0.21")
@pytest.mark.parametrize("why", ["waits", "contribution", "closed", "test"])
def test_no_automatic_news_where_it_would_be_wrong(desk, why):
    desk.at(2, 9)
    if why == "waits":
        desk.do("preguntar")
    elif why == "closed":
        desk.do("terminar")
    elif why == "test":
        Ticket.objects.filter(pk=desk.ticket.pk).update(is_test=True)
    else:
        with desk.time:
            properties.set_contribution(desk.ticket, actor=desk.agent, is_open=True)
    for day in (3, 4, 5):
        desk.at(day, 9).sweep()
    assert desk.automatic == []


# --- Warnings -----------------------------------------------------------------------------------------------------


@pytest.mark.demand("S2.32")
def test_warnings_go_to_assignee_then_managers_once_each(desk):
    desk.at(2, 9).answer().at(2, 10).reply()
    desk.at(2, 12, 59).sweep()
    assert desk.events("warned") == []
    desk.at(2, 13).sweep().sweep()
    assert desk.events("warned") == [("next_reply", at(2, 13), ["assignee"])]
    desk.at(2, 13, 36).sweep().at(2, 13, 50).sweep()
    assert [who for _kind, _at, who in desk.events("warned")] == [["assignee"], ["managers"]]
    desk.at(2, 14).sweep()
    assert len(desk.events("warned")) == 2


@pytest.mark.demand("S2.32")
def test_answered_promise_warns_nobody(desk):
    desk.at(2, 9).answer().at(2, 10).reply().at(2, 11).answer().at(2, 13, 40).sweep()
    assert desk.events("warned") == []


@pytest.mark.demand("S2.32")
def test_late_sweep_warns_of_nothing_that_has_run_out(desk):
    desk.at(2, 10).sweep()
    assert desk.events("warned") == []
    assert desk.events("breached")[0][:2] == ("first_response", at(2, 10))


@pytest.mark.demand("S2.32")
def test_warning_at_closing_time_waits_until_morning(db):
    """75 % of 40 working hours are used up on Wednesday when the desk closes."""
    desk = Desk()
    desk.at(2, 9).answer().at(4, 18).sweep()
    assert ("resolution", ["assignee"]) not in [(kind, who) for kind, _at, who in desk.events("warned")]
    desk.at(5, 8).sweep()
    assert ("resolution", ["assignee"]) in [(kind, who) for kind, _at, who in desk.events("warned")]


@pytest.mark.demand("S2.32")
def test_pause_postpones_the_warning(desk):
    desk.at(2, 9).answer().do("preguntar").at(4, 9).do("seguir").at(5, 9).sweep()
    assert [kind for kind, *_ in desk.events("warned") if kind == "resolution"] == []
    desk.at(9, 8).sweep()
    assert [kind for kind, *_ in desk.events("warned") if kind == "resolution"] == ["resolution"]


@pytest.mark.demand("S2.32")
def test_moved_date_warns_again(desk):
    desk.at(2, 9).answer().at(5, 8).sweep().change(due_at=at(16, 9))
    assert desk.clock("resolution").warned == 0
    desk.at(16, 8).sweep()
    assert [who for kind, _at, who in desk.events("warned") if kind == "resolution"] == [
        ["assignee"], ["assignee", "managers"],
    ]  # fmt: skip


@pytest.mark.demand("S2.32")
def test_process_chooses_the_percentages(db):
    desk = Desk(source=SOURCE.replace("[targets]\n", "[targets]\nwarn_assignee = 0\nwarn_managers = 50\n"))
    desk.at(2, 9).sweep()
    assert desk.events("warned") == [("first_response", at(2, 9), ["managers"])]
    with pytest.raises(DefinitionError, match="warn_managers"):
        publish(SOURCE.replace("[targets]\n", "[targets]\nwarn_assignee = 60\nwarn_managers = 50\n"))


@pytest.mark.demand("S2.32")
def test_sweep_reads_what_is_due_and_not_what_runs(desk, django_assert_num_queries):
    for _number in range(5):
        Desk()
    desk.at(2, 8, 30)
    with desk.time, django_assert_num_queries(1):
        assert sweeps.give_notice() == 0
