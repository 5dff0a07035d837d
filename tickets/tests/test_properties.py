"""Properties that change without an action of the process: assignee, severity, department, contribution …"""

import pytest

from accounts.tests.factories import make_agent, make_department
from content.errors import InvalidData
from tickets.enums import Purpose
from tickets.exceptions import GuardFailed, NotAllowed
from tickets.lists.queues import ORDERS
from tickets.models import Ticket
from tickets.record.freshness import StaleTicket
from tickets.tests.playing import prepared
from tickets.workflow import properties

S2 = "soporte-con-aprobacion"


@pytest.mark.demand("S1.13")
def test_assign_tells_the_assignee_unless_self_assigned(play):
    p = play(S2)
    properties.assign(p.ticket, actor=p.supervisor, assignee=p.agent, key="k")
    properties.assign(p.ticket, actor=p.supervisor, assignee=p.agent, key="k")
    assert (p.refresh().assignee, p.told) == (p.agent, [("assignee", "assigned")])
    assert p.last.data == {"changes": {"assignee_id": [None, p.agent.pk]}}
    properties.assign(p.ticket, actor=p.colleague, assignee=p.colleague)
    assert (p.refresh().assignee, p.told) == (p.colleague, [])
    count = len(p.events)
    properties.assign(p.ticket, actor=p.colleague, assignee=p.colleague)
    properties.assign(p.ticket, actor=p.colleague, assignee=None)
    assert (p.refresh().assignee, len(p.events)) == (None, count + 1)


def test_assignee_must_be_active_staff(play):
    p = play(S2)
    p.colleague.is_active = False
    for person in (p.customer, p.colleague):
        with pytest.raises(InvalidData) as refused:
            properties.assign(p.ticket, actor=p.supervisor, assignee=person)
        assert refused.value.errors.keys() == {"assignee"}


def test_several_properties_change_in_one_event(play):
    p = play(S2)
    cca = make_department("cca")
    before = {"severity": p.ticket.severity, "department": p.ticket.department_id}
    properties.change_properties(
        p.ticket,
        actor=p.agent,
        severity="critical",
        difficulty="5",
        queue_position=2,
        department=cca,
        key="k",
    )
    p.refresh()
    assert (p.ticket.severity, p.ticket.difficulty, p.ticket.queue_position, p.ticket.department) == (
        "critical", 5, 2, cca,
    )  # fmt: skip
    assert p.last.data["changes"] == {
        "severity": [before["severity"], "critical"],
        "difficulty": [None, 5],
        "queue_position": [None, 2],
        "department": [before["department"], cca.pk],
    }
    assert (len(p.events), p.last.is_public) == (2, False)


def test_equal_values_record_no_event(play):
    p = play(S2)
    properties.change_properties(p.ticket, actor=p.agent, severity=p.ticket.severity, due_at=p.ticket.due_at)
    assert len(p.events) == 1


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"severity": "huge"}, {"severity"}),
        ({"severity": ""}, {"severity"}),
        ({"difficulty": 9, "queue_position": 0}, {"difficulty", "queue_position"}),
        ({"department": 999_999}, {"department"}),
        ({"case_kind": "miracle", "severity": "low"}, {"case_kind"}),
    ],
)
def test_wrong_values_are_reported_and_change_nothing(play, values, wrong):
    p = play(S2)
    before = Ticket.objects.values().get(pk=p.ticket.pk)
    with pytest.raises(InvalidData) as refused:
        properties.change_properties(p.ticket, actor=p.agent, **values)
    assert refused.value.errors.keys() == wrong
    assert Ticket.objects.values().get(pk=p.ticket.pk) == before


@pytest.mark.parametrize("name", ["stage", "folio", "requester", "is_test", "assignee__password"])
def test_other_columns_cannot_be_changed(play, name):
    """B1, B18: a field name that comes from a form must not reach any other column."""
    p = play(S2)
    with pytest.raises(TypeError, match="not an editable property"):
        properties.change_properties(p.ticket, actor=p.supervisor, **{name: "x"})


def test_customers_and_strangers_change_nothing(play):
    p = play(S2)
    for actor in (p.customer, p.stranger, p.outsider):
        for act in (
            lambda actor=actor: properties.assign(p.ticket, actor=actor, assignee=None),
            lambda actor=actor: properties.change_properties(p.ticket, actor=actor, severity="low"),
            lambda actor=actor: properties.set_contribution(p.ticket, actor=actor, is_open=True),
        ):
            with pytest.raises(NotAllowed):
                act()
    for actor in (p.agent, p.guest(Purpose.SURVEY), p.guest(Purpose.APPROVE), p.guest(Purpose.CONTRIBUTE)):
        with pytest.raises(NotAllowed):
            properties.set_notifications(p.ticket, actor=actor, on=False)


def test_stale_change_is_refused(play):
    p = play(S2)
    seen = p.ticket.version
    p.reply("¿Hola?")
    for act in (
        lambda: properties.assign(p.ticket, actor=p.agent, assignee=p.agent, version=seen),
        lambda: properties.change_properties(p.ticket, actor=p.agent, severity="low", version=seen),
        lambda: properties.set_contribution(p.ticket, actor=p.agent, is_open=True, version=seen),
    ):
        with pytest.raises(StaleTicket):
            act()


