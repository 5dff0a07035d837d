"""Turns: whoever the ticket's stage names may see it while it is their turn."""

import random
from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth.models import Group

from accounts.enums import Role
from accounts.models import User
from accounts.tests.factories import make_agent, make_department, make_supervisor, make_user
from tickets import policies
from tickets.attachments import Attachment
from tickets.exceptions import NotAllowed
from tickets.models import Ticket, Turn
from tickets.tests.factories import make_ticket
from tickets.workflow import conversation
from tickets.workflow.perform import perform
from tickets.workflow.publishing import publish

pytestmark = pytest.mark.django_db
PROCESS = """
format = 1
key = "contratos"
name = "Contratos"
department = "ventas"
departments = [{ key = "ventas", label = "Ventas" }, { key = "juridica", label = "Jurídica" }]
groups = [{ key = "firmas", label = "Firmas" }]

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
owner = "department"

[[stages]]
key = "revision"
label = "Revisión"
owner = "department:juridica"

[[stages]]
key = "firma"
label = "Firma"
owner = "group:firmas"

[[stages]]
key = "dudas"
label = "Dudas"
kind = "waiting_internal"
owner = "actor_of:revisar"

[[stages]]
key = "area"
label = "En un área"
kind = "waiting_internal"
owner = "department_of:area"

[[stages]]
key = "notaria"
label = "Notaría"
owner = "user:notaria@example.com"

[[stages]]
key = "abierto"
label = "Para cualquiera"
owner = "role:agent"

[[stages]]
key = "listo"
label = "Listo"
kind = "done"

[[actions]]
key = "mandar_a_revision"
label = "Mandar a revisión"
from = ["recibido", "firma", "dudas", "area", "notaria", "abierto"]
to = "revision"
by = ["staff"]

[[actions]]
key = "revisar"
label = "Revisar"
from = ["revision"]
to = "firma"
by = ["owner", "role:supervisor"]

[[actions]]
key = "preguntar"
label = "Preguntar"
from = ["firma"]
to = "dudas"
by = ["staff"]

[[actions]]
key = "pasar"
label = "Pasar a un área"
from = ["revision", "firma"]
to = "area"
by = ["staff"]
asks = ["area"]

[[actions]]
key = "certificar"
label = "Certificar"
from = ["firma", "revision"]
to = "notaria"
by = ["staff"]

[[actions]]
key = "abrir"
label = "Abrir"
from = ["notaria", "area", "dudas"]
to = "abierto"
by = ["staff"]

[[actions]]
key = "anotar"
label = "Anotar"
from = ["revision"]
by = ["group:firmas"]
when = "not assigned"

[[actions]]
key = "terminar"
label = "Terminar"
from = ["firma", "revision", "abierto"]
to = "listo"
by = ["staff"]
"""


@pytest.fixture
def process():
    return publish(PROCESS).process


def go(ticket: Ticket, *actions: str, actor: User, **data: object) -> Ticket:
    for action in actions:
        ticket = perform(ticket, action, actor=actor, data=data)
    return ticket


def test_department_that_owns_a_stage_sees_it_and_goes_on(process):
    lawyer, clerk = make_agent(make_department("juridica")), make_agent(make_department("otro"))
    ticket = make_ticket(process)
    seen = Ticket.objects.visible_to(lawyer)
    assert not seen.all().exists()
    go(ticket, "mandar_a_revision", actor=make_supervisor())
    assert list(seen.all()) == [ticket]
    assert not Ticket.objects.visible_to(clerk).exists()
    go(ticket, "revisar", actor=lawyer)
    assert not seen.all().exists()
    with pytest.raises(NotAllowed):
        conversation.add_internal_note(ticket, actor=lawyer, body="Ya no es mi turno.")


def test_notes_and_files_are_seen_only_during_the_turn(process):
    lawyer = make_agent(make_department("juridica"))
    ticket = go(make_ticket(process), "mandar_a_revision", actor=make_supervisor())
    note = conversation.add_internal_note(ticket, actor=lawyer, body="Falta la cláusula 4.")
    file = Attachment.objects.create(
        ticket=ticket, message=note, name="clausula.png", kind="image", content_type="image/png", size=1,
        sha256="0" * 64, uploader=lawyer,
    )  # fmt: skip
    assert policies.can_download(lawyer, file)
    go(ticket, "revisar", actor=lawyer)
    assert not policies.can_download(lawyer, file)


def test_action_gives_a_turn_only_while_its_conditions_hold(process):
    signer = make_agent(make_department("otro"))
    signer.groups.add(Group.objects.get(name="firmas"))
    ticket = go(make_ticket(process), "mandar_a_revision", actor=make_supervisor())
    assert policies.can_view(signer, ticket)  # «anotar» may be done by the group until somebody is assigned
    ticket.assignee = make_agent(ticket.department)
    ticket.save()
    conversation.add_internal_note(ticket, actor=ticket.assignee, body="Lo tengo.")
    assert not policies.can_view(signer, ticket)


