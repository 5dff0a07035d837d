"""Asking another team for something, and doing it, in the back office (S0.20)."""

import uuid

import pytest
from django.urls import reverse

from accounts.tests.factories import make_agent, make_department, make_supervisor, make_user
from tickets.drafts import keep_form
from tickets.models import SideTask, Ticket
from tickets.tests.factories import make_process, make_ticket
from tickets.workflow import side_tasks

from .factories import signed_in, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.demand("S0.20")]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def technician():
    return make_agent(name="Diego Salazar")


@pytest.fixture
def developer():
    return make_agent(make_department("desarrollo"), name="Ana Prieto")


@pytest.fixture
def ticket(technician):
    ticket = make_ticket(make_process("incidencia-tecnica"), requester=make_user())
    Ticket.objects.filter(pk=ticket.pk).update(stage="diagnostico", stage_kind="work", assignee=technician)
    return Ticket.objects.get(pk=ticket.pk)


def url(ticket, name="", *args):
    return reverse(f"agents:ticket_{name}" if name else "agents:ticket", args=[ticket.folio, *args])


def asked(ticket, technician, developer, title="Revisar los registros"):
    return side_tasks.ask(ticket, actor=technician, department=make_department("desarrollo"), title=title)


def test_technician_asks_and_the_other_team_finds_takes_and_finishes(ticket, technician, developer):
    client, other = signed_in(technician), signed_in(developer)
    assert "Nadie pidió nada a otro equipo." in text_of(client.get(url(ticket)))
    form = text_of(client.get(url(ticket, "tasks"), headers=HTMX))
    assert "El ticket sigue con su responsable y sus plazos." in form
    given = {
        "department": make_department("desarrollo").pk,
        "title": "Revisar los registros del 3 de mayo",
        "details": "Entre las 9 y las 10.",
        "key": str(uuid.uuid4()),
    }
    client.post(url(ticket, "tasks"), given)
    page = text_of(client.get(url(ticket)))
    assert "Desarrollo · Revisar los registros del 3 de mayo" in page
    assert "nadie la tomó todavía" in page
    assert "Terminar" not in page.partition('id="sec-tareas"')[2].partition("</details>")[0]

    queue = text_of(other.get("/agentes/colas/tareas/"))
    assert ticket.title in queue
    page = text_of(other.get(url(ticket)))
    assert "Tarea para Desarrollo" in page
    assert "Entre las 9 y las 10." in page
    task = SideTask.objects.get()
    other.post(url(ticket, "task_take", task.pk), {"key": str(uuid.uuid4())})
    assert "la tiene Ana Prieto" in text_of(client.get(url(ticket)))
    done = other.post(
        url(ticket, "task_finish", task.pk),
        {"result": "El disco estaba lleno.", "key": str(uuid.uuid4())},
        follow=True,
    )
    assert "Terminaste la tarea." in text_of(done)
    page = text_of(client.get(url(ticket)))
    assert "El disco estaba lleno." in page
    assert "terminó la tarea de" in page
    assert ticket.title not in text_of(other.get("/agentes/colas/tareas/"))


def test_refused_forms_keep_what_was_typed(ticket, technician, developer):
    client = signed_in(technician)
    page = client.post(
        url(ticket, "tasks"), {"title": "Sin equipo", "details": "Algo", "key": str(uuid.uuid4())}
    )
    assert page.status_code == 422
    assert "Sin equipo" in text_of(page)
    assert "Sin equipo" in text_of(client.get(url(ticket, "tasks")))
    assert "Pedir una tarea a otro equipo" in text_of(client.get(url(ticket)))

    task = asked(ticket, technician, developer)
    other = signed_in(developer)
    page = other.post(url(ticket, "task_finish", task.pk), {"result": " ", "key": str(uuid.uuid4())})
    assert page.status_code == 422