@pytest.mark.demand("S2.5", "S2.6")
def test_contribution_needs_an_open_ticket_and_an_address(play):
    p = play(S2)
    p.contribution(is_open=True).contribution(is_open=True)
    assert [event.data for event in p.events if event.kind == "contribution"] == [{"open": True}]
    p.contribution(is_open=False)
    Ticket.objects.filter(pk=p.ticket.pk).update(requester_email="")
    with pytest.raises(GuardFailed, match="Falta el correo"):
        p.contribution(is_open=True)
    p.do(p.supervisor, "cerrar_prueba")
    with pytest.raises(GuardFailed, match="cerrado"):
        p.contribution(is_open=True)


@pytest.mark.demand("S3.10")
def test_requester_can_turn_mails_off(play):
    p = play(S2)
    properties.set_notifications(p.ticket, actor=p.customer, on=False)
    assert p.refresh().notify_requester is False
    count = len(p.events)
    properties.set_notifications(p.ticket, actor=p.customer, on=False)
    assert len(p.events) == count


@pytest.mark.demand("S2.35")
def test_queue_position_overrides_arrival_order(play):
    first, second, third = play(S2), play(S2), play(S2)
    properties.change_properties(third.ticket, actor=third.supervisor, queue_position=1)
    assert list(Ticket.objects.order_by(*ORDERS["llegada"].keys)) == [
        third.ticket,
        first.ticket,
        second.ticket,
    ]
    second.do(second.supervisor, "preparar", **prepared(second, queue_position=2))
    assert list(Ticket.objects.order_by(*ORDERS["llegada"].keys)) == [
        third.ticket,
        second.ticket,
        first.ticket,
    ]


def proposed(values, source="MA-10012"):
    return {name: (value, source) for name, value in values.items()}


def test_each_part_of_a_proposal_names_its_own_source(play):
    p = play(S2)
    department = make_department("academico")
    values = proposed({"department": department}) | proposed({"severity": "critical"}, "MA-10013")
    for _twice in range(2):
        properties.take_proposal(p.ticket, actor=p.supervisor, values=values, version=1, key="k")

    taken = [
        (event.data["source"], set(event.data["changes"])) for event in p.events if "source" in event.data
    ]
    assert taken == [("MA-10013", {"severity"}), ("MA-10012", {"department"})]
    assert (p.refresh().department, p.ticket.severity) == (department, "critical")


def test_proposal_is_taken_whole_and_names_its_source(play):
    p = play(S2)
    category = p.ticket.category.process.categories.exclude(pk=p.ticket.category_id).filter(is_active=True)[0]
    values = {"severity": "critical", "category": category, "assignee": p.agent}
    for _twice in range(2):
        properties.take_proposal(p.ticket, actor=p.supervisor, values=proposed(values), version=1, key="k")

    ticket = p.refresh()
    assert (ticket.severity, ticket.category, ticket.assignee) == ("critical", category, p.agent)
    assert [event.kind for event in p.events[-2:]] == ["assigned", "properties"]
    assert {event.data["source"] for event in p.events[-2:]} == {"MA-10012"}
    assert sum(event.data.get("source") == "MA-10012" for event in p.events) == 2


def test_proposal_with_a_wrong_part_changes_nothing(play):
    p = play(S2)
    values = {"assignee": p.agent, "severity": "enorme"}
    with pytest.raises(InvalidData):
        properties.take_proposal(p.ticket, actor=p.supervisor, values=proposed(values))
    with pytest.raises(StaleTicket):
        properties.take_proposal(
            p.ticket, actor=p.supervisor, values=proposed({"assignee": p.agent}), version=0
        )
    with pytest.raises(NotAllowed):
        properties.take_proposal(p.ticket, actor=p.customer, values=proposed({"severity": "critical"}))
    assert p.refresh().assignee is None


def test_own_department_may_be_left_with_the_assignee(play):
    """The change of department ends the actor's sight of the ticket, so the assignee is set before it."""
    p = play(S2)
    here = make_department("soporte-tecnico")
    ticket = properties.change_properties(p.ticket, actor=p.supervisor, department=here)
    values = {"department": make_department("academico"), "assignee": p.supervisor}
    properties.take_proposal(ticket, actor=make_agent(here), values=proposed(values))
    ticket = p.refresh()
    assert (ticket.department.key, ticket.assignee) == ("academico", p.supervisor)


def test_category_must_be_offered_by_the_process(play):
    p = play(S2)
    category = p.ticket.category
    retired = category.process.categories.exclude(pk=category.pk)[0]
    retired.is_active = False
    retired.save()
    for value in (retired, None, 0):
        with pytest.raises(InvalidData) as refused:
            properties.change_properties(p.ticket, actor=p.agent, category=value)
        assert refused.value.errors.keys() == {"category"}
    properties.change_properties(p.ticket, actor=p.agent, category=category)
    assert p.refresh().category == category
