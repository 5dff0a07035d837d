"""Mails about side tasks: to the department that is asked, to who asked, and to nobody else (S0.20)."""

import pytest

from accounts.tests.factories import make_agent, make_department, make_user
from notifications.models import OutgoingEmail
from notifications.outgoing import composing
from notifications.outgoing.emails import NotSent
from notifications.tests.factories import told
from tickets.enums import Template
from tickets.models import Ticket
from tickets.tests.factories import make_process, make_ticket
from tickets.workflow import side_tasks

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
