"""Mail in and out in a browser: a report by mail, answers on both sides by mail alone, a stranger, a forged sender, and
a mail from another address (S0.7, S3.3)."""

import re

import pytest
from playwright.sync_api import Page, expect

from e2e.conftest import People
from e2e.mailbox import Letter, Mailbox

pytestmark = pytest.mark.e2e
ANA, AGENT, SUPERVISOR = "ana.mora@correo.test", "tecnico@demo.test", "supervisor@demo.test"


def write(page: Page, text: str, *, answers: Letter | None = None, **fields: str) -> str:
    """Write a mail to the desk. Returns what the desk made of it, in words."""
    page.goto(f"/correo/escribir/?a={answers.id}" if answers else "/correo/escribir/")
    for name, value in fields.items():
        page.locator(f"[name={name}]").fill(value)
    body = page.locator("[name=text]")
    body.fill(text + body.input_value())
    page.get_by_role("button", name="Enviar correo").click()
    return page.get_by_role("status").inner_text()


@pytest.mark.demand("S0.7")
@pytest.mark.demand("S3.3")
def test_ticket_by_mail_alone(people: People, mailbox: Mailbox) -> None:
    ana = people.on_phone("Ana")
    page = ana.page
    ana.go("/correo/escribir/")
    ana.look()

    # Her mail becomes a ticket, and she gets the confirmation
    told = write(
        page, "La barrera de la Sede Norte no abre.", sender=ANA, name="Ana Mora", subject="Barrera cerrada"
    )
    ana.look()
    folio = re.search(r"[A-Z]+-\d+", told)[0]  # type: ignore[index]
    assert "Ticket nuevo" in told
    received = mailbox.wait_for(ANA, folio)

    # The agent answers from the back office, she from her mail
    diego = people.at_desk("Diego")
    diego.sign_in(AGENT)
    diego.open_ticket(folio)
    expect(diego.page.get_by_text("La barrera de la Sede Norte no abre.").first).to_be_visible()
    diego.look()
    diego.page.get_by_role("button", name="Asignarme").click()
    expect(diego.page.get_by_role("button", name="Asignarme")).to_have_count(0)
    diego.follow_up("¿Qué dice la pantalla del poste?")
    asked = mailbox.wait_for(ANA, "pantalla", after=received.id)
    assert "Mensaje en su ticket" in write(page, "Dice «sin conexión».", answers=asked)
    noticed = mailbox.wait_for(AGENT, folio, "sin conexión")

    # The agent answers from his mail, too
    assert "Mensaje en su ticket" in write(diego.page, "Reiniciamos el poste; prueba ahora.", answers=noticed)
    mailbox.wait_for(ANA, "Reiniciamos el poste", after=asked.id)
    diego.open_ticket(folio)
    answer = diego.page.locator(".msg").filter(has_text="Dice «sin conexión».").last
    expect(answer).to_be_visible()
    expect(answer).not_to_contain_text("pantalla del poste")
    diego.look()

    # From another address she is asked first, at the one that the desk knows
    assert "Responde desde otra dirección" in write(page, "Ya abre.", answers=asked, sender="ana@casa.test")
    proof = mailbox.wait_for(ANA, "ana@casa.test", after=asked.id)
    ana.go(proof.link())
    ana.look()
    page.get_by_role("button", name="Sí, es mío").click()
    expect(page.get_by_text("Ya abre.").first).to_be_visible()

    # Somebody who claims to be the agent is not
    forged = write(page, "Paga aquí.", sender=AGENT, to="soporte@mesadeayuda.test", subject=f"Re: {folio}")
    assert "Dice ser del equipo" in forged
    maria = people.at_desk("María Alejandra")
    maria.sign_in(SUPERVISOR)
    maria.go("/agentes/correo/")
    expect(maria.page.get_by_text("Dice ser del equipo y no lo prueba").first).to_be_visible()
    maria.look()
