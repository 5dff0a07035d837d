"""Mail in and out in a browser: a report by mail, answers on both sides by mail alone, an approved closing, a forged
sender, a mail from another address, one that comes twice, and one that cannot be delivered (S0.7, S3.3)."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from e2e.conftest import People
from e2e.mailbox import Letter, Mailbox
from e2e.processes import Stack

pytestmark = pytest.mark.e2e
ANA, AGENT, SUPERVISOR = "ana.mora@correo.test", "tecnico@demo.test", "supervisor@demo.test"
JULIAN, PLATFORM = "julian.torres@demo.test", "plataforma@mesadeayuda.test"
LAST_ID = """
from notifications.models import OutgoingEmail
print(OutgoingEmail.objects.filter(recipient="luis@correo.test").order_by("-pk").first().message_id)
"""


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


@pytest.mark.demand("S0.7")
@pytest.mark.demand("S3.3")
def test_mail_to_an_approved_closing(people: People, mailbox: Mailbox) -> None:
    """A supervisor sets up an address; what is written to it is prepared, answered on both sides and closed."""
    maria = people.at_desk("María Alejandra")
    maria.sign_in(SUPERVISOR)
    for email, process in (
        ("soporte@mesadeayuda.test", "Incidencia técnica"),  # where mails to no other address go on going
        (PLATFORM, "Soporte con aprobación de cierre"),
    ):
        maria.go("/agentes/ajustes/direcciones/")
        maria.page.get_by_role("link", name="Nueva dirección").click()
        maria.look()
        maria.page.locator("[name=email]").fill(email)
        maria.page.locator("[name=process]").select_option(label=process)
        maria.page.get_by_role("button", name="Guardar").click()
        expect(maria.page.get_by_text(email).first).to_be_visible()
    expect(maria.page.get_by_text("Pide una cuenta")).to_be_visible()
    maria.look()

    julian = people.on_phone("Julián")
    page = julian.page
    julian.go("/correo/escribir/")
    told = write(
        page, "El aula virtual no me deja entregar.", sender=JULIAN, to=PLATFORM, subject="No puedo entregar"
    )
    folio = re.search(r"[A-Z]+-\d+", told)[0]  # type: ignore[index]

    maria.go(f"/agentes/preparar/{folio}/")
    maria.choose("Alta", "Activo", "Diego Salazar")
    maria.page.get_by_label("Habilitar aporte de usuario").check()
    maria.page.locator("summary").filter(has_text="Otras").click()
    maria.page.get_by_role("button", name="Preparar y abrir").click()
    expect(maria.page.locator("header.tk__head")).to_contain_text("Procesar ticket")

    # Both write mails, and nothing else
    diego = people.at_desk("Diego")
    given = mailbox.wait_for(AGENT, folio)
    assert "Mensaje en su ticket" in write(diego.page, "¿Qué archivo subes?", answers=given)
    asked = mailbox.wait_for(JULIAN, "¿Qué archivo subes?")
    assert "Mensaje en su ticket" in write(page, "Un PDF de 12 MB.", answers=asked)
    mailbox.wait_for(AGENT, folio, "Un PDF de 12 MB.", after=given.id)

    # The closing is asked for, and approved by the link in the mail
    diego.sign_in(AGENT)
    diego.open_ticket(folio)
    expect(diego.page.locator("#thread")).to_contain_text("Un PDF de 12 MB.")
    diego.take_action("Pedir aprobación", solution_done="Ahora se pueden subir 20 MB.")
    ask = mailbox.wait_for(JULIAN, folio, "Ahora se pueden subir 20 MB.", after=asked.id)
    julian.go(ask.link())
    julian.look()
    page.get_by_role("button", name="Aprobar cierre").click()
    expect(page.get_by_text("Aprobaste el cierre. Gracias por confirmarlo.")).to_be_visible()


@pytest.mark.demand("S0.7")
def test_mail_twice_bounce_and_release(people: People, mailbox: Mailbox, desk: Stack, tmp_path: Path) -> None:
    def receive(name: str, *lines: str) -> dict[str, str]:
        file = tmp_path / name
        file.write_text("\r\n".join(lines), "utf-8")
        return json.loads(desk.manage("ingest", "--json", str(file)).splitlines()[-1])

    head = ("From: Luis <luis@correo.test>", "To: soporte@mesadeayuda.test")
    first = receive(
        "one.eml", *head, "Subject: Otra barrera", "Message-ID: <uno@correo.test>", "", "No abre."
    )
    again = receive(
        "one.eml", *head, "Subject: Otra barrera", "Message-ID: <uno@correo.test>", "", "No abre."
    )
    folio = first["ticket"]
    assert (first["repeat"], again["repeat"], again["ticket"]) == (False, True, folio)

    # The same mail twice is one message
    diego = people.at_desk("Diego")
    diego.sign_in(AGENT)
    diego.open_ticket(folio)
    expect(diego.page.locator(".msg").filter(has_text="No abre.")).to_have_count(1)

    # What cannot be delivered is told beside the message
    diego.page.get_by_role("button", name="Asignarme").click()
    expect(diego.page.get_by_role("button", name="Asignarme")).to_have_count(0)
    diego.follow_up("¿Cuál de las dos barreras?")
    mailbox.wait_for("luis@correo.test", "¿Cuál de las dos barreras?")
    sent = desk.manage("shell", "-v0", "-c", LAST_ID)
    bounce = receive(
        "bounce.eml",
        "From: mailer-daemon@correo.test",
        "To: soporte@mesadeayuda.test",
        "Return-Path: <>",
        "Subject: Undelivered Mail Returned to Sender",
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
        "",
        "--b",
        "Content-Type: message/delivery-status",
        "",
        "Reporting-MTA: dns; correo.test",
        "",
        "Final-Recipient: rfc822; luis@correo.test",
        "Action: failed",
        "Status: 5.1.1",
        "",
        "--b",
        "Content-Type: text/rfc822-headers",
        "",
        f"Message-ID: {sent.strip()}",
        "",
        "--b--",
    )
    assert (bounce["verdict"], bounce["ticket"]) == ("delivery", folio)
    diego.open_ticket(folio)
    expect(diego.page.locator(".msg").filter(has_text="¿Cuál de las dos barreras?")).to_contain_text("Rebotó")
    diego.look()

    # A mail from another address waits until somebody lets it in
    subject = f"Subject: Re: {folio}"
    held = receive(
        "two.eml",
        "From: l@casa.test",
        head[1],
        subject,
        f"In-Reply-To: {sent.strip()}",
        "",
        "La de la calle.",
    )
    assert held["verdict"] == "quarantine"
    diego.go("/agentes/correo/")
    diego.page.get_by_role("link").filter(has_text=folio).first.click()
    expect(diego.page.get_by_role("main")).to_contain_text("La de la calle.")
    diego.choose(f"Entregar en {folio}")
    diego.page.get_by_role("button", name="Aceptar el correo").click()
    diego.open_ticket(folio)
    expect(diego.page.locator(".msg").filter(has_text="La de la calle.")).to_have_count(1)
