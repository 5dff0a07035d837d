"""Write the mails that people and programs send, as bytes."""

from email.message import EmailMessage
from email.utils import make_msgid
from io import BytesIO

from PIL import Image

from tickets import reply_address
from tickets.models import Ticket


def picture(size: int = 40) -> bytes:
    """Return a PNG."""
    data = BytesIO()
    Image.new("RGB", (size, size), "teal").save(data, "PNG")
    return data.getvalue()


def make_raw(
    text: str = "No puedo entrar.",
    *,
    sender: str = "Ana Pérez <ana@cliente.test>",
    to: str = "soporte@mesadeayuda.test",
    subject: str = "No puedo entrar a la plataforma",
    message_id: str = "",
    html: str = "",
    files: list[tuple[str, str, bytes]] | None = None,
    **headers: str,
) -> bytes:
    """Return a mail. Underscores in the names of `headers` stand for dashes; `files` are name, content type, bytes."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    mail["Message-ID"] = message_id or make_msgid(domain="cliente.test")
    mail["Date"] = "Fri, 20 Nov 2026 10:21:33 -0500"
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    if html:
        mail.add_alternative(html, subtype="html")
    for name, kind, content in files or []:
        main, _slash, sub = kind.partition("/")
        mail.add_attachment(content, maintype=main, subtype=sub, filename=name)
    return mail.as_bytes()


def token_of(ticket: Ticket, user: object = None) -> str:
    """Return the address at which the requester of the ticket answers, or `user`."""
    person = user or ticket.requester
    email = person.email if person else ticket.requester_email  # type: ignore[attr-defined]
    return reply_address.make(ticket, user=person, email=email)  # type: ignore[arg-type]
