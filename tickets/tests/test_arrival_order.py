"""Proof of the order of arrival: who was passed over, by which ticket, by whose decision (S2.35)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.tests.factories import make_agent, make_department, make_supervisor
from tickets.actors import SYSTEM
from tickets.lists import arrivals
from tickets.models import Overtaking, Ticket
from tickets.tests.factories import make_process, make_ticket
from tickets.tests.test_four_clocks import SOURCE
from tickets.workflow import arrival, conversation
from tickets.workflow.arrival import record_overtaken
from tickets.workflow.publishing import publish

pytestmark = [pytest.mark.django_db, pytest.mark.demand("S2.35")]
BY_ARRIVAL = SOURCE.replace('department = "soporte"\n', 'department = "soporte"\nqueue = "arrival"\n', 1)
S2, S0 = "soporte-con-aprobacion", "incidencia-tecnica"


@pytest.fixture
def agent():
    return make_agent(make_department("soporte-tecnico"))


def filed(minutes_ago, process=S2, **columns):
    ticket = make_ticket(make_process(process))
    moment = timezone.now() - timedelta(minutes=minutes_ago)
    values = {"created_at": moment, "department": make_department("soporte-tecnico"), **columns}
    Ticket.objects.filter(pk=ticket.pk).update(**values)
    ticket.refresh_from_db()
    return ticket


def answered(ticket, agent):
    record_overtaken(ticket, actor=agent, now=timezone.now())
    return [(case.ticket, case.decided_by) for case in Overtaking.objects.filter(by_ticket=ticket)]


def test_first_answer_to_a_later_ticket_names_those_before_it(agent):
    first, second, third = filed(30), filed(20), filed(10)
    assert answered(second, agent) == [(first, agent)]
    assert not Overtaking.objects.filter(ticket=third).exists()


def test_answer_in_order_passes_over_nobody(agent):
    first, _second = filed(30), filed(20)
    assert answered(first, agent) == []


@pytest.mark.parametrize(
    "why", ["answered", "paused", "closed", "test", "elsewhere", "by due date", "duplicate"]
)
def test_nobody_is_passed_over_whose_turn_it_was_not(agent, why):
    columns = {
        "answered": {"first_response_at": timezone.now()},
        "paused": {"is_paused": True},
        "closed": {"stage_kind": "done"},
        "test": {"is_test": True},
        "elsewhere": {"department": make_department("academico")},
    }.get(why, {})
    earlier = filed(30, S0 if why == "by due date" else S2, **columns)
    if why == "duplicate":
        Ticket.objects.filter(pk=earlier.pk).update(duplicate_of=filed(5))
    assert answered(filed(10), agent) == []


def test_rule_of_the_process_decides_nothing():
    filed(30)
    assert answered(filed(10), SYSTEM) == []


def test_process_by_due_date_costs_no_query(agent, django_assert_num_queries):
    filed(30, S0)
    later = filed(10, S0)
    with django_assert_num_queries(0):
        assert record_overtaken(later, actor=agent, now=timezone.now()) == 0


def test_long_line_is_recorded_up_to_a_bound_from_its_head(agent, monkeypatch, django_assert_max_num_queries):
    monkeypatch.setattr(arrival, "MOST", 2)
    line = [filed(minutes) for minutes in (50, 40, 30)]
    later = filed(10)
    with django_assert_max_num_queries(4):  # two of them are savepoints
        assert record_overtaken(later, actor=agent, now=timezone.now()) == 2
    assert {case.ticket for case in Overtaking.objects.all()} == set(line[:2])


def test_verb_records_only_the_first_answer():
    """Through the verb: a second answer to the same ticket decides nothing new."""
    process, agent = publish(BY_ARRIVAL).process, make_supervisor()
    first, second = make_ticket(process), make_ticket(process)
    assert first.by_arrival
    conversation.send_follow_up(second, actor=agent, body="Ya lo vemos.")
    [case] = Overtaking.objects.all()
    assert (case.ticket, case.by_ticket, case.decided_by) == (first, second, agent)
    third = make_ticket(process)
    conversation.send_follow_up(second, actor=agent, body="Casi.")
    assert Overtaking.objects.count() == 1
    assert not third.overtaken.exists()


def test_reader_sees_no_ticket_out_of_their_sight(agent, django_assert_num_queries):
    first, second = filed(30), filed(10)
    answered(second, agent)
    assert [case.by_ticket for case in arrivals.overtakings_of(first, user=agent)] == [second]
    assert [case.ticket for case in arrivals.overtakings_of(second, user=agent)] == [first]
    Ticket.objects.filter(pk=second.pk).update(department=make_department("academico"))
    assert arrivals.overtakings_of(first, user=agent) == []
    supervisor = make_supervisor()
    with django_assert_num_queries(1):
        assert len(arrivals.overtakings_of(first, user=supervisor)) == 1
