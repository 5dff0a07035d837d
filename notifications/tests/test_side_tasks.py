"""Mails about side tasks: to the department that is asked, to who asked, and to nobody else (S0.20)."""

import pytest

from accounts.tests.factories import make_agent, make_department, make_supervisor, make_user
from notifications.models import OutgoingEmail
from notifications.outgoing import composing
from notifications.outgoing.emails import NotSent
from notifications.tests.factories import told
from tickets.enums import Template
from tickets.models import Ticket
from tickets.tests.factories import make_process, make_ticket
from tickets.workflow import side_tasks
from tickets.workflow.perform import perform

pytestmark = [pytest.mark.django_db, pytest.mark.demand("S0.20")]


@pytest.fixture
def people():
    development = make_department("desarrollo")
    return (
        make_agent(name="Diego Salazar"),
        make_agent(development, name="Ana Prieto"),
        make_agent(development),
    )


@pytest.fixture
def ticket(people):
    ticket = make_ticket(make_process("incidencia-tecnica"), requester=make_user())
    Ticket.objects.filter(pk=ticket.pk).update(stage="diagnostico", stage_kind="work", assignee=people[0])
    return Ticket.objects.get(pk=ticket.pk)


def body_of(template):
    mail = OutgoingEmail.objects.filter(template=template).order_by("pk")[0]
    return composing.compose(composing.load(mail.pk)).message.body


def test_closing_tells_who_had_taken_a_task(ticket, people):
    technician, developer, _colleague = people
    task = side_tasks.ask(ticket, actor=technician, department=make_department("desarrollo"), title="Leer")
    side_tasks.take(task, actor=developer)
    answers = {ask.field: "No procede." for ask in ticket.definition.action("descartar").asks}
    perform(ticket, "descartar", actor=make_supervisor(), data=answers)
    assert told(Template.TASK_WITHDRAWN) == [developer.email]
    body = body_of(Template.TASK_WITHDRAWN)
    assert "cerró el ticket. La tarea que habías tomado ya no hace falta." in body
    assert "/agentes/colas/tareas/" in body  # they do not see the ticket any more
    assert f"/agentes/tickets/{ticket.folio}/" not in body
    mail = OutgoingEmail.objects.get(template=Template.TASK_WITHDRAWN)
    developer.is_active = False
    developer.save()
    with pytest.raises(NotSent):
        composing.compose(composing.load(mail.pk))


def test_result_reaches_the_team_that_has_the_ticket_now(ticket, people):
    technician, developer, _colleague = people
    task = side_tasks.ask(ticket, actor=technician, department=make_department("desarrollo"), title="Leer")
    other = make_department("operaciones")
    manager = make_agent(other, name="Olga Mora")
    Ticket.objects.filter(pk=ticket.pk).update(department=other, assignee=None)
    side_tasks.finish(task, actor=developer, result="El disco estaba lleno.")
    assert manager.email in told(Template.TASK_DONE)


def test_each_mail_reaches_those_whom_it_concerns(ticket, people):
    technician, developer, colleague = people
    ask = {
        "department": make_department("desarrollo"),
        "title": "Revisar los registros",
        "details": "Desde las 9.",
    }
    first, second = (side_tasks.ask(ticket, actor=technician, **ask) for _ in range(2))
    assert set(told(Template.TASK_ASKED)) == {developer.email, colleague.email}
    body = body_of(Template.TASK_ASKED)
    assert "Diego Salazar pide algo a tu equipo." in body
    assert "Revisar los registros (Desarrollo)\n\nDesde las 9." in body

    side_tasks.finish(first, actor=developer, result="El disco estaba lleno.")
    assert told(Template.TASK_DONE) == [technician.email]
    assert "El disco estaba lleno." in body_of(Template.TASK_DONE)

    with pytest.raises(NotSent):  # it would ask for what is done
        body_of(Template.TASK_ASKED)

    side_tasks.take(second, actor=colleague)
    side_tasks.withdraw(second, actor=technician)
    assert told(Template.TASK_WITHDRAWN) == [colleague.email]
    assert "Diego Salazar retiró la tarea que habías tomado." in body_of(Template.TASK_WITHDRAWN)
