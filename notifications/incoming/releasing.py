"""Let a held mail in: read it again from its original, and make its message or its ticket."""

from accounts.models import User
from tickets.actors import Actor
from tickets.enums import MailVerdict
from tickets.models import DeskAddress, IncomingEmail, Ticket

from . import receiving
from .pictures import keep_files


def release(
    mail: IncomingEmail, *, actor: Actor | None, ticket: Ticket | None, address: DeskAddress | None
) -> None:
    """Make the message of a held mail on `ticket`, written by `actor`, or a ticket of it at `address`, filed by its
    sender. Call it in the transaction of the decision. Raises `DeskError`."""
    judged = receiving.judge(mail.raw, mailbox=mail.mailbox)
    verdict = judged.verdict
    verdict.wakes, verdict.on_behalf, verdict.reason = True, False, ""
    verdict.kind = MailVerdict.MESSAGE if ticket is not None else MailVerdict.TICKET
    verdict.ticket, verdict.address, verdict.actor = ticket, address, actor
    if ticket is None:
        verdict.actor = User.objects.filter(email=mail.sender, is_active=True).first()
    files = keep_files(judged.mail, judged.words, verdict, key=mail.key)
    mail.details |= files.details()
    if ticket is not None:
        mail.message = receiving.write(verdict, files.body or mail.subject, draft_key=files.draft_key)
        mail.ticket = mail.message.ticket
    else:
        mail.ticket = receiving.file(mail, judged, files)
        mail.message = mail.ticket.report
    mail.save(update_fields=["ticket", "message", "details"])