def test_finish_form_of_an_ended_or_foreign_task_leads_to_the_ticket(ticket, technician, developer):
    task = asked(ticket, technician, developer)
    client = signed_in(technician)  # of another department
    page = client.get(url(ticket, "task_finish", task.pk), follow=True)
    assert page.redirect_chain[0][0].startswith(url(ticket))
    assert "Esta tarea ya terminó, o es de otro equipo." in text_of(page)


def test_typed_result_is_shown_after_somebody_else_finished(ticket, technician, developer):
    task = asked(ticket, technician, developer)
    other = asked(ticket, technician, developer)  # keeps the ticket in the team's sight
    client, typed = signed_in(developer), "Revisé los registros de la noche."
    keep_form(developer, f"{ticket.folio}/tarea-{task.pk}", values={"result": [typed]}, ticket=ticket, key="")
    side_tasks.finish(task, actor=make_supervisor(), result="Hecho.")
    page = client.get(url(ticket, "task_finish", task.pk))
    assert page.status_code == 200
    assert typed in text_of(page)
    assert "Copia lo que te sirva" in text_of(page)
    client.post(url(ticket, "task_finish", task.pk), {"descartar": "1"})
    assert client.get(url(ticket, "task_finish", task.pk)).status_code == 302
    assert other.is_open


def test_queue_says_what_is_asked_and_who_has_taken_it(ticket, technician, developer):
    asked(ticket, technician, developer)
    taken = asked(ticket, technician, developer, "Leer el <b>código</b>")
    side_tasks.take(taken, actor=developer)
    page = text_of(signed_in(developer).get("/agentes/colas/tareas/"))
    assert "Revisar los registros (sin tomar) · Leer el &lt;b&gt;código&lt;/b&gt; (Ana Prieto)" in page
    other = make_agent(make_department("reparaciones"))
    assert "Revisar los registros" not in text_of(signed_in(other).get("/agentes/colas/tareas/"))


def test_action_that_closes_says_which_tasks_it_withdraws(ticket, technician, developer):
    client = signed_in(make_supervisor())
    assert "sin terminar" not in text_of(client.get(url(ticket, "action", "descartar")))
    asked(ticket, technician, developer)
    page = text_of(client.get(url(ticket, "action", "descartar")))
    assert "Otros equipos tienen 1 tarea sin terminar: se retira." in page
    assert "sin terminar: se retira" not in text_of(
        client.get(url(ticket, "action", "registrar_diagnostico"))
    )


def test_asker_withdraws(ticket, technician, developer):
    task = asked(ticket, technician, developer)
    page = signed_in(technician).post(
        url(ticket, "task_withdraw", task.pk), {"key": str(uuid.uuid4())}, headers=HTMX
    )
    assert "Retiraste la tarea." in text_of(page)
    assert "retirada" in text_of(page)
    task.refresh_from_db()
    assert task.is_withdrawn


def test_strangers_and_other_tickets_get_404(ticket, technician, developer):
    task, other = asked(ticket, technician, developer), make_ticket()
    stranger = signed_in(make_agent(make_department("reparaciones")))
    supervisor = signed_in(make_supervisor())
    for name in ("task_take", "task_finish", "task_withdraw"):
        assert stranger.post(url(ticket, name, task.pk), {}).status_code == 404
        assert supervisor.post(url(other, name, task.pk), {}).status_code == 404
    assert stranger.post(url(ticket, "tasks"), {}).status_code == 404
    assert signed_in(ticket.requester).get(url(ticket, "tasks")).status_code in (302, 403, 404)
    task.refresh_from_db()
    assert task.is_open
    assert task.assignee is None


def test_refusal_of_the_process_leads_to_the_tasks(ticket, technician, developer):
    asked(ticket, technician, developer)
    page = text_of(signed_in(technician).get(url(ticket, "action", "resolver")))
    assert "Falta que otros equipos terminen: «Revisar los registros»." in page
    assert "#sec-tareas" in page
