"""Received mails: who sees them, who decides, and how long they are kept (S0.7)."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from accounts.tests.factories import make_agent, make_department, make_supervisor, make_user
from tickets.enums import MailDecision, MailReason, MailVerdict
from tickets.exceptions import GuardFailed, NotAllowed
from tickets.models import BlockedSender, Delivery, DeskAddress, IncomingEmail, MailOriginal, Ticket
from tickets.workflow import mails, retention

from .factories import make_process, make_ticket
from .test_retention import keep_for, make_closed

pytestmark = pytest.mark.django_db


def make_mail(ticket: Ticket | None = None, **fields: Any) -> IncomingEmail:
    """Keep a mail in quarantine with its original."""
    number = IncomingEmail.objects.count() + 1
    values = {
        "key": f"k{number}",
        "mailbox": "soporte@mesadeayuda.test",
        "sender": "otra@casa.test",
        "sender_name": "Ana Pérez",
        "subject": "Re: No puedo entrar",
        "verdict": MailVerdict.QUARANTINE,
        "reason": MailReason.OTHER_ADDRESS,
        "text": "Sigo sin entrar.",
        "ticket": ticket,
    }
    mail = IncomingEmail.objects.create(**values | fields)
    MailOriginal.keep(mail, b"From: otra@casa.test\r\nX-Secreto: si\r\n\r\nSigo sin entrar.\r\n")
    return mail


def seen_by(user: User) -> set[IncomingEmail]:
    return set(IncomingEmail.objects.visible_to(user))


def test_each_person_sees_the_mails_of_their_tickets():
    own, other = make_department("soporte-tecnico"), make_department("academico")
    process = make_process("incidencia-tecnica")
    mine, theirs = make_ticket(process), make_ticket(process)
    Ticket.objects.filter(pk=mine.pk).update(department=own, assignee=None)
    Ticket.objects.filter(pk=theirs.pk).update(department=other, assignee=None)
    here, there, nowhere = make_mail(mine), make_mail(theirs), make_mail()
    refused = make_mail(verdict=MailVerdict.REFUSED, reason=MailReason.BLOCKED)

    assert seen_by(make_agent(own)) == {here, nowhere}
    assert seen_by(make_supervisor()) == {here, there, nowhere, refused}
    assert seen_by(make_user()) == seen_by(mine.requester) == set()
    assert seen_by(make_agent(own, is_active=False)) == set()


def test_second_decision_says_who_decided_first():
    mail, first = make_mail(), make_agent(name="Carla Ruiz")
    mails.discard(mail, actor=first)

    with pytest.raises(GuardFailed, match="Descartado, por Carla Ruiz"):
        mails.discard(mail, actor=make_agent())


def test_only_supervisors_block_a_domain_and_unblock():
    mail, agent, supervisor = make_mail(), make_agent(), make_supervisor()
    with pytest.raises(NotAllowed):
        mails.discard(mail, actor=agent, block="@casa.test")
    mails.discard(mail, actor=supervisor, block="@casa.test")
    blocked = BlockedSender.objects.get()

    with pytest.raises(NotAllowed):
        mails.unblock(blocked, actor=agent)
    mails.unblock(blocked, actor=supervisor)

    assert not BlockedSender.objects.exists()


@pytest.mark.parametrize("reason", [MailReason.STAFF_UNPROVEN, MailReason.FORGED])
def test_address_of_somebody_else_is_not_blocked(reason):
    mail = make_mail(reason=reason)

    with pytest.raises(GuardFailed, match="la dirección de otra persona"):
        mails.discard(mail, actor=make_agent(), block=mail.sender)

    assert not BlockedSender.objects.exists()
    mail.refresh_from_db()
    assert mail.is_held


def test_addresses_and_domains_of_people_with_an_account_are_not_blocked():
    supervisor = make_supervisor(email="ana@mesa.test")
    make_user(email="eva@correo.test")
    DeskAddress.objects.create(email="soporte@taller.test", process=make_process("incidencia-tecnica"))
    for sender, block in (
        ("ana@mesa.test", "ana@mesa.test"),
        ("otra@mesa.test", "@mesa.test"),
        ("otra@correo.test", "@correo.test"),
        ("soporte@taller.test", "soporte@taller.test"),
        ("otra@taller.test", "@taller.test"),
    ):
        with pytest.raises(GuardFailed):
            mails.discard(make_mail(sender=sender), actor=supervisor, block=block)

    mails.discard(make_mail(sender="eva@correo.test"), actor=supervisor, block="eva@correo.test")

    assert BlockedSender.objects.get().sender == "eva@correo.test"


def test_undoing_unblocks_only_what_this_decision_blocked():
    supervisor = make_supervisor()
    mails.discard(make_mail(), actor=supervisor, block="@casa.test")
    mail = mails.discard(make_mail(), actor=supervisor, block="otra@casa.test")

    mails.take_back(mail, actor=supervisor)

    assert BlockedSender.objects.get().sender == "@casa.test"


def test_only_undecided_and_refused_mails_are_forgotten():
    def old(days: int, **fields: Any) -> IncomingEmail:
        return make_mail(received_at=timezone.now() - timedelta(days=days), **fields)

    recent = old(29)
    decided = old(31, decision=MailDecision.DISCARDED)
    accepted = old(181, verdict=MailVerdict.MESSAGE, reason="")
    refused = old(29, verdict=MailVerdict.REFUSED)
    gone = [old(31), old(31, verdict=MailVerdict.REFUSED)]

    mails.forget_old()

    assert set(IncomingEmail.objects.all()) == {recent, decided, accepted, refused}
    assert not IncomingEmail.objects.filter(pk__in=[row.pk for row in gone]).exists()
    assert set(MailOriginal.objects.values_list("mail", flat=True)) == {recent.pk, decided.pk, refused.pk}


def test_mail_that_is_gone_cannot_be_decided():
    mail = make_mail()
    IncomingEmail.objects.all().delete()

    with pytest.raises(GuardFailed, match="ya se borró"):
        mails.discard(mail, actor=make_agent())


def test_retention_deletes_the_mails_of_a_ticket():
    make_supervisor()
    process = keep_for("mails = 365")
    ticket = make_closed(process)
    message = ticket.messages.order_by("id").first()
    shown = make_mail(ticket, verdict=MailVerdict.MESSAGE, message=message)
    make_mail(ticket)
    elsewhere = make_mail(make_ticket(process))
    Delivery.objects.filter(event__ticket=ticket).delete()  # what is left is the received mails

    retention.sweep()

    assert set(IncomingEmail.objects.all()) == {shown, elsewhere}
    assert list(MailOriginal.objects.values_list("mail", flat=True)) == [elsewhere.pk]
    assert not retention.sweep()
