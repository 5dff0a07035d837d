"""Policies: every permission of every person on one ticket, in a matrix (B17–B19, B21)."""

import pytest
from django.contrib.auth.models import AnonymousUser, Group

from accounts.enums import Role
from accounts.models import User
from accounts.tests.factories import (
    make_administrator,
    make_agent,
    make_department,
    make_supervisor,
    make_user,
)
from tickets import policies
from tickets.actors import SYSTEM, Guest
from tickets.definitions.definition import Who
from tickets.enums import Purpose, StageKind
from tickets.models import Attachment, Ticket
from tickets.tests.factories import make_process, make_ticket
from tickets.workflow import conversation
from tickets.workflow.publishing import publish

pytestmark = pytest.mark.django_db
ALL = {"view", "internal", "reply", "rate", "notifications", "answer", "edit", "retry"}
STAFF = {"view", "internal", "answer", "edit"}
MATRIX = {
    "requester": {"view", "reply", "rate", "notifications"},
    "other customer": set(),
    "customer of the same name": set(),
    "agent of the department": STAFF,
    "agent of another department": set(),
    "assignee of another department": STAFF,
    "agent without access": set(),
    "supervisor": STAFF | {"retry"},
    "administrator": STAFF | {"retry"},
    "system": {"view"},
    "guest follow": {"view", "reply", "rate", "notifications"},
    "guest contribute": {"view", "reply"},
    "guest approve": {"view", "rate"},
    "guest survey": {"rate"},
    "guest of another ticket": set(),
}
CHECKS = {
    "view": policies.can_view,
    "internal": policies.can_see_internal,
    "reply": policies.can_reply,
    "rate": policies.can_rate,
    "notifications": policies.can_choose_notifications,
    "answer": policies.can_answer,
    "edit": policies.can_edit_properties,
    "retry": policies.can_retry_delivery,
}


@pytest.fixture
def cast():
    """Return one ticket and the people around it, by name."""
    ticket, other = make_ticket(), make_ticket()
    assignee = make_agent(make_department("cca"))
    Ticket.objects.filter(pk=ticket.pk).update(assignee=assignee)
    ticket.refresh_from_db()

    def guest(purpose, of=ticket):
        return Guest(of.pk, ticket.requester_email, ticket.requester_name, purpose)

    people = {
        "requester": ticket.requester,
        "other customer": make_user(),
        "customer of the same name": make_user(name=ticket.requester.name),
        "agent of the department": make_agent(),
        "agent of another department": make_agent(make_department("cca")),
        "assignee of another department": assignee,
        "agent without access": make_agent(is_active=False),
        "supervisor": make_supervisor(),
        "administrator": make_administrator(),
        "system": SYSTEM,
        "guest follow": guest(Purpose.FOLLOW),
        "guest contribute": guest(Purpose.CONTRIBUTE),
        "guest approve": guest(Purpose.APPROVE),
        "guest survey": guest(Purpose.SURVEY),
        "guest of another ticket": guest(Purpose.FOLLOW, of=other),
    }
    return ticket, people


def test_each_person_has_exactly_these_permissions(cast):
    ticket, people = cast
    found = {
        name: {what for what, check in CHECKS.items() if check(actor, ticket)}
        for name, actor in people.items()
    }
    assert found == MATRIX


def test_can_view_agrees_with_visible_to(cast):
    """`can_view` and `visible_to` state the same rule twice, so they must agree."""
    ticket, people = cast
    Ticket.objects.filter(pk=ticket.pk).update(assignee=people["assignee of another department"])
    loose = make_ticket()
    Ticket.objects.filter(pk=loose.pk).update(department=None)
    for name, actor in people.items():
        if isinstance(actor, Guest) or actor is SYSTEM:
            continue
        seen = set(Ticket.objects.visible_to(actor))
        for each in Ticket.objects.all():
            assert (each in seen) is policies.can_view(actor, each), name
    assert not Ticket.objects.visible_to(AnonymousUser())


