"""The desk's queues: which tickets each shows to whom, and figures that cost few queries."""

from datetime import UTC, datetime, timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.utils import timezone

from accounts.models import Membership, User
from accounts.tests.factories import make_agent, make_department, make_supervisor
from tickets import clocks, sla
from tickets.enums import StageKind
from tickets.lists import queues
from tickets.lists.figures import count_queues
from tickets.lists.queues import Place
from tickets.models import Clock, Ticket
from tickets.models.ticket import LAST_POSITION
from tickets.tests.factories import make_process, make_ticket

pytestmark = pytest.mark.django_db


def held(key, user):
    queue = next(queue for queue in queues.queues_for(user) if queue.key == key)
    return set(queue.tickets(user))


@pytest.mark.demand("S2.25")
def test_each_queue_has_its_tickets():
    supervisor, technical = make_supervisor(), make_department("soporte-tecnico")
    new, mine, waiting, approving, reviewed, late, closed = (make_ticket() for _ in range(7))
    rows = {
        mine: {"assignee": supervisor, "stage_kind": StageKind.WORK},
        waiting: {"stage_kind": StageKind.WAITING_CUSTOMER},
        approving: {"stage_kind": StageKind.CLOSURE_APPROVAL, "assignee": make_agent()},
        reviewed: {"stage_kind": StageKind.VERIFICATION, "assignee": make_agent()},
        late: {"is_escalated": True, "stage_kind": StageKind.WORK},
        closed: {"stage_kind": StageKind.DONE, "assignee": supervisor},
    }
    for ticket, values in rows.items():
        Ticket.objects.filter(pk=ticket.pk).update(**values)
    Ticket.objects.filter(pk=new.pk).update(department=None)

    assert held("mios", supervisor) == {mine}
    assert held("por-preparar", supervisor) == {new}
    assert held("sin-asignar", supervisor) == {new, waiting, late}
    assert held("esperan-al-cliente", supervisor) == {waiting}
    assert held("por-aprobar", supervisor) == {approving}
    assert held("por-verificar", supervisor) == {reviewed}
    assert held("elevados", supervisor) == {late}
    assert held("cerrados", supervisor) == {closed}
    assert held("todos", supervisor) == {new, mine, waiting, approving, reviewed, late}
    assert held(f"departamento-{technical.key}", supervisor) == {mine, waiting, approving, reviewed, late}


def test_agents_see_only_their_departments_queues():
    make_process()
    cca = make_department("cca")
    agent = make_agent(cca)
    ours, theirs = make_ticket(), make_ticket()
    Ticket.objects.filter(pk=ours.pk).update(department=cca)

    keys = [queue.key for queue in queues.queues_for(agent) if queue.department]
    assert keys == ["departamento-cca"]
    assert held("departamento-cca", agent) == {ours}
    assert held("todos", agent) == {ours}
    departments = [queue.department.key for queue in queues.queues_for(make_supervisor()) if queue.department]
    assert {"administracion", "cca", "academico", "soporte-tecnico"} <= set(departments)
    assert theirs in held("todos", make_supervisor())


