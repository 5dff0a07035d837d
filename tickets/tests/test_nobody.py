"""Whoever may no longer act counts as nobody: assignees whose account was deactivated or is a customer's now."""

import pytest

from accounts.enums import Role
from accounts.models import Department, User
from accounts.tests.factories import make_agent, make_department, make_supervisor, make_user
from tickets.exceptions import GuardFailed
from tickets.lists import queues
from tickets.models import Ticket
from tickets.policies import available_actions
from tickets.tests.factories import make_process, make_ticket
from tickets.workflow.perform import perform

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
    return queues.count_queues([queues.UNASSIGNED], user)["sin-asignar"]


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
