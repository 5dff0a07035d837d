from typing import Any

import pytest
from django.contrib.auth.models import Group

from accounts.models import Department, Membership, User
from accounts.tests.factories import (
    make_administrator,
    make_agent,
    make_department,
    make_supervisor,
    make_user,
)
from notifications.models import OutgoingEmail
from notifications.outgoing.recipients import recipients_of
from notifications.tests.factories import make_event, make_message, told
from tickets.enums import DeliveryProblem, DeliveryState, MessageKind, StageKind, Template
from tickets.models import Delivery, Ticket, TicketEvent
from tickets.tests.factories import make_process, make_ticket
from tickets.workflow import conversation
from tickets.workflow.perform import perform
from tickets.workflow.properties import change_properties

pytestmark = pytest.mark.django_db
TEST = Template.PROGRESS


def who_gets(ticket: Ticket, word: str, **fields: Any) -> list[str]:
    event = make_event(ticket, (word, TEST), **fields)
    return sorted(email for email, _template in recipients_of(event))


def test_requester_with_account_is_told():
    user = make_user()

    assert who_gets(make_ticket(requester=user), "requester") == [user.email]


def test_assignee_is_told_only_while_active():
    agent = make_agent()
    ticket = make_ticket()
    Ticket.objects.filter(pk=ticket.pk).update(assignee=agent)
    assert who_gets(ticket, "assignee") == [agent.email]

    agent.is_active = False
    agent.save()
    assert who_gets(ticket, "assignee") == []


@pytest.mark.demand("S1.10")
def test_department_members_are_told():
    ours, theirs = make_department("academico"), make_department("administracion")
    one, two, other = make_agent(ours), make_agent(ours), make_agent(theirs)
    ticket = make_ticket()
    Ticket.objects.filter(pk=ticket.pk).update(department=ours)

    assert who_gets(ticket, "department") == sorted([one.email, two.email])
    assert other.email not in who_gets(ticket, "department")


def test_named_department_excludes_members_without_access():
    ours, theirs = make_department("academico"), make_department("administracion")
    stranger = make_agent(theirs)
    both = make_agent(ours, theirs)
    ticket = make_ticket()
    Ticket.objects.filter(pk=ticket.pk).update(department=ours)

    assert who_gets(ticket, "department:administracion") == [both.email]
    assert stranger.email not in who_gets(ticket, "department:administracion")


@pytest.mark.demand("S0.16", "S1.10")
def test_mail_to_a_department_goes_to_its_managers_or_else_to_all():
    one, two = make_agent(), make_agent()
    ticket = make_ticket()
    assert who_gets(ticket, "department") == sorted([one.email, two.email])

    Membership.objects.filter(user=two, department=ticket.department).update(is_manager=True)
    assert who_gets(ticket, "department") == [two.email]

    two.is_active = False
    two.save()
    assert who_gets(ticket, "department") == [one.email]


def test_supervisors_replace_an_empty_department():
    supervisor = make_supervisor()
    ticket = make_ticket()

    assert who_gets(ticket, "department") == [supervisor.email]


@pytest.mark.demand("S1.16")
def test_supervisors_replace_missing_managers():
    supervisor, agent = make_supervisor(), make_agent()
    ticket = make_ticket()
    assert who_gets(ticket, "managers") == [supervisor.email]

    Membership.objects.filter(user=agent, department=ticket.department).update(is_manager=True)
    assert who_gets(ticket, "managers") == [agent.email]


def test_administrators_replace_a_missing_role():
    admin = make_administrator()
    ticket = make_ticket()
    assert who_gets(ticket, "role:supervisor") == [admin.email]

    supervisor = make_supervisor()
    assert who_gets(ticket, "role:supervisor") == [supervisor.email]


@pytest.mark.demand("S4.25")
def test_group_includes_each_staff_member_once():
    group = Group.objects.create(name="Evaluador")
    agent, customer, _colleague = make_agent(), make_user(), make_agent()
    agent.groups.add(group, Group.objects.create(name="EVALUADOR "))
    customer.groups.add(group)

    assert who_gets(make_ticket(), "group:evaluador") == [agent.email]


def test_named_user_is_told_only_with_access():
    agent = make_agent()
    outsider = make_agent(make_department("administracion"))
    ticket = make_ticket()

    assert who_gets(ticket, f"user:{agent.email.upper()}") == [agent.email]
    assert who_gets(ticket, f"user:{outsider.email}") == []
    assert who_gets(ticket, "user:nadie@example.com") == [agent.email], (
        "nobody has this address: the department"
    )


@pytest.mark.demand("S4.22")
def test_actor_of_means_the_last_actor():
    first, second = make_agent(), make_agent()
    ticket = make_ticket()
    make_event(ticket, actor=first, action="evaluar")
    make_event(ticket, actor=second, action="evaluar")

    assert who_gets(ticket, "actor_of:evaluar") == [second.email]
    assert who_gets(ticket, "actor_of:otra") == sorted([first.email, second.email]), "nobody did it"


