"""People who left, and departments and groups that were emptied, count as nobody, and others act for them."""

import random

import pytest
from django.contrib.auth.models import Group

from accounts.enums import Role
from accounts.models import Department, User
from accounts.tests.factories import make_agent, make_department, make_supervisor, make_user
from tickets.definitions.turns import parties_now
from tickets.exceptions import GuardFailed
from tickets.lists import queues
from tickets.lists.figures import count_queues
from tickets.models import Ticket
from tickets.policies import available_actions, can_tick, is_one_of, tickets_for
from tickets.record.turns import record_turns
from tickets.tests.factories import make_process, make_ticket
from tickets.vacancies import vacant_now
from tickets.workflow.perform import perform
from tickets.workflow.publishing import publish

pytestmark = pytest.mark.django_db


def leave(person: User, way: str) -> User:
    if way == "deactivated":
        person.is_active = False
        person.save()
    elif way == "deactivated by a query":
        User.objects.filter(pk=person.pk).update(is_active=False)
    else:
        person.role = Role.CUSTOMER
        person.save(update_fields=["role"])
    return person


@pytest.fixture(params=["deactivated", "deactivated by a query", "demoted"])
def left(request) -> tuple[Ticket, User]:
    """A ticket and its assignee, who has left."""
    ticket = make_ticket(make_process("incidencia-tecnica"), fields={"donde_ocurre": "iphone"})
    agent = make_agent(ticket.department)
    Ticket.objects.filter(pk=ticket.pk).update(assignee=agent, stage="diagnostico", stage_kind="work")
    leave(agent, request.param)
    return Ticket.objects.get(pk=ticket.pk), agent


def figure(user: User) -> int:
    return count_queues([queues.UNASSIGNED], user)["sin-asignar"]


def test_unassigned_queue_holds_tickets_of_people_who_left(left):
    ticket, _agent = left
    boss = make_supervisor()
    assert list(queues.UNASSIGNED.tickets(boss)) == [ticket]
    assert figure(boss) == 1


def test_somebody_who_comes_back_has_their_tickets_again():
    ticket, agent = make_ticket(), make_agent()
    Ticket.objects.filter(pk=ticket.pk).update(assignee=agent)
    leave(agent, "deactivated")
    agent.is_active = True
    agent.save()
    boss = make_supervisor()
    assert (list(queues.UNASSIGNED.tickets(boss)), figure(boss)) == ([], 0)
    assert Ticket.objects.get(pk=ticket.pk).acting_assignee == agent


def test_customers_who_never_were_staff_are_not_asked_about(django_assert_num_queries):
    make_user()
    with django_assert_num_queries(2):
        assert list(Ticket.objects.unassigned()) == []
    assert not User.objects.former_staff().exists()


def test_actions_for_unassigned_tickets_are_offered(left):
    ticket, _agent = left
    colleague = make_agent(ticket.department)
    assert "tomar" in {action.key for action in available_actions(ticket, actor=colleague)}
    with pytest.raises(GuardFailed, match="Asigna un responsable"):
        perform(
            Ticket.objects.filter(pk=ticket.pk).get(),
            "resolver",
            actor=colleague,
            data={"solution_done": "Listo."},
        )
    perform(ticket, "tomar", actor=colleague)
    assert Ticket.objects.get(pk=ticket.pk).acting_assignee == colleague


def test_department_that_was_switched_off_keeps_its_queue_while_it_has_tickets():
    ticket, boss = make_ticket(), make_supervisor()
    key = f"departamento-{ticket.department.key}"
    Department.objects.update(is_active=False)
    assert key in {queue.key for queue in queues.queues_for(boss)}
    member = make_agent(ticket.department)
    assert key in {queue.key for queue in queues.queues_for(member)}
    Ticket.objects.update(stage="cerrado", stage_kind="done")
    assert key not in {queue.key for queue in queues.queues_for(boss)}


def test_new_tickets_go_past_a_department_that_was_switched_off():
    process = make_process("soporte-con-aprobacion")
    Department.objects.filter(key="administracion").update(is_active=False)
    assert make_ticket(process, category="pagos").department == make_department("soporte-tecnico")


# --- Those whom a process names ---------------------------------------------------------------------------

