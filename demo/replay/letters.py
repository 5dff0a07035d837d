"""Receive the invented mails: a ticket, an answer, an automatic reply, a bounce, and those that wait in quarantine.

Each goes through `receiving.receive`, at its time, as one that came over the internet (S0.7).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr, make_msgid

from django.conf import settings
from django.utils import timezone

from demo.replay.files import make_file
from demo.replay.story import span
from notifications.incoming import receiving
from notifications.models import OutgoingEmail
from tickets.models import DeskAddress, Process, Ticket

WORKSHOP, STUDIES = "taller@demo.test", "estudios@demo.test"
ADDRESSES = (  # and the support address
    (WORKSHOP, "reparacion-de-dispositivo"),
    (STUDIES, "reporte-de-incidentes"),
)
MAIN_PROCESS = "incidencia-tecnica"
CHARGED, GPS = "Cobro duplicado al confirmar la reserva", "El GPS ubica el estacionamiento a 400 metros"
BOUNCED = "mailer-daemon@correo.demo.test"


@dataclass(frozen=True)
class Letter:
    """A mail that arrives `before` the present. `write` adds what it says, and returns False if there is nothing to
    answer."""

    before: str
    sender: tuple[str, str]
    subject: str
    write: Callable[[EmailMessage], bool | None]
    to: str = ""
    answers: str = ""
    """The title of the ticket that it answers."""

    def at(self, now: datetime) -> datetime:
        return now - span(self.before)

    def receive(self) -> None:
        """Receive the mail now. If there is nothing to answer, do nothing."""
        if mail := self.as_sent():
            receiving.receive(mail.as_bytes(policy=SMTP), mailbox=settings.DESK_SUPPORT_EMAIL)

    def as_sent(self) -> EmailMessage | None:
        """Return the mail as a mail program sends it. None if the ticket that it answers does not exist."""
        mail = EmailMessage()
        name, address = self.sender
        mail["From"] = formataddr((name, address))
        mail["To"] = self.to or settings.DESK_SUPPORT_EMAIL
        mail["Date"] = format_datetime(timezone.now())
        mail["Message-ID"] = make_msgid(domain=address.rpartition("@")[2])
        subject = self.subject
        if self.answers:
            ticket = Ticket.objects.filter(title=self.answers).order_by("-pk").first()
            sent = OutgoingEmail.objects.filter(ticket=ticket).order_by("-pk").first() if ticket else None
            if ticket is None or sent is None:
                return None
            subject = f"{subject} {ticket.folio} · {ticket.title}"
            mail["In-Reply-To"] = mail["References"] = sent.message_id
        mail["Subject"] = subject
        return None if self.write(mail) is False else mail


def set_up_addresses(processes: Mapping[str, Process]) -> None:
    """Let mails to the support address, the workshop's and the studies' become tickets."""
    for email, key in ((settings.DESK_SUPPORT_EMAIL, MAIN_PROCESS), *ADDRESSES):
        DeskAddress.objects.get_or_create(email=email, defaults={"process": processes[key]})


def _text(text: str) -> Callable[[EmailMessage], None]:
    return lambda mail: mail.set_content(text)


def _fault_with_pictures(mail: EmailMessage) -> None:
    """Write a text with a picture in its place, one from another site, a log, and a program that no desk takes."""
    mail.set_content("Buenas tardes. La app se cierra al abrir el mapa. Adjunto el registro.")
    picture = make_msgid(domain="correo.demo.test")
    mail.add_alternative(
        "<p>Buenas tardes.</p><p>La app <b>se cierra</b> cada vez que abro el mapa. Es esta pantalla:</p>"
        f'<p><img src="cid:{picture[1:-1]}" alt="La pantalla del mapa"></p>'
        "<p>Ya la desinstalé y la volví a instalar. Dejo el registro del teléfono.</p>"
        '<p>Paola Rincón<br><img src="https://firma.correo.demo.test/logo.png" alt="Logo" width="80"></p>',
        subtype="html",
    )
    html = mail.get_body(("html",))
    assert html is not None  # noqa: S101  (it was just added)
    html.add_related(
        make_file("el-mapa-se-cierra.png"), maintype="image", subtype="png", cid=picture, filename="mapa.png"
    )
    mail.add_attachment(make_file("registro.log"), maintype="text", subtype="plain", filename="registro.log")
    mail.add_attachment(
        b"MZ\x90\x00\x03" + bytes(200),
        maintype="application",
        subtype="octet-stream",
        filename="reparador.exe",
    )


def _newsletter(mail: EmailMessage) -> None:
    mail["List-Unsubscribe"] = "<https://boletin.demo.test/baja>"
    mail["Precedence"] = "bulk"
    mail.set_content("Su paquete está retenido. Pague el envío en https://boletin.demo.test/pagar")


def _away(mail: EmailMessage) -> None:
    mail["Auto-Submitted"] = "auto-replied"
    mail.set_content("Estoy fuera de la oficina hasta el lunes. Responderé a mi regreso.")


def _bounce(mail: EmailMessage) -> bool:
    """Write the report that a mail to a customer was not delivered (RFC 3464)."""
    lost = (
        OutgoingEmail.objects.filter(ticket__title=GPS, recipient__startswith="jorge.cardenas@")
        .order_by("-pk")
        .first()
    )
    if lost is None:
        return False
    mail.replace_header("To", f"devoluciones@{settings.DESK_SUPPORT_EMAIL.rpartition('@')[2]}")
    mail["Return-Path"] = "<>"
    mail["Auto-Submitted"] = "auto-replied"
    mail.set_content("No se pudo entregar el correo: el buzón está lleno.")
    mail.make_mixed()
    mail.replace_header("Content-Type", 'multipart/report; report-type="delivery-status"; boundary="informe"')
    status = _fields({"Content-Type": "message/delivery-status"})
    status.set_payload(
        [
            _fields({"Reporting-MTA": "dns; correo.demo.test"}),
            _fields(
                {
                    "Final-Recipient": f"rfc822; {lost.recipient}",
                    "Action": "failed",
                    "Status": "5.2.2",
                    "Diagnostic-Code": "smtp; 552 5.2.2 Mailbox full",
                }
            ),
        ]
    )
    mail.attach(status)
    headers = _fields({"Content-Type": "text/rfc822-headers"})
    headers.set_payload(f"Message-ID: {lost.message_id}\nTo: {lost.recipient}\n")
    mail.attach(headers)
    return True


def _fields(fields: dict[str, str]) -> EmailMessage:
    part = EmailMessage()
    for name, value in fields.items():
        part[name] = value
    return part


LETTERS = (
    Letter(
        "6h",
        ("Paola Rincón", "paola.rincon@demo.test"),
        "La app se cierra al abrir el mapa",
        _fault_with_pictures,
    ),
    Letter(
        "4h 20m",
        ("Mateo Ríos", "mateo.rios@demo.test"),
        "Re:",
        _text(
            "Gracias. El banco todavía no muestra la devolución; aviso cuando llegue.\n\n"
            "Enviado desde mi iPhone\n\n"
            "> Ya vimos los dos cobros. Pedimos la devolución del segundo.\n"
        ),
        answers=CHARGED,
    ),
    Letter(
        "4h", ("Jorge Iván Cárdenas", "jorge.cardenas@demo.test"), "Respuesta automática:", _away, answers=GPS
    ),
    Letter(
        "3h 10m",
        ("Mateo R.", "mateo.rios.98@correo.test"),
        "Re:",
        _text("Hola, escribo desde mi correo personal. ¿Ya salió la devolución?"),
        answers=CHARGED,
    ),
    Letter(
        "2h 40m",
        ("Ana Blanco", "ana.blanco@demo.test"),
        "Re:",
        _text(
            "Hola Mateo. Para devolverte el dinero, confirma el número de tu tarjeta y el código de seguridad en "
            "https://reembolsos-demo.test/confirmar\n\nQuedo atenta.\nAna"
        ),
        answers=CHARGED,
    ),
    Letter("2h", ("Boletín", "no-reply@boletin.demo.test"), "Su paquete está retenido", _newsletter),
    Letter(
        "1h 15m",
        ("Yolanda Prieto", "yolanda.prieto@correo.test"),
        "No aparece la nota de Navegación II",
        _text(
            "Buenos días. Presenté el examen hace dos semanas y la nota no aparece. Mi cédula termina en 418."
        ),
        to=STUDIES,
    ),
    Letter("50m", ("Mail Delivery System", BOUNCED), "Undelivered Mail Returned to Sender", _bounce),
)