def test_owner_is_the_owner_of_the_stage():
    supervisor, agent = make_supervisor(), make_agent()
    ticket = make_ticket()
    assert who_gets(ticket, "owner") == [supervisor.email]

    Ticket.objects.filter(pk=ticket.pk).update(stage="procesar", assignee=agent)
    assert who_gets(ticket, "owner") == [agent.email]

    Ticket.objects.filter(pk=ticket.pk).update(stage="aprobacion")
    assert who_gets(ticket, "owner") == [ticket.requester.email]


def test_actor_is_not_told_of_own_action():
    one, two = make_supervisor(), make_supervisor()
    ticket = make_ticket()

    assert who_gets(ticket, "role:supervisor", actor=one) == [two.email]
    assert who_gets(ticket, "requester", actor=ticket.requester) == []


def test_requester_gets_receipts_of_own_actions():
    ticket = make_ticket()

    for template in (Template.RECEIVED, Template.CLOSED, Template.SURVEY):
        event = make_event(ticket, ("requester", template), actor=ticket.requester)
        assert [email for email, _t in recipients_of(event)] == [ticket.requester.email]


def test_guest_is_not_told_of_own_reply():
    ticket = make_ticket()
    own = make_message(ticket, author=ticket.requester, kind=MessageKind.REPLY, from_requester=True)

    assert who_gets(ticket, "requester", message=own) == []


def test_person_included_twice_gets_one_mail():
    supervisor = make_supervisor()
    Membership.objects.create(user=supervisor, department=make_department(), is_manager=True)
    ticket = make_ticket()

    make_event(ticket, ("managers", TEST), ("role:supervisor", TEST), ("department", TEST))

    assert told(TEST) == [supervisor.email]


def test_staff_who_opted_out_get_no_mail():
    make_supervisor(notify_by_email=False)
    reader = make_supervisor()

    assert who_gets(make_ticket(), "role:supervisor") == [reader.email]


@pytest.mark.demand("S3.10")
@pytest.mark.parametrize("where", ["ticket", "profile"])
def test_mail_to_opted_out_requester_is_withheld(where):
    ticket = make_ticket(requester=make_user(notify_by_email=where != "profile"), notify=where != "ticket")

    make_event(ticket, ("requester", TEST))

    assert told(TEST) == []
    row = Delivery.objects.get(event__ticket=ticket, template=TEST)
    assert (row.state, row.problem) == (DeliveryState.WITHHELD, DeliveryProblem.OPTED_OUT)
    assert OutgoingEmail.objects.get(delivery=row).state == "suppressed"


def test_inactive_requester_gets_no_mail():
    ticket = make_ticket(requester=make_user(is_active=False))

    make_event(ticket, ("requester", TEST))

    assert told(TEST) == []
    assert Delivery.objects.get(template=TEST).problem == DeliveryProblem.NO_ACCESS


def test_unknown_recipients_include_nobody():
    make_supervisor()

    assert who_gets(make_ticket(), "nobody") == []
    assert who_gets(make_ticket(), "role:emperador") == []
    assert who_gets(make_ticket(), "role:customer") == []


@pytest.mark.parametrize("word", ["department", "managers", "role:agent", "staff", "group:x"])
def test_recipients_query_count_is_constant(word, django_assert_max_num_queries):
    group = Group.objects.create(name="x")
    for _number in range(5):
        make_agent().groups.add(group)
    event = make_event(make_ticket(), (word, TEST))

    with django_assert_max_num_queries(4):
        recipients_of(event)


@pytest.mark.demand("S0.18", "S0.20")
def test_department_that_a_question_names_is_told():
    desarrollo, other = make_department("desarrollo"), make_department("infraestructura")
    developer, _operator, agent = (
        make_agent(desarrollo),
        make_agent(other),
        make_agent(make_department("soporte-tecnico")),
    )
    process = make_process("incidencia-tecnica")

    def told_when_passed_to(team: str) -> list[tuple[str, str]]:
        ticket = make_ticket(process)
        classified = {"severity": "high", "department": ticket.department}
        perform(ticket, "clasificar", actor=agent, data=classified)
        perform(ticket, "pedir_a_otro_equipo", actor=agent, data={"equipo": team, "note": "Revisen el mapa."})
        return sorted(recipients_of(TicketEvent.objects.filter(ticket=ticket).latest("version")))

    assert told_when_passed_to("desarrollo") == [(developer.email, Template.HANDED_OVER)]
    assert told_when_passed_to("proveedor") == []
    Membership.objects.filter(department=desarrollo).delete()
    boss = make_supervisor()
    assert told_when_passed_to("desarrollo") == [(boss.email, Template.HANDED_OVER)]