def test_count_scopes_stops_at_many(monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(queues, "MANY", 2)
    supervisor = make_supervisor()
    for _ in range(3):
        make_ticket()
    scopes = {"every": Ticket.objects.all(), "none": Ticket.objects.none(), "old": Ticket.objects.closed()}
    with django_assert_num_queries(1):
        assert queues.count_scopes(scopes, supervisor) == {"every": 2, "none": 0, "old": 0}
    with django_assert_num_queries(0):
        assert queues.count_scopes({}, supervisor) == {}


def test_count_queues_agrees_with_each_queues_tickets():
    technical, cca = make_department("soporte-tecnico"), make_department("cca")
    agent, supervisor = make_agent(technical), make_supervisor()
    kinds, places, people = list(StageKind), [technical, cca, None], [agent, supervisor, None]
    for number in range(3 * len(kinds)):
        Ticket.objects.filter(pk=make_ticket().pk).update(
            stage_kind=kinds[number % len(kinds)],
            department=places[number % 3],
            assignee=people[number // 3 % 3],
            is_escalated=number % 5 == 0,
        )
    for user in (agent, supervisor):
        mine = queues.queues_for(user)
        figures = count_queues(mine, user)
        assert figures == {queue.key: queue.tickets(user).count() for queue in mine if queue.key in figures}
        assert {queue.key for queue in mine} - figures.keys() == {"cerrados", "historico"}
        assert sum(figures.values()) > len(figures)


def test_count_queues_follows_membership_and_assignment(django_assert_num_queries):
    agent, supervisor = make_agent(), make_supervisor()
    ticket = make_ticket()
    Ticket.objects.filter(pk=ticket.pk).update(department=make_department("cca"))

    def figures(user):
        return count_queues([queues.ALL, queues.CLOSED, queues.MINE], user)

    assert figures(agent) == {"todos": 0, "mios": 0}
    with django_assert_num_queries(2):
        assert figures(supervisor) == {"todos": 1, "mios": 0}
    Membership.objects.create(user=agent, department=make_department("cca"))
    agent = User.objects.get(pk=agent.pk)
    assert figures(agent)["todos"] == 1
    Ticket.objects.filter(pk=ticket.pk).update(assignee=agent)
    assert figures(agent)["mios"] == 1


def test_due_groups_agree_with_group_of():
    now = timezone.now()
    end_of_day = now + timedelta(hours=3)
    values = {
        "overdue": {"due_order": now - timedelta(hours=1)},
        "today": {"due_order": now + timedelta(hours=1)},
        "later": {"due_order": now + timedelta(days=2)},
        "undated": {"due_order": sla.FAR_FUTURE},
        "paused": {"due_order": sla.PAUSED + timedelta(days=1), "is_paused": True},
    }
    for fields in values.values():
        Ticket.objects.filter(pk=make_ticket().pk).update(**fields)
    groups = queues.due_groups(Ticket.objects.all(), now=now, end_of_day=end_of_day)
    assert groups.keys() == values.keys()
    for name, scope in groups.items():
        assert [queues.group_of(t, now=now, end_of_day=end_of_day) for t in scope] == [name]


def test_open_ticket_counts_returns_one_count_per_person(django_assert_num_queries):
    busy, idle = make_agent(), make_agent()
    for kind in (StageKind.WORK, StageKind.WORK, StageKind.DONE):
        Ticket.objects.filter(pk=make_ticket().pk).update(assignee=busy, stage_kind=kind)
    with django_assert_num_queries(1):
        assert queues.open_ticket_counts([busy, idle]) == {busy.pk: 2, idle.pk: 0}


@pytest.mark.demand("S2.35")
def test_proposed_place_is_behind_earlier_department_tickets():
    first, second, third = (make_ticket() for _ in range(3))
    Ticket.objects.filter(pk=first.pk).update(queue_position=1)
    Ticket.objects.filter(pk=second.pk).update(queue_position=2)
    assert queues.proposed_place(third) == Place(position=3, ahead=2)
    assert queues.proposed_place(first) == Place(position=1, ahead=0)
    elsewhere = make_department("academico")
    assert queues.proposed_place(third, department=elsewhere) == Place(position=1, ahead=0)


@pytest.mark.demand("S2.35")
def test_proposed_place_is_behind_every_earlier_position():
    early, waiting, late = (make_ticket() for _ in range(3))
    Ticket.objects.filter(pk=waiting.pk).update(queue_position=2)
    Ticket.objects.filter(pk=early.pk).update(queue_position=1, stage_kind=StageKind.DONE)
    assert queues.proposed_place(late) == Place(position=3, ahead=1)


@pytest.mark.demand("S2.35")
def test_preparing_in_any_order_keeps_arrival_order():
    tickets = [make_ticket() for _ in range(4)]
    for index in (2, 0, 3, 1):
        place = queues.proposed_place(tickets[index])
        Ticket.objects.filter(pk=tickets[index].pk).update(queue_position=place.position)
    assert list(Ticket.objects.order_by(*queues.ORDERS["llegada"].keys)) == tickets


def test_proposed_place_reads_only_neighbours(monkeypatch):
    monkeypatch.setattr(queues, "NEIGHBOURS", 2)
    tickets = [make_ticket() for _each in range(4)]
    for position, ticket in zip((9, 4, 5), tickets, strict=False):
        Ticket.objects.filter(pk=ticket.pk).update(queue_position=position)
    assert queues.proposed_place(tickets[3]) == Place(position=6, ahead=2)


def test_proposed_place_never_exceeds_last_position():
    first, second = make_ticket(), make_ticket()
    Ticket.objects.filter(pk=first.pk).update(queue_position=LAST_POSITION)
    assert queues.proposed_place(second).position == LAST_POSITION


def test_agent_without_departments_sees_tickets_without_one():
    agent = make_agent()
    Membership.objects.filter(user=agent).delete()
    ticket = make_ticket()
    assert held("todos", agent) == set()
    Ticket.objects.filter(pk=ticket.pk).update(department=None)
    assert held("todos", agent) == {ticket}


NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("clock", "state", "left"),
    [
        ({"due": NOW + 5 * HOUR}, "ok", 5 * HOUR),
        ({"due": NOW + 3 * HOUR}, "risk", 3 * HOUR),
        ({"due": NOW}, "breached", timedelta()),
        ({"due": NOW - HOUR}, "breached", HOUR),
        ({"due": NOW + HOUR, "paused_at": NOW - HOUR}, "paused", 2 * HOUR),
        ({"due": NOW - 3 * HOUR, "paused_at": NOW - HOUR}, "breached", 2 * HOUR),
        ({"due": NOW - HOUR, "stopped_at": NOW - 2 * HOUR}, "met", HOUR),
        ({"due": NOW - 2 * HOUR, "stopped_at": NOW - HOUR}, "missed", HOUR),
    ],
)
def test_status_of_running_paused_and_stopped_clocks(clock, state, left):
    shown = sla.status(target=10 * HOUR, now=NOW, **clock)
    assert (shown.state, shown.left) == (state, left)


def test_new_clock_has_its_whole_target_left():
    ticket = make_ticket()
    clock = Clock.objects.get(ticket=ticket, kind="resolution")
    shown = clocks.status(clock, now=ticket.created_at)
    assert (shown.state, shown.left, shown.fraction) == ("ok", clock.target, 1.0)


@pytest.mark.parametrize(
    ("key", "by_arrival"), [("soporte-con-aprobacion", True), ("incidencia-tecnica", False)]
)
def test_ticket_copies_the_queue_of_its_process(key, by_arrival):
    ticket = make_ticket(make_process(key))
    assert ticket.by_arrival is by_arrival
    Ticket.objects.update(by_arrival=False)
    import_module("tickets.migrations.0013_list_by_arrival").copy_queues(apps, None)
    assert Ticket.objects.get().by_arrival is by_arrival


@pytest.mark.demand("S2.43")
def test_load_of_a_person_leaves_out_tests_and_duplicates():
    agent = make_agent()
    counted, test, duplicate = (make_ticket() for _ in range(3))
    Ticket.objects.update(assignee=agent)
    Ticket.objects.filter(pk=test.pk).update(is_test=True)
    Ticket.objects.filter(pk=duplicate.pk).update(duplicate_of=counted)
    assert queues.open_ticket_counts([agent]) == {agent.pk: 1}
