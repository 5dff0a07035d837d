"""The requester's actions, the survey and the switch for mails."""

import re
from datetime import timedelta
from html import unescape

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.models import User
from tickets.closing import surveys
from tickets.models import Process, Ticket
from tickets.tests.factories import make_process, make_ticket
from tickets.tests.playing import review
from tickets.workflow import conversation
from tickets.workflow.perform import perform
from web.tests.factories import make_questioned_ticket

from .browsing import buttons, html, snapshot, stamp, url
from .factories import SOLUTION, signed_in, working

pytestmark = pytest.mark.django_db


# --- Actions ----------------------------------------------------------------------------------------------


@pytest.mark.demand("S2.8")
def test_page_offers_only_available_actions(
    ticket: Ticket, agent: User, supervisor: User, customer: User, customer_client: Client
):
    assert buttons(html(customer_client, url(ticket))) == []
    working(ticket, agent=agent, supervisor=supervisor)
    assert buttons(html(customer_client, url(ticket))) == []
    perform(ticket, "pedir_aprobacion", actor=agent, data=SOLUTION)

    page = html(customer_client, url(ticket))

    assert buttons(page) == ["aprobar", "rechazar"]
    assert "¿Quedó resuelto?" in page
    perform(ticket, "aprobar", actor=customer)
    assert buttons(html(customer_client, url(ticket))) == ["retirar_aprobacion"]
    review(ticket, by=supervisor)
    perform(ticket, "cerrar", actor=supervisor)
    assert buttons(html(customer_client, url(ticket))) == []


def test_action_field_carries_its_condition(customer: User, customer_client: Client):
    """A field with a condition has `data-shown-when`, as in the back office: both use `web.forms.ActionForm`."""
    asked = make_questioned_ticket(requester=customer)

    page = unescape(html(customer_client, url(asked)))

    assert """data-shown-when="{"contar-sirve": ["on"]}\"""" in page
    assert "contar-motivo" not in page


@pytest.mark.demand("S2.8", "S0.25")
def test_approving_closes_and_leads_to_the_survey(to_approve: Ticket, customer_client: Client):
    form = stamp(html(customer_client, url(to_approve)), "aprobar")

    answer = customer_client.post(url(to_approve, "acciones/aprobar/"), form)
    again = customer_client.post(url(to_approve, "acciones/aprobar/"), form)

    to_approve.refresh_from_db()
    assert to_approve.stage == "cerrado"
    assert answer["Location"] == again["Location"] == url(to_approve, "encuesta/")
    assert to_approve.events.filter(action="aprobar").count() == 1


NEXT = "Atención al usuario hace la revisión final y cierra tu ticket."


@pytest.mark.demand("S2.8", "S2.44")
def test_approving_before_the_review_says_what_follows(to_review: Ticket, customer_client: Client):
    form = stamp(html(customer_client, url(to_review)), "aprobar")

    answer = customer_client.post(url(to_review, "acciones/aprobar/"), form)
    page = html(customer_client, url(to_review))

    to_review.refresh_from_db()
    assert (to_review.stage, answer["Location"]) == ("revision", url(to_review))
    assert "Aprobaste el cierre. Gracias por confirmarlo." in page
    assert NEXT in page
    assert "¿Quedó resuelto?" not in page
    assert "Completado" not in re.search(r'class="pill pill--lg".*?</span>\s*</div>', page, re.DOTALL)[0]
    assert '<li aria-current="step">' in page.partition("Revisión final")[0]
    assert "Fecha de cierre" not in page, "the promise was kept with the solution"


@pytest.mark.demand("S2.8")
def test_page_drawn_before_the_last_tick_still_approves(
    to_review: Ticket, supervisor: User, customer_client: Client
):
    """The ticks are internal, so the page with the button does not refresh."""
    form = stamp(html(customer_client, url(to_review)), "aprobar")
    review(to_review, by=supervisor)

    answer = customer_client.post(url(to_review, "acciones/aprobar/"), form)

    to_review.refresh_from_db()
    assert (to_review.stage, answer["Location"]) == ("cerrado", url(to_review, "encuesta/"))