@pytest.mark.demand("S0.18")
@pytest.mark.parametrize("way", ["action", "property"])
def test_department_that_receives_a_ticket_is_told(way):
    home, away = make_department("soporte-tecnico"), make_department("cca")
    boss, newcomer, old = make_supervisor(), make_agent(away), make_agent(home)
    ticket = make_ticket(make_process("incidencia-tecnica"))

    def move(**values: Any) -> list[str]:
        if way == "action":
            perform(ticket, "clasificar", actor=boss, data={"severity": "high", **values})
        else:
            change_properties(ticket, actor=boss, **values)
        told_now = recipients_of(TicketEvent.objects.filter(ticket=ticket).latest("version"))
        return sorted(email for email, template in told_now if template == Template.HANDED_OVER)

    Ticket.objects.filter(pk=ticket.pk).update(assignee=old)
    assert move(department=away) == [newcomer.email]


@pytest.mark.demand("S0.18")
def test_department_of_the_assignee_is_not_told_again():
    away, boss = make_department("cca"), make_supervisor()
    ticket, member = make_ticket(), make_agent(away)
    Ticket.objects.filter(pk=ticket.pk).update(assignee=member)
    change_properties(ticket, actor=boss, department=away)
    assert recipients_of(TicketEvent.objects.filter(ticket=ticket).latest("version")) == {}


@pytest.mark.demand("S2.44")
def test_people_are_told_while_it_is_their_turn():
    service = make_agent(make_department("atencion-al-usuario"))
    ticket = make_ticket()
    assert who_gets(ticket, f"user:{service.email}") == []
    Ticket.objects.filter(pk=ticket.pk).update(stage="aprobacion", stage_kind=StageKind.CLOSURE_APPROVAL)
    assert who_gets(ticket, f"user:{service.email}") == [service.email]


# --- People who may no longer act -------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["assignee", "user:se.fue@example.com", "actor_of:evaluar"])
@pytest.mark.parametrize("way", ["deactivated", "demoted"])
def test_department_gets_the_mail_of_somebody_who_left(word, way):
    gone, colleague = make_agent(email="se.fue@example.com"), make_agent()
    ticket = make_ticket()
    make_event(ticket, actor=gone, action="evaluar")
    Ticket.objects.filter(pk=ticket.pk).update(assignee=gone)
    assert who_gets(ticket, word) == [gone.email]

    gone.is_active, gone.role = way != "deactivated", gone.role if way == "deactivated" else "customer"
    gone.save()
    gone.memberships.all().delete()

    assert who_gets(ticket, word) == [colleague.email]


def test_supervisors_get_the_mail_when_the_department_is_empty_too():
    gone, boss = make_agent(), make_supervisor()
    ticket = make_ticket()
    Ticket.objects.filter(pk=ticket.pk).update(assignee=gone)
    gone.is_active = False
    gone.save()

    assert who_gets(ticket, "assignee") == [boss.email]


def test_department_is_told_what_must_be_done_without_an_assignee():
    colleague, ticket = make_agent(), make_ticket()
    assert who_gets(ticket, "assignee") == [colleague.email]
    for news in (Template.ASSIGNED, Template.CLOSED, Template.CLOSURE_APPROVED):
        assert recipients_of(make_event(ticket, ("assignee", news))) == {}, "it calls for nothing"


def test_reopened_ticket_without_an_assignee_wakes_the_department():
    colleague, ticket = make_agent(), make_ticket(make_process("incidencia-tecnica"))
    Ticket.objects.filter(pk=ticket.pk).update(
        stage="cerrado", stage_kind=StageKind.DONE, closed_at=ticket.created_at
    )
    perform(ticket, "reabrir", actor=make_supervisor(), data={"note": "Volvió a pasar."})
    assert colleague.email in told(Template.REOPENED)


@pytest.mark.parametrize("word", ["department:cca", "group:firmas", "department"])
@pytest.mark.parametrize("way", ["emptied", "deactivated", "switched off"])
def test_managers_get_the_mail_of_an_emptied_party(word, way):
    """The managers of the ticket's department act instead, or the supervisors without one."""
    away, boss, ticket = make_department("cca"), make_supervisor(), make_ticket()
    member = make_agent(ticket.department, *([] if word == "department" else [away]))
    group = Group.objects.create(name="Firmas")
    group.user_set.add(member)
    assert who_gets(ticket, word) == [member.email]

    if way == "deactivated":
        User.objects.filter(pk=member.pk).update(is_active=False)
    elif way == "emptied" or word.startswith("group"):
        member.groups.clear()
        member.memberships.all().delete()
    else:
        Department.objects.filter(pk=ticket.department_id if word == "department" else away.pk).update(
            is_active=False
        )
    assert who_gets(ticket, word) == [boss.email]

    manager = make_agent(ticket.department)
    manager.memberships.update(is_manager=True)
    if word != "department":
        assert who_gets(ticket, word) == [manager.email]


@pytest.mark.demand("S1.5")
def test_reply_to_an_assignee_who_left_reaches_the_department():
    gone, colleague = make_agent(), make_agent()
    ticket = make_ticket()
    Ticket.objects.filter(pk=ticket.pk).update(assignee=gone)
    gone.is_active = False
    gone.save()

    conversation.reply(ticket, actor=ticket.requester, body="Sigue igual.")

    assert told(Template.REQUESTER_REPLIED) == [colleague.email]