def test_person_asked_about_an_earlier_action_sees_the_question(process):
    lawyer, other = make_agent(make_department("juridica")), make_agent(make_department("juridica"))
    boss = make_supervisor()
    ticket = go(make_ticket(process), "mandar_a_revision", actor=boss)
    go(ticket, "revisar", actor=lawyer)
    assert not policies.can_view(lawyer, ticket)
    go(ticket, "preguntar", actor=boss)
    assert [policies.can_view(person, ticket) for person in (lawyer, other)] == [True, False]


def test_turn_ends_with_the_account_and_the_membership(process):
    lawyer, gone = make_agent(make_department("juridica")), make_agent(make_department("juridica"))
    ticket = go(make_ticket(process), "mandar_a_revision", actor=make_supervisor())
    lawyer.memberships.all().delete()
    User.objects.filter(pk=gone.pk).update(is_active=False)
    for person in User.objects.filter(pk__in=[lawyer.pk, gone.pk]):
        assert not policies.is_staff_on(person, ticket)
        assert not Ticket.objects.visible_to(person).exists()
    assert set(policies.staff_on(ticket)) == {User.objects.get(role=Role.SUPERVISOR)}


def test_customer_never_has_a_turn(process):
    """A customer with the address that the stage names, in the group that acts, does not become staff."""
    customer = make_user(email="notaria@example.com")
    customer.groups.add(Group.objects.get(name="firmas"))
    boss = make_supervisor()
    ticket = go(make_ticket(process), "mandar_a_revision", "certificar", actor=boss)
    assert Turn.objects.of(customer).exists()
    assert not policies.is_staff_on(customer, ticket)
    assert not Ticket.objects.visible_to(customer).exists()
    assert customer not in policies.staff_on(ticket)


@pytest.mark.parametrize("seed", range(6))
def test_the_rules_of_sight_agree_on_random_tickets(process, seed):
    """`visible_to` (one person, many tickets), `is_staff_on` and `staff_on` (one ticket, many people)."""
    dice = random.Random(seed)
    departments = [make_department(key) for key in ("ventas", "juridica", "otro")]
    groups = [Group.objects.get(name="firmas"), Group.objects.create(name="FIRMAS-viejas")]
    people = [make_supervisor(), make_user(), make_agent(email="notaria@example.com")]
    for _each in range(8):
        person = make_agent(*dice.sample(departments, dice.randrange(3)), is_active=dice.random() > 0.1)
        person.groups.set(dice.sample(groups, dice.randrange(3)))
        people.append(person)
    boss = people[0]
    for _each in range(12):
        ticket = make_ticket(process)
        for _step in range(dice.randrange(6)):
            actor = dice.choice([boss, *policies.staff_on(ticket)])
            if offered := policies.available_actions(ticket, actor=actor):
                data = {"area": dice.choice(["juridica", "afuera"])}
                ticket = perform(ticket, dice.choice(offered).key, actor=actor, data=data)
        ticket.assignee = dice.choice([None, None, *(person for person in people if person.is_desk_staff)])
        ticket.department = dice.choice([None, *departments])
        ticket.save()
    named = 0
    for person in people:
        seen = set(Ticket.objects.visible_to(person)) - set(Ticket.objects.filter(requester=person))
        expected = {ticket for ticket in Ticket.objects.all() if policies.is_staff_on(person, ticket)}
        assert seen == expected, person
        named += Turn.objects.of(person).count()
    for ticket in Ticket.objects.all():
        assert set(policies.staff_on(ticket)) == {p for p in people if policies.is_staff_on(p, ticket)}
    assert named > 0


def test_migration_gives_existing_tickets_their_turns(process):
    lawyer, boss = make_agent(make_department("juridica")), make_supervisor()
    moves = ("mandar_a_revision",), ("mandar_a_revision", "revisar"), ("mandar_a_revision", "certificar"), ()
    for actions in moves:
        go(make_ticket(process), *actions, actor=boss)
    asked = go(make_ticket(process), "mandar_a_revision", actor=boss)
    go(go(asked, "revisar", actor=lawyer), "preguntar", actor=boss)
    passed = go(make_ticket(process), "mandar_a_revision", actor=boss)
    go(passed, "pasar", actor=boss, area="juridica")
    expected = set(Turn.objects.values_list("ticket", "who"))
    assert {who for _ticket, who in expected} == {
        "department:juridica", "group:firmas", "user:notaria@example.com", f"person:{lawyer.pk}",
    }  # fmt: skip
    Turn.objects.all().delete()
    import_module("tickets.migrations.0010_fill_turns").fill(apps, None)
    assert set(Turn.objects.values_list("ticket", "who")) == expected