@pytest.mark.demand("S2.8")
def test_requester_takes_the_approval_back(to_review: Ticket, customer: User, customer_client: Client):
    perform(to_review, "aprobar", actor=customer)
    form = stamp(html(customer_client, url(to_review)), "retirar_aprobacion")
    address = url(to_review, "acciones/retirar_aprobacion/")

    empty = customer_client.post(address, form | {"retirar_aprobacion-message": ""})
    customer_client.post(address, form | {"retirar_aprobacion-message": "Volvió a fallar."})

    to_review.refresh_from_db()
    assert (empty.status_code, to_review.stage) == (422, "procesar")
    page = html(customer_client, url(to_review))
    assert "Volvió a fallar." in page
    assert NEXT not in page


@pytest.mark.demand("S2.8")
def test_rejecting_requires_a_reason_and_returns_to_work(to_approve: Ticket, customer_client: Client):
    form = stamp(html(customer_client, url(to_approve)), "rechazar")

    empty = customer_client.post(url(to_approve, "acciones/rechazar/"), form | {"rechazar-message": " "})
    assert empty.status_code == 422
    assert re.search(r'<details class="approve__reject"[^>]* open>', empty.content.decode())
    customer_client.post(
        url(to_approve, "acciones/rechazar/"), form | {"rechazar-message": "Anoche volvió a fallar."}
    )

    to_approve.refresh_from_db()
    assert to_approve.stage == "procesar"
    assert "Anoche volvió a fallar." in html(customer_client, url(to_approve))


def test_decision_on_a_stale_page_keeps_its_reason(to_approve: Ticket, agent: User, customer_client: Client):
    form = stamp(html(customer_client, url(to_approve)), "rechazar")
    conversation.send_follow_up(to_approve, actor=agent, body="Un detalle más.")

    answer = customer_client.post(
        url(to_approve, "acciones/rechazar/"), form | {"rechazar-message": "No sirve."}
    )

    page = unescape(answer.content.decode())
    assert answer.status_code == 409
    assert "El ticket cambió mientras escribías." in page
    assert "No sirve.</textarea>" in page
    to_approve.refresh_from_db()
    assert to_approve.stage == "aprobacion"


def test_rejecting_after_approving_shows_the_typed_reason(
    to_approve: Ticket, customer: User, customer_client: Client
):
    form = stamp(html(customer_client, url(to_approve)), "rechazar")
    perform(to_approve, "aprobar", actor=customer)

    answer = customer_client.post(
        url(to_approve, "acciones/rechazar/"), form | {"rechazar-message": "Espera, falta algo."}
    )

    page = unescape(answer.content.decode())
    assert answer.status_code == 409
    assert re.search(r"Aprobaste el cierre\s*</li>", page)
    assert "Espera, falta algo.</blockquote>" in page


@pytest.mark.parametrize(
    "action", ["preparar", "pedir_aprobacion", "seguir_sin_respuesta", "no-existe", "aprobar"]
)
def test_action_not_offered_is_refused(in_work: Ticket, customer_client: Client, action: str):
    before = snapshot(in_work)

    answer = customer_client.post(
        url(in_work, f"acciones/{action}/"),
        {f"{action}-solution_done": "x", f"{action}-assignee": in_work.requester_id},
        follow=True,
    )

    assert answer.status_code in (200, 422)
    assert snapshot(in_work) == before


@pytest.mark.demand("S3.19")
def test_closing_own_ticket_confirms_and_opens_survey(
    guest_process: Process, customer: User, customer_client: Client
):
    ticket = make_ticket(guest_process, requester=customer, category="tramite")
    page = html(customer_client, url(ticket))
    assert re.search(r"<details[^>]*>\s*<summary[^>]*>\s*Cerrar mi solicitud\s*</summary>", page)
    assert "La solicitud queda cerrada." in page

    answer = customer_client.post(
        url(ticket, "acciones/cerrar_mi_solicitud/"), stamp(page, "cerrar_mi_solicitud")
    )

    ticket.refresh_from_db()
    assert ticket.stage == "cerrado"
    assert answer["Location"] == url(ticket, "encuesta/")