def test_staff_on_agrees_with_is_staff_on():
    ticket = make_ticket()
    mate, other = make_agent(ticket.department), make_agent(make_department("cca"))
    both = make_agent(ticket.department, make_department("cca"))
    gone = make_agent(ticket.department, is_active=False)
    everyone = [mate, other, both, gone, make_supervisor(), make_administrator(), make_user()]
    for assignee, department in ((None, ticket.department), (other, ticket.department), (None, None)):
        ticket.assignee, ticket.department = assignee, department
        ticket.save()
        expected = {person for person in everyone if policies.is_staff_on(person, ticket)}
        assert set(policies.staff_on(ticket)) == expected


@pytest.mark.demand("S2.29")
def test_staff_send_solutions_only_in_allowed_stages(cast):
    ticket, people = cast

    def may():
        return {name for name, actor in people.items() if policies.can_send_solution(actor, ticket)}

    assert may() == set()
    ticket.stage, ticket.stage_kind = "procesar", StageKind.WORK
    assert may() == {name for name, actor in people.items() if policies.can_answer(actor, ticket)} != set()


OWN_PROCESS = """
format = 1
key = "propios"
name = { es = "Propios" }
login = "guest"
department = "soporte-tecnico"
[[stages]]
key = "abierto"
label = { es = "Abierto" }
kind = "new"
owner = "requester"
[[stages]]
key = "cerrado"
label = { es = "Cerrado" }
kind = "done"
[[actions]]
key = "due"
label = { es = "Cerrar" }
from = ["abierto"]
to = "cerrado"
by = ["owner"]
[[actions]]
key = "own"
label = { es = "Cerrar" }
from = ["abierto"]
to = "cerrado"
by = ["requester"]
[[actions]]
key = "desk"
label = { es = "Cerrar" }
from = ["abierto"]
to = "cerrado"
by = ["staff"]
[[actions]]
key = "all"
label = { es = "Cerrar" }
from = ["abierto"]
to = "cerrado"
by = ["staff", "requester"]
"""


def test_could_include_covers_everybody_is_one_of_includes(cast):
    """`could_include` must be true of everybody whom `is_one_of` includes on this ticket."""
    ticket, people = cast
    staff = {name: who for name, who in people.items() if isinstance(who, User) and who.is_desk_staff}
    del staff["agent without access"]
    staff["agent of no department"] = make_user(Role.AGENT)

    def may(word):
        kind, _colon, argument = word.partition(":")
        who = Who(kind, argument)
        found = {name for name, user in staff.items() if policies.could_include(who, user)}
        assert found >= {name for name, user in staff.items() if policies.is_one_of(who, user, ticket)}
        return found

    everybody = set(staff)
    high = {"supervisor", "administrator"}
    for word in ("staff", "assignee", "managers", "group:x", "actor_of:x", "role:agent"):
        assert may(word) == everybody, word
    assert may("role:supervisor") == high
    assert may("department") == everybody - {"agent of no department"}  # supervisors act for an empty one
    elsewhere = {"agent of another department", "assignee of another department"}
    assert may("department:cca") == elsewhere | {"administrator"}
    assert may(f"user:{people['supervisor'].email}") == high
    assert may("nobody") == set()
    assert policies.could_include(Who("requester"), people["supervisor"]) is False


def test_as_requester_leaves_out_staff_actions(cast):
    _ticket, people = cast
    process = publish(OWN_PROCESS).process
    ticket = make_ticket(process, requester=people["agent of the department"])

    def offered(name, **ways):
        return [action.key for action in policies.available_actions(ticket, actor=people[name], **ways)]

    assert offered("agent of the department") == ["due", "own", "desk", "all"]
    assert offered("agent of the department", as_requester=True) == ["due", "own", "all"]
    assert offered("supervisor") == ["desk", "all"]
    assert offered("supervisor", as_requester=True) == []


def test_people_visible_to_depends_on_visible_tickets(cast):
    """Agents may open the pages of requesters whose tickets they may see; supervisors, those of every customer."""
    ticket, people = cast
    users = {name: person for name, person in people.items() if not isinstance(person, Guest)}
    del users["system"]

    def knows(person):
        return {name for name, user in users.items() if person in policies.people_visible_to(user)}

    asked = {"agent of the department", "assignee of another department", "supervisor", "administrator"}
    assert knows(ticket.requester) == asked
    assert knows(people["other customer"]) == {"supervisor", "administrator"}
    assert knows(people["agent of the department"]) == set()


