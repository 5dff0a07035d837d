"""Requesters learn nothing of side tasks, not even when an action of theirs waits for one (S0.20)."""

import pytest

from accounts.tests.factories import make_agent, make_department, make_supervisor, make_user
from tickets.definitions.loading import library
from tickets.exceptions import GuardFailed
from tickets.models import Ticket
from tickets.tests.factories import make_process, make_ticket
from tickets.workflow import side_tasks
from tickets.workflow.perform import perform
from tickets.workflow.publishing import publish

pytestmark = [pytest.mark.django_db, pytest.mark.demand("S0.20")]
SECRET = "INTERNO: revisar el acceso indebido"


def test_guard_names_no_task_to_the_requester(client):
    make_process()
    source = library()["soporte-con-aprobacion"]
    approve = source.index('key = "aprobar"')
    source = source[:approve] + source[approve:].replace("\nby =", '\nguards = ["side_tasks_done"]\nby =', 1)
    ticket = make_ticket(publish(source).process, requester=make_user())
    make_agent(make_department("desarrollo"))
    side_tasks.ask(ticket, actor=make_supervisor(), department=make_department("desarrollo"), title=SECRET)
    Ticket.objects.filter(pk=ticket.pk).update(stage="aprobacion", stage_kind="closure_approval")

    with pytest.raises(GuardFailed, match="El equipo todavía trabaja en tu caso"):
        perform(Ticket.objects.get(pk=ticket.pk), "aprobar", actor=ticket.requester)
    client.force_login(ticket.requester)
    page = client.post(f"/tickets/{ticket.folio}/acciones/aprobar/", follow=True).content.decode()
    page += client.get(f"/tickets/{ticket.folio}/").content.decode()
    assert "INTERNO" not in page