def test_staff_requester_gets_only_requester_actions(process: Process, supervisor: User, agent: User):
    ticket = make_ticket(process, requester=supervisor)
    client = signed_in(supervisor)

    assert buttons(html(client, url(ticket))) == []
    working(ticket, agent=agent, supervisor=supervisor)
    perform(ticket, "pedir_aprobacion", actor=agent, data=SOLUTION)
    page = html(client, url(ticket))
    assert buttons(page) == ["aprobar", "rechazar"]
    client.post(url(ticket, "acciones/aprobar/"), stamp(page, "aprobar"))
    ticket.refresh_from_db()
    assert ticket.stage == "revision"
    assert buttons(html(client, url(ticket))) == ["retirar_aprobacion"]


# --- Survey and notifications -----------------------------------------------------------------------------


@pytest.mark.demand("S0.25")
def test_survey_counts_once_and_only_when_sent(to_approve: Ticket, customer: User, customer_client: Client):
    assert "Esta encuesta no está abierta" in html(customer_client, url(to_approve, "encuesta/"))
    perform(to_approve, "aprobar", actor=customer)
    page = html(customer_client, url(to_approve, "encuesta/"))
    assert " checked" not in page
    assert "Calificar la atención" in html(customer_client, url(to_approve))

    without = customer_client.post(url(to_approve, "encuesta/"), {"comment": "Muy bien"})
    assert without.status_code == 422
    assert "Elige una de las cinco respuestas." in without.content.decode()
    assert "Muy bien</textarea>" in without.content.decode()
    customer_client.post(url(to_approve, "encuesta/"), {"score": "5", "comment": "Muy bien"})
    customer_client.post(url(to_approve, "encuesta/"), {"score": "1", "comment": "Mal"})

    survey = to_approve.survey
    assert (survey.score, survey.comment) == (5, "Muy bien")
    assert "Gracias por tu opinión" in html(customer_client, url(to_approve, "encuesta/"))
    assert "Calificar la atención" not in html(customer_client, url(to_approve))


@pytest.mark.parametrize("score", ["0", "6", "cinco", "5; DROP"])
def test_score_outside_the_scale_is_refused(
    to_approve: Ticket, customer: User, customer_client: Client, score: str
):
    perform(to_approve, "aprobar", actor=customer)

    answer = customer_client.post(url(to_approve, "encuesta/"), {"score": score})

    assert answer.status_code == 422
    to_approve.refresh_from_db()
    assert surveys.is_open(to_approve)


@pytest.mark.demand("S3.10")
def test_notifications_are_switched_per_ticket(ticket: Ticket, customer_client: Client):
    customer_client.post(url(ticket, "avisos/"), {})
    ticket.refresh_from_db()
    assert ticket.notify_requester is False

    answer = customer_client.post(url(ticket, "avisos/"), {"on": "1"}, headers={"HX-Request": "true"})
    ticket.refresh_from_db()
    assert (ticket.notify_requester, answer.status_code) == (True, 204)


@pytest.mark.demand("S3.19")
def test_action_with_fields_has_no_extra_confirmation(customer: User, customer_client: Client):
    ticket = make_ticket(make_process("solicitud-guiada"), requester=customer)
    perform(ticket, "cerrar_mi_solicitud", actor=customer)
    page = html(customer_client, url(ticket))
    assert "Tu solicitud vuelve a En curso y se lo decimos al equipo." in page
    assert "¿Seguro?" not in page
    assert re.search(r'class="btn btn-primary w-100"\s+type="submit">\s*Reabrir', page)


def test_browser_keeps_an_action_being_written_only_in_its_stage(
    to_approve: Ticket, customer: User, agent: User, customer_client: Client
):
    def keys() -> list[str]:
        return re.findall(r'data-draft-key="(accion-[^"]+)"', html(customer_client, url(to_approve)))

    zones = re.findall(r'data-time-zone="([^"]*)"', html(customer_client, url(to_approve)))
    assert zones == [customer.time_zone] * 2  # of the reply, too: «Borrador guardado a las …»
    first = keys()
    assert [key.rpartition("-")[0] for key in first] == [f"accion-{to_approve.folio}-rechazar"]

    with time_machine.travel(timezone.now() + timedelta(minutes=5)):
        perform(to_approve, "rechazar", actor=customer, data={"message": "Sigue igual"})
        perform(to_approve, "pedir_aprobacion", actor=agent, data=SOLUTION)
    assert keys() != first
