"""What the requester of a closed ticket reads: what a reply will do, and what it did."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from content.dates import short_day
from tickets.enums import LateReply, MessageKind
from tickets.models import Message, Ticket
from tickets.workflow.late_replies import Outlook, outlook


@dataclass(frozen=True)
class LateReplyNotice:
    """The text above the reply box of a closed ticket, and the labels of its buttons. Without a `comment_label`, there
    is only one button. `elsewhere` is the folio of the open ticket where the case goes on."""

    text: str
    send_label: str
    comment_label: str = ""
    elsewhere: str = ""


def notice_for(ticket: Ticket) -> LateReplyNotice | None:
    """Return what to say before a reply to `ticket`; None while it is open."""
    return None if ticket.is_open else _notice(outlook(ticket))


def _notice(ahead: Outlook) -> LateReplyNotice:
    send, comment = _("Enviar respuesta"), _("Solo comentar")
    match ahead.kind:
        case LateReply.REOPENS:
            text = _("Este ticket está cerrado. Si el problema sigue, escribe y lo reabrimos.")
            if ahead.until:
                until = short_day(ahead.until)
                text = _(
                    "Este ticket está cerrado. Si el problema sigue, escribe y lo reabrimos: puedes hacerlo "
                    "hasta el %(date)s."
                ) % {"date": until}
            return LateReplyNotice(text, _("Enviar y reabrir"), comment)
        case LateReply.CONTINUES if ahead.elsewhere:
            text = _("Este caso sigue en el ticket %(folio)s. Lo que escribas aquí llegará a ese ticket.")
            folio = ahead.elsewhere.folio
            return LateReplyNotice(text % {"folio": folio}, send, elsewhere=folio)
        case LateReply.OPENS_NEW:
            text = _("Este ticket está cerrado. Con lo que escribas abriremos otro, ligado a este.")
            return LateReplyNotice(text, _("Enviar y abrir un ticket"), comment)
    text = _("Este ticket está cerrado. El equipo leerá lo que escribas y decidirá si lo reabre.")
    return LateReplyNotice(text, send)


def sent_text(ticket: Ticket, message: Message) -> str:
    """Return what `message`, a reply to `ticket` as its page showed it, has done."""
    now = message.ticket
    folios = {"closed": ticket.folio, "folio": now.folio}
    if message.kind == MessageKind.REPORT:
        return _("El ticket %(closed)s estaba cerrado: tu mensaje abrió este, el %(folio)s.") % folios
    if now.pk != ticket.pk:
        return _("El caso %(closed)s sigue aquí: enviamos tu respuesta al ticket %(folio)s.") % folios
    if not ticket.is_open and now.is_open:
        return _("Enviamos tu respuesta y reabrimos el ticket.")
    if not now.is_open:
        return _("Enviamos tu mensaje. El ticket sigue cerrado y el equipo lo leerá.")
    return _("Enviamos tu respuesta.")