PROCESS = """
format = 1
key = "contratos"
name = "Contratos"
department = "ventas"
departments = [{ key = "ventas", label = "Ventas" }, { key = "juridica", label = "Jurídica" }]
groups = [{ key = "firmas", label = "Firmas" }, { key = "sellos", label = "Sellos", while_empty = "staff" }]
closing = { checklist = [{ key = "sello", label = "Sellado", by = ["user:notaria@example.com"] }] }

[[fields]]
key = "area"
label = "Área"
type = "choice"
filled_by = "staff"
options = [{ key = "juridica", label = "Jurídica" }, { key = "afuera", label = "Un tercero" }]

[[stages]]
key = "recibido"
label = "Recibido"
kind = "new"
owner = "staff"

[[stages]]
key = "revision"
label = "Revisión"
owner = "department:juridica"

[[stages]]
key = "firma"
label = "Firma"
owner = "group:firmas"

[[stages]]
key = "sellado"
label = "Sellado"
owner = "group:sellos"

[[stages]]
key = "notaria"
label = "Notaría"
owner = "user:notaria@example.com"

[[stages]]
key = "dudas"
label = "Dudas"
kind = "waiting_internal"
owner = "actor_of:avanzar"

[[stages]]
key = "area"
label = "En un área"
kind = "waiting_internal"
owner = "department_of:area"

[[stages]]
key = "propio"
label = "En su departamento"
owner = "department"

[[stages]]
key = "cierre"
label = "Por cerrar"
owner = "staff"

[[stages]]
key = "listo"
label = "Listo"
kind = "cancelled"

[[actions]]
key = "avanzar"
label = "Avanzar"
from = ["recibido"]
to = "revision"
by = ["staff"]
asks = ["area"]

[[actions]]
key = "revisar"
label = "Revisar"
from = ["revision", "firma", "sellado", "notaria", "dudas", "area", "propio"]
to = "cierre"
by = ["owner", "role:supervisor"]

[[actions]]
key = "revisar_solo"
label = "Revisar"
from = ["revision", "firma", "sellado", "notaria", "dudas", "area", "propio"]
to = "cierre"
by = ["owner"]

[[actions]]
key = "cerrar"
label = "Cerrar"
from = ["cierre"]
to = "listo"
by = ["group:firmas"]
when = "not assigned"

[[actions]]
key = "cerrar_todo"
label = "Cerrar con la lista"
from = ["cierre"]
to = "listo"
by = ["staff"]
guards = ["checklist_complete"]
"""
PROCESS += "".join(
    f"""
[[actions]]
key = "ir_a_{stage}"
label = "Ir a {stage}"
from = ["revision"]
to = "{stage}"
by = ["role:supervisor"]
"""
    for stage in ("firma", "sellado", "notaria", "dudas", "area", "propio")
)
STAGES = ("recibido", "revision", "firma", "sellado", "notaria", "dudas", "area", "propio", "cierre")
NAMED = {
    "revision": "Jurídica",
    "firma": "Firmas",
    "notaria": "Notaria",
    "dudas": "Avanzar",
    "area": "Jurídica",
}


@pytest.fixture
def world():
    """Tickets in every stage of a process, and one person who is everybody that it names."""
    process = publish(PROCESS).process
    legal, sales = make_department("juridica"), make_department("ventas")
    named = make_agent(legal, email="notaria@example.com", name="Notaria")
    named.groups.add(Group.objects.get(name="firmas"))
    manager = make_agent(sales)
    manager.memberships.update(is_manager=True)
    tickets = {}
    for stage in STAGES:
        ticket = make_ticket(process)
        Ticket.objects.filter(pk=ticket.pk).update(department=legal)  # so that this person may act on it
        perform(ticket, "avanzar", actor=named, data={"area": "juridica"})
        department = legal if stage == "propio" else sales
        tickets[stage] = move(ticket, stage, department=department)
    return tickets, named, manager, make_supervisor()


def move(ticket: Ticket, stage: str, **columns: object) -> Ticket:
    kind = ticket.definition.stage(stage).kind
    Ticket.objects.filter(pk=ticket.pk).update(stage=stage, stage_kind=kind, **columns)
    ticket = Ticket.objects.get(pk=ticket.pk)
    record_turns(ticket)
    return ticket


def take_away(named: User, way: str) -> None:
    if way == "emptied":
        named.memberships.all().delete()
        named.groups.clear()
        User.objects.filter(pk=named.pk).update(email="otra@example.com")
    elif way == "switched off":
        Department.objects.filter(key="juridica").update(is_active=False)
    else:
        leave(named, way)


def unmanned(tickets: dict[str, Ticket]) -> set[str]:
    return {stage for stage, ticket in tickets.items() if vacant_now(Ticket.objects.get(pk=ticket.pk))}


def may_act_alone(user: User, ticket: Ticket) -> bool:
    found = available_actions(Ticket.objects.get(pk=ticket.pk), actor=User.objects.get(pk=user.pk))
    return "revisar_solo" in {action.key for action in found}