@pytest.mark.demand("S4.15", "S4.25")
def test_is_one_of_includes_exactly_these_people(cast):
    ticket, people = cast
    department = ticket.department
    manager, expert, named = make_agent(department), make_agent(department), make_agent(department)
    manager.memberships.update(is_manager=True)
    expert.groups.add(Group.objects.create(name="Expertos"))
    everybody = {**people, "manager": manager, "expert": expert, "named": named}
    conversation.add_internal_note(ticket, actor=named, body="x")
    ticket.events.filter(kind="note").update(action="anotar")

    def meant(word):
        kind, _colon, name = word.partition(":")
        who = Who(kind, name)
        return {name for name, actor in everybody.items() if policies.is_one_of(who, actor, ticket)}

    team = {"agent of the department", "manager", "expert", "named"}
    assert meant("requester") == {"requester", "guest follow", "guest approve"}
    assert meant("nobody") == set()
    assert meant("staff") == team | {"assignee of another department", "supervisor", "administrator"}
    assert meant("assignee") == {"assignee of another department", "administrator"}
    assert meant("role:agent") == meant("staff")
    assert meant("role:supervisor") == {"supervisor", "administrator"}
    assert meant("role:administrator") == {"administrator"}
    assert meant("department") == team | {"administrator"}
    assert meant("department:cca") == {"assignee of another department", "administrator"}
    assert meant("managers") == {"manager", "supervisor", "administrator"}
    assert meant("group:expertos") == {"expert", "administrator"}
    assert meant(f"user:{named.email}") == {"named", "administrator"}
    assert meant("actor_of:anotar") == {"named", "administrator"}
    assert meant("owner") == meant("role:supervisor")  # the owner of stage «recibido»


def test_staff_are_not_requester_of_others_tickets(cast):
    ticket, people = cast
    for name in ("administrator", "supervisor", "agent of the department"):
        assert not policies.is_one_of(Who("requester"), people[name], ticket)


def test_attachment_is_as_public_as_its_message(cast):
    ticket, people = cast
    note = conversation.add_internal_note(ticket, actor=people["supervisor"], body="x")
    answer = conversation.reply(ticket, actor=people["requester"], body="y")

    def file(message, of=ticket):
        return Attachment.objects.create(
            ticket=of, message=message, name="a", kind="image", content_type="image/png", size=1, sha256="0" * 64
        )  # fmt: skip

    hidden, shown, waiting = file(note), file(answer), file(None, of=None)
    may = {"requester", "guest follow", "guest contribute", "guest approve", "system"}
    staff = {name for name, rights in MATRIX.items() if "internal" in rights}
    downloads = {
        kind: {name for name, actor in people.items() if policies.can_download(actor, attachment)}
        for kind, attachment in (("shown", shown), ("hidden", hidden), ("waiting", waiting))
    }
    assert downloads == {"shown": may | staff, "hidden": staff, "waiting": set()}


def test_available_actions_depend_on_the_person(cast):
    ticket, people = cast
    offered = {
        name: [action.key for action in policies.available_actions(ticket, actor=actor)]
        for name, actor in people.items()
    }
    assert {name: actions for name, actions in offered.items() if actions} == {
        "assignee of another department": ["cerrar_prueba"],
        "supervisor": ["preparar", "cerrar_prueba"],
        "administrator": ["preparar", "cerrar_prueba"],
    }


def test_available_actions_cost_few_queries(cast, django_assert_max_num_queries):
    ticket, agent = Ticket.objects.select_related("process_version").get(pk=cast[0].pk), make_agent()
    with django_assert_max_num_queries(1):
        policies.available_actions(ticket, actor=agent)
    process = make_process("reporte-de-incidentes")
    report = make_ticket(process, fields={"tipo": "tarea", "sistema": "x", "prioridad": "low"})
    evaluator = make_agent(report.department)
    with django_assert_max_num_queries(3):  # departments, groups, whether the group is empty
        assert len(policies.available_actions(report, actor=evaluator)) == 2
