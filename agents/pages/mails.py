"""What the pages of received mails show: why one waits, what proves its sender, and the figures of the day."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from accounts.models import User
from tickets.enums import MailDecision, MailReason, MailVerdict
from tickets.lists import queues
from tickets.models import DeskAddress, IncomingEmail
from tickets.workflow.mails import NOT_THEIR_ADDRESS
from web.mails import Part, without_links

AT_ONCE = 50
MOST_COUNTED = 1000
ALARMING = frozenset({MailReason.STAFF_UNPROVEN, MailReason.FORGED, MailReason.ID_REUSED})
NOT_THEIR_TOKEN = frozenset({MailReason.STAFF_UNPROVEN, MailReason.OTHER_ADDRESS, MailReason.STRANGER})
"""Reasons for which a reply address in the mail proves nothing: it was given to somebody else."""


def held_mails(user: User) -> "QuerySet[IncomingEmail]":
    """Return the mails that wait for a decision which this person may take."""
    return IncomingEmail.objects.visible_to(user).held()


def sentence_of(mail: IncomingEmail) -> str:
    """Return in one sentence or two why the mail waits."""
    who = {"who": mail.who or mail.sender}
    told = {
        MailReason.STAFF_UNPROVEN: _(
            "Usa la dirección de alguien del equipo, pero no lo prueba: "
            "no llegó a la dirección de respuesta de esa persona."
        ),
        MailReason.FORGED: _(
            "El servidor que lo envió no es el de esa dirección: puede ser una suplantación."
        ),
        MailReason.OTHER_ADDRESS: _(
            "Responde a un ticket desde una dirección que no es la de quien lo pidió. Ya le preguntamos si es suyo."
        ),
        MailReason.STRANGER: _("%(who)s estaba en copia, pero no es quien pidió el ticket.") % who,
        MailReason.NOT_ALLOWED: _("Quien lo envía no puede escribir en ese ticket."),
        MailReason.NEEDS_ACCOUNT: _(
            "Ese tipo de solicitud pide una cuenta, y esta dirección no tiene ninguna."
        ),
        MailReason.NO_ADDRESS: _("Llegó a una dirección que no es de ningún tema."),
        MailReason.AUTOMATIC: _("Lo escribió un programa y no responde a ningún ticket."),
        MailReason.BULK: _("Es de un boletín o de una lista de correo."),
        MailReason.FLOOD: _(
            "Este remitente envió muchos correos en una hora: puede ser un bucle entre dos máquinas."
        ),
        MailReason.TOO_LARGE: _("Es demasiado grande para leerlo. El original está completo."),
        MailReason.UNREADABLE: _("No lo pudimos leer. El original está completo."),
        MailReason.NO_SENDER: _("No dice quién lo envía."),
        MailReason.ID_REUSED: _("Repite el número de otro correo que llegó antes de otro remitente."),
    }
    return told.get(mail.reason, str(mail.get_reason_display()))  # type: ignore[call-overload]


@dataclass(frozen=True)
class Check:
    """One check of the sender and its result: `ok`, `bad`, or empty for a result that says nothing."""

    label: str
    look: str
    result: str


def checks_of(mail: IncomingEmail) -> list[Check]:
    """Return what our server found out about the sender. Of a mail that answers a ticket, also whether it went to an
    address that we gave them: another one needs none."""
    found = [
        Check(
            name.upper(),
            "ok" if result == "pass" else "" if result in ("neutral", "temperror") else "bad",
            result,
        )
        for name, result in sorted((mail.detail("checks") or {}).items())
    ]
    if mail.ticket_id is None and mail.reason != MailReason.STAFF_UNPROVEN:
        return found
    token = bool(mail.detail("token")) and mail.reason not in NOT_THEIR_TOKEN
    return [*found, Check(_("Dirección de respuesta"), "ok" if token else "bad", "")]


class MailPage:
    """A received mail as the quarantine shows it. Each part is read when the template first uses it."""

    def __init__(self, user: User, mail: IncomingEmail) -> None:
        self.user = user
        self.mail = mail

    @property
    def is_alarming(self) -> bool:
        return self.mail.reason in ALARMING

    @property
    def may_block(self) -> bool:
        """Whether the address may be blocked: not without one, and not when it may be somebody else's."""
        return bool(self.mail.sender) and self.mail.reason not in NOT_THEIR_ADDRESS

    @property
    def sentence(self) -> str:
        return sentence_of(self.mail)

    @property
    def checks(self) -> list[Check]:
        return checks_of(self.mail)

    @property
    def parts(self) -> list[Part]:
        return without_links(self.mail.text)

    @cached_property
    def line(self) -> list[IncomingEmail]:
        return list(held_mails(self.user).order_by("-id")[:AT_ONCE])

    @property
    def count(self) -> int:
        """How many wait, up to `queues.MANY`."""
        return len(self.line) if len(self.line) < AT_ONCE else queues.count(held_mails(self.user))

    @cached_property
    def place(self) -> int:
        """The place of the mail in the list, from 1; 0 if it is not in it."""
        return next((n for n, row in enumerate(self.line, 1) if row.pk == self.mail.pk), 0)

    @property
    def before(self) -> IncomingEmail | None:
        return self.line[self.place - 2] if self.place > 1 else None

    @property
    def after(self) -> IncomingEmail | None:
        return self.line[self.place] if 0 < self.place < len(self.line) else None

    @cached_property
    def addresses(self) -> list[DeskAddress]:
        return list(DeskAddress.objects.filter(is_active=True).select_related("process", "category"))

    @cached_property
    def history(self) -> dict[str, int]:
        """How many other mails of the sender this person may see, up to `queues.MANY`: accepted, held and discarded."""
        if not self.mail.sender:
            return {}
        theirs = (
            IncomingEmail.objects.visible_to(self.user)
            .filter(sender=self.mail.sender)
            .exclude(pk=self.mail.pk)
        )
        counted: Counter[str] = Counter()
        for verdict, decision in theirs.order_by("-id").values_list("verdict", "decision")[: queues.MANY]:
            if verdict in (MailVerdict.TICKET, MailVerdict.MESSAGE) or decision in (
                MailDecision.LET_IN,
                MailDecision.NEW_TICKET,
            ):
                counted["accepted"] += 1
            elif verdict == MailVerdict.QUARANTINE and not decision:
                counted["held"] += 1
            else:
                counted["discarded"] += 1
        return dict(counted)

    @cached_property
    def today(self) -> list[tuple[str, int]]:
        """The figures of the day, of the mails that this person may see, the newest `MOST_COUNTED`."""
        since = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
        rows: Any = IncomingEmail.objects.visible_to(self.user).filter(received_at__gte=since)
        counted: Counter[str] = Counter()
        for verdict, reason in rows.order_by("-id").values_list("verdict", "reason")[:MOST_COUNTED]:
            counted["all"] += 1
            counted["automatic" if verdict == MailVerdict.MESSAGE and reason else verdict] += 1
        return [
            (_("Recibidos"), counted["all"]),
            (_("En tickets"), counted[MailVerdict.TICKET] + counted[MailVerdict.MESSAGE]),
            (_("Automáticos"), counted["automatic"]),
            (_("Avisos de entrega"), counted[MailVerdict.DELIVERY]),
            (_("En cuarentena"), counted[MailVerdict.QUARANTINE]),
            (_("No aceptados"), counted[MailVerdict.REFUSED]),
        ]