@pytest.mark.parametrize(
    ("way", "missing"),
    [
        ("deactivated", {"revision", "firma", "notaria", "dudas", "area", "propio", "cierre"}),
        ("deactivated by a query", {"revision", "firma", "notaria", "dudas", "area", "propio", "cierre"}),
        ("demoted", {"revision", "firma", "notaria", "dudas", "area", "propio", "cierre"}),
        ("emptied", {"revision", "firma", "notaria", "area", "propio", "cierre"}),
        ("switched off", {"revision", "area", "propio"}),
    ],
)
def test_others_act_for_people_who_may_not_act_any_more(world, way, missing):
    tickets, named, manager, boss = world
    others = (manager, boss, make_agent(make_department("cca")))
    assert unmanned(tickets) == set()
    assert [stage for stage in NAMED if any(may_act_alone(user, tickets[stage]) for user in others)] == []

    take_away(named, way)
    assert unmanned(tickets) == missing
    waits = [stage for stage in STAGES[1:-1] if may_act_alone(boss, tickets[stage])]
    assert waits == [stage for stage in STAGES[1:-1] if stage in missing | {"sellado"}]
    assert all(may_act_alone(manager, tickets[stage]) for stage in missing & {"firma", "revision"})
    assert not may_act_alone(others[2], tickets["revision"]), "no stranger gains a right"
    held = queues.NOBODY.tickets(boss)
    assert {ticket.stage for ticket in held} == missing
    assert count_queues([queues.NOBODY], boss) == {"nadie-puede-actuar": len(missing)}
    perform(tickets["revision"], "revisar_solo", actor=boss)


def test_people_who_come_back_act_alone_again(world):
    tickets, named, _manager, boss = world
    take_away(named, "deactivated")
    assert unmanned(tickets)
    User.objects.filter(pk=named.pk).update(is_active=True)
    assert (unmanned(tickets), list(queues.NOBODY.tickets(boss))) == (set(), [])
    assert not may_act_alone(boss, tickets["firma"])


def test_everybody_named_must_be_gone(world):
    tickets, named, _manager, boss = world
    colleague = make_agent(make_department("juridica"))
    colleague.groups.add(Group.objects.get(name="firmas"))
    take_away(named, "deactivated")
    assert unmanned(tickets) == {"notaria", "dudas", "cierre"}
    assert {ticket.stage for ticket in queues.NOBODY.tickets(boss)} == {"notaria", "dudas", "cierre"}


def test_manager_ticks_for_somebody_who_left(world):
    tickets, named, manager, _boss = world
    item = tickets["cierre"].definition.closing.checklist[0]
    assert not can_tick(manager, tickets["cierre"], item)
    take_away(named, "deactivated")
    assert can_tick(User.objects.get(pk=manager.pk), tickets["cierre"], item)


@pytest.mark.parametrize("copies", [1, 8])
def test_queue_of_nobody_costs_the_same_for_any_number_of_tickets(world, copies, django_assert_num_queries):
    tickets, named, _manager, boss = world
    take_away(named, "deactivated")
    for _each in range(copies):
        move(make_ticket(tickets["firma"].process_version.process), "firma")
    with django_assert_num_queries(5):
        assert count_queues([queues.NOBODY], boss)["nadie-puede-actuar"] == 7 + copies


def test_tickets_elsewhere_are_not_in_a_managers_queue(world):
    tickets, named, manager, _boss = world
    take_away(named, "deactivated")
    held = set(queues.NOBODY.tickets(User.objects.get(pk=manager.pk)))
    assert held == {ticket for stage, ticket in tickets.items() if stage in unmanned(tickets) - {"propio"}}
    assert queues.NOBODY not in queues.queues_for(make_agent())


@pytest.mark.parametrize("seed", range(4))
def test_rules_of_vacancy_agree_on_random_people(world, seed):
    """The ticket's page, the queue, `is_one_of` and `tickets_for` say the same."""
    tickets, named, manager, boss = world
    dice = random.Random(seed)
    people = [
        named,
        manager,
        boss,
        make_agent(make_department("juridica")),
        make_agent(make_department("cca")),
    ]
    for person in people[3:]:
        person.groups.set(dice.sample([Group.objects.get(name="firmas")], dice.randrange(2)))
    for person in people:
        if person is not boss and dice.random() < 0.5:
            take_away(
                person, dice.choice(["deactivated", "demoted", "emptied" if person is named else "demoted"])
            )
    if dice.random() < 0.3:
        take_away(named, "switched off")
    missing = unmanned(tickets)
    assert {ticket.stage for ticket in queues.NOBODY.tickets(boss)} == missing
    for user in User.objects.filter(pk__in=[person.pk for person in people]):
        for ticket in Ticket.objects.visible_to(user):
            process, here = ticket.definition, Ticket.objects.filter(pk=ticket.pk)
            for who in {who for party in parties_now(ticket) for who in party}:
                where = tickets_for(who, user, stage=ticket.stage_definition, process=process)
                found = where if isinstance(where, bool) else here.filter(where).exists()
                assert found == is_one_of(who, user, ticket), (user.role, ticket.stage, who)
