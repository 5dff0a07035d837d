"""The S2 journey over HTTP without a browser. It has separate steps, so that a test can cause failures between them."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from demo.replay.files import make_file
from demo.run import PASSWORD
from e2e.processes import Stack
from e2e.sink import Mail, MailSink
from e2e.visitor import Visitor
from e2e.waiting import until

CUSTOMER, AGENT, SUPERVISOR = "cliente@demo.test", "tecnico@demo.test", "supervisor@demo.test"
REVIEWER = "beatriz.solano@demo.test"
AGENT_NAME = "Diego Salazar"
TOPIC = "soporte-con-aprobacion.plataforma"
# The templates of all mails that each person must have received at the end of the journey.
EXPECTED = {
    CUSTOMER: [
        "received",
        "prepared",
        "contribution_asked",
        "contribution_asked",
        "closure_asked",
        "closure_asked",
        "closed",
    ],
    AGENT: [
        "assigned",
        "requester_replied",
        "requester_replied",
        "nonconformity",
        "closure_approved",
        "closed",
    ],
    REVIEWER: ["verification_asked"],
    SUPERVISOR: ["new_ticket", "nonconformity"],
}
MAIL_SECONDS = 40


@dataclass
class Journey:
    stack: Stack
    sink: MailSink
    customer: Visitor = field(init=False)
    supervisor: Visitor = field(init=False)
    agent: Visitor = field(init=False)
    reviewer: Visitor = field(init=False)
    guest: Visitor = field(init=False)
    folio: str = ""

    def __post_init__(self) -> None:
        self.customer, self.supervisor, self.agent, self.reviewer, self.guest = (
            Visitor(self.stack.ports) for _person in range(5)
        )

    # --- Steps ---

    def sign_in(self) -> None:
        self.customer.sign_in(CUSTOMER, PASSWORD)
        self.supervisor.sign_in(SUPERVISOR, PASSWORD)
        self.agent.sign_in(AGENT, PASSWORD)
        self.reviewer.sign_in(REVIEWER, PASSWORD)

    def file(self) -> None:
        page = self.customer.get(f"/nuevo/?tipo={TOPIC}")
        text = {"title": "No puedo subir el informe", "description": "El aula rechaza mi PDF."}
        picture = ("formato-no-admitido.png", make_file("formato-no-admitido.png"), "image/png")
        page = self.customer.submit(page.form("/detalles/"), text, {"files": picture})
        page = self.customer.submit(page.form("/contacto/"))
        found = re.search(r"Tu folio es (\S+-\d+)", page.text)
        assert found, page.text
        self.folio = found[1]

    def prepare(self) -> None:
        form = self.supervisor.get(f"/agentes/preparar/{self.folio}/").form(f"/preparar/{self.folio}/")
        self.supervisor.submit(
            form,
            {
                "severity": "high",
                "standing": "active",
                "assignee": form.choice("assignee", AGENT_NAME),
                "contribution_open": "on",
                "luego": "abrir",
            },
        )

    def follow_up(self, text: str) -> None:
        form = self._ticket().form("/mensajes/")
        page = self.agent.submit(form, {"mode": "follow_up", "body": text})
        assert text in page.text, page.text

    def contribute(self, mail: Mail, text: str) -> None:
        page = self.guest.get(link_of(mail))
        picture = ("captura.png", make_file("captura.png"), "image/png")
        page = self.guest.submit(page.form("/responder/"), {"body": text}, {"files": picture})
        assert text in page.text, page.text
        assert "captura.png" in page.text

    def close_contribution(self) -> None:
        self.agent.submit(self._ticket().form("/aporte/"), {"is_open": "0"})

    def ask_for_approval(self, done: str) -> None:
        page = self.agent.get(f"/agentes/tickets/{self.folio}/acciones/pedir_aprobacion/")
        page = self.agent.submit(page.form("/acciones/pedir_aprobacion/"), {"solution_done": done})
        assert "Aprobación de cierre" in page.text, page.text

    def reject(self, mail: Mail, reason: str) -> None:
        page = self.guest.get(link_of(mail))
        self.guest.submit(page.form("/acciones/rechazar/"), {"message": reason})

    def approve(self, mail: Mail) -> None:
        page = self.guest.get(link_of(mail))
        page = self.guest.submit(page.form("/acciones/aprobar/"))
        assert "Atención al usuario hace la revisión final y cierra tu ticket." in page.text, page.text

    def review(self) -> None:
        """Complete the closing checklist and close with R10 (S2.44–S2.46)."""
        ticket, reviewer = f"/agentes/tickets/{self.folio}/", self.reviewer
        for kind, url in (("call", ""), ("whatsapp", "https://wa.me/c/584125550142")):
            item = "llamada" if kind == "call" else kind
            page = reviewer.get(f"{ticket}contactos/?medio={kind}&punto={item}")
            reviewer.submit(page.form("/contactos/"), {"outcome": "successful", "url": url})
        note = {"mode": "note", "body": "Captura de la conversación."}
        picture = ("whatsapp-cierre.png", make_file("whatsapp-cierre.png"), "image/png")
        reviewer.submit(reviewer.get(ticket).form("/mensajes/"), note, {"files": picture})
        reviewer.submit(reviewer.get(ticket).form("/lista/respuesta/"))
        page = reviewer.get(f"{ticket}acciones/cerrar/")
        page = reviewer.submit(page.form("/acciones/cerrar/"))
        assert "Cerraste el ticket." in page.text, page.text

    def rate(self, mail: Mail) -> None:
        page = self.guest.get(link_of(mail))
        page = self.guest.submit(page.form("/encuesta/"), {"score": "5", "comment": "Gracias."})
        assert "Gracias por tu opinión" in page.text, page.text

    def _ticket(self):
        return self.agent.get(f"/agentes/tickets/{self.folio}/")

    # --- Mails ---

    def mails(self) -> list[Mail]:
        thread = f"<{self.folio.lower()}@"
        return [mail for mail in list(self.sink.mails) if thread in str(mail.message["References"])]

    def mail(self, template: str, *, number: int = 1, to: str = CUSTOMER) -> Mail:
        """Wait for the `number`th mail with this template to `to` and return it. Copies with the same Message-ID count
        once."""

        def found() -> Mail | None:
            distinct = {
                mail.id: mail for mail in self.mails() if mail.to == to and template_of(mail) == template
            }
            return list(distinct.values())[number - 1] if len(distinct) >= number else None

        return until(found, lambda: f"{template} no. {number} to {to}: {self.told()}", MAIL_SECONDS)

    def told(self) -> list[tuple[str, str]]:
        return [(mail.to, template_of(mail)) for mail in self.mails()]

    def wait_for_everything(self, seconds: float = MAIL_SECONDS) -> None:
        wanted = sum(map(len, EXPECTED.values()))
        until(
            lambda: len({mail.id for mail in self.mails()}) >= wanted,
            f"{wanted} mails, not {self.told()}",
            seconds,
        )


def play(journey: Journey, *, between: "dict[str, Callable[[], None]] | None" = None) -> None:
    """Perform the whole journey. `between` maps the name of a step to a function to call after that step."""
    happens = between or {}

    def step(name: str, do: Callable[..., None], *args: object) -> None:
        do(*args)
        happens.get(name, lambda: None)()

    step("sign in", journey.sign_in)
    step("file", journey.file)
    journey.mail("received")
    step("prepare", journey.prepare)
    step("ask", journey.follow_up, "¿Qué navegador usas?")
    step("contribute", journey.contribute, journey.mail("contribution_asked"), "Firefox 144.")
    step("ask again", journey.follow_up, "¿Y en Chrome?")
    step("contribute again", journey.contribute, journey.mail("contribution_asked", number=2), "También.")
    step("close contribution", journey.close_contribution)
    step("ask for approval", journey.ask_for_approval, "La tarea ya admite PDF.")
    step("reject", journey.reject, journey.mail("closure_asked"), "Sigue igual con archivos grandes.")
    step("ask for approval again", journey.ask_for_approval, "Subimos el límite a 20 MB.")
    step("approve", journey.approve, journey.mail("closure_asked", number=2))
    journey.mail("verification_asked", to=REVIEWER)
    step("review", journey.review)
    step("rate", journey.rate, journey.mail("closed"))


def template_of(mail: Mail) -> str:
    """Return the mail's template, read from its Message-ID: <ticket.event.template.hint@…>."""
    return mail.id.strip("<>").split(".")[2]


def link_of(mail: Mail) -> str:
    found = re.search(r"http://127\.0\.0\.1:\d+(/enlace/\S+?)[\s)>]", mail.text + "\n")
    assert found, mail.text
    return found[1]
