"""Who prepares which tickets: the condition of the query says the same as the predicates."""

import pytest
from django.contrib.auth.models import Group

from accounts.models import Membership
from accounts.tests.factories import make_administrator, make_agent, make_department, make_supervisor
from tickets import policies
from tickets.definitions.definition import Who
from tickets.definitions.loading import library
from tickets.lists import queues
from tickets.lists.figures import count_queues
from tickets.models import Ticket
from tickets.tests.factories import make_process, make_ticket
from tickets.workflow.preparing import is_prepared_by

pytestmark = pytest.mark.django_db
FIELDS = {
    "reporte-de-incidentes": {"fields": {"tipo": "tarea", "sistema": "Nómina", "prioridad": "high"}},
    "reparacion-de-dispositivo": {"fields": {"marca": "LG"}, "phone": "0212 555 0101"},
}


@pytest.fixture
def people():
    technical, cca = make_department(), make_department("cca")
    manager, evaluator = make_agent(technical), make_agent(technical)
    Membership.objects.filter(user=manager).update(is_manager=True)
    evaluator.groups.add(Group.objects.get_or_create(name="evaluador")[0])
    return [
        make_agent(technical),
        make_agent(cca),
        manager,
        evaluator,
        make_supervisor(),
        make_administrator(),
    ]


def filed(people):
    """Tickets of every process, in each department and in none, with and without an assignee."""
    for key in library():
        process = make_process(key)
        for department in (make_department(), make_department("cca"), None):
            for assignee in (None, people[0]):
                ticket = make_ticket(process, **FIELDS.get(key, {}))
                Ticket.objects.filter(pk=ticket.pk).update(department=department, assignee=assignee)


def test_queue_to_prepare_holds_what_the_person_prepares(people):
    filed(people)
    lines = set()
    for user in people:
        visible = Ticket.objects.visible_to(user).select_related("process_version")
        expected = {ticket for ticket in visible if is_prepared_by(user, ticket)}
        assert set(queues.TO_PREPARE.tickets(user)) == expected
        assert count_queues([queues.TO_PREPARE], user) == {"por-preparar": len(expected)}
        lines.add(frozenset(expected))
    assert len(lines) > 2, "the people must differ in what they prepare"
    assert not queues.TO_PREPARE.tickets(people[0]).filter(process_version__process__key="solicitud-guiada")


WHO = """
owner requester nobody staff assignee managers department department:cca role:agent role:supervisor
group:evaluador group:otro actor_of:tomar user:agent@example.com
"""


@pytest.mark.parametrize("who", WHO.split())
def test_tickets_for_says_the_same_as_is_one_of(people, who):
    filed(people)
    kind, _colon, name = who.partition(":")
    acted = Ticket.objects.visible_to(people[0]).first()
    acted.events.create(kind="action", action="tomar", actor=people[0], actor_name="A", version=99)
    people[0].email = "agent@example.com"
    for user in people:
        for ticket in Ticket.objects.visible_to(user).select_related("process_version", "requester"):
            stage, process = ticket.stage_definition, ticket.definition
            where = policies.tickets_for(Who(kind, name), user, stage=stage, process=process)
            among = Ticket.objects.filter(pk=ticket.pk)
            found = where if isinstance(where, bool) else among.filter(where).exists()
            assert found is policies.is_one_of(Who(kind, name), user, ticket), (user.role, ticket.department)
