from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from notifications.enums import MailState
from notifications.models import MailHold, OutgoingEmail
from notifications.outgoing import holding
from notifications.outgoing.outbox import enqueue_account_mail
from notifications.tests.factories import make_mail
from tickets.enums import DeliveryState, Template
from tickets.tests.factories import make_ticket

pytestmark = pytest.mark.django_db


def hold_after(mail: OutgoingEmail) -> None:
    """Hold all mail as a restore does whose backup was made just after `mail` was written."""
    backup_at = timezone.now()
    OutgoingEmail.objects.filter(pk=mail.pk).update(created_at=backup_at - timedelta(minutes=1))
    holding.hold(backup_at=backup_at)


def account_mail(message) -> None:
    enqueue_account_mail(message, template="login_code", user=None, language="es", expires_at=None)


def test_held_mail_stays_in_the_outbox(deliver, mailoutbox):
    from django.core.mail import EmailMultiAlternatives

    mail = make_mail(make_ticket(), Template.PROGRESS)
    hold_after(mail)
    account_mail(EmailMultiAlternatives("Código", "A1B2-C3D4", to=["ana@example.com"]))

    assert deliver() == 0

    assert mailoutbox == []
    assert not OutgoingEmail.objects.exclude(state=MailState.QUEUED).exists()


def test_release_sends_what_waited(deliver, mailoutbox):
    mail = make_mail(make_ticket(), Template.PROGRESS)
    hold_after(mail)

    holding.release(discard_old=False, by="a test")
    deliver()

    assert mail.recipient in [to for message in mailoutbox for to in message.to]
    assert not OutgoingEmail.objects.waiting().exists()
    assert holding.held_mail() is None


def test_release_can_discard_what_the_original_desk_sent(deliver, mailoutbox):
    ticket = make_ticket()
    OutgoingEmail.objects.all().delete()
    old = make_mail(ticket, Template.PROGRESS)
    hold_after(old)
    new = make_mail(ticket, Template.REOPENED)

    assert holding.release(discard_old=True, by="a test") == 1
    deliver()

    assert [message.subject for message in mailoutbox] == [OutgoingEmail.objects.get(pk=new.pk).subject]
    old.refresh_from_db()
    assert (old.state, old.delivery.state) == (MailState.SUPPRESSED, DeliveryState.WITHHELD)


def test_held_mail_counts_what_may_go_twice():
    ticket = make_ticket()
    OutgoingEmail.objects.all().delete()
    hold_after(make_mail(ticket, Template.PROGRESS))
    make_mail(ticket, Template.REOPENED)

    held = holding.held_mail()

    assert held is not None
    assert (held.waiting, held.old) == (2, 1)


def test_command_tells_and_asks_before_it_releases():
    ticket = make_ticket()
    OutgoingEmail.objects.all().delete()
    hold_after(make_mail(ticket, Template.PROGRESS))
    said = StringIO()

    with pytest.raises(CommandError, match="--send-all or --discard-old"):
        call_command("release_mail", stdout=said)

    assert "1 mails wait. 1 of them waited already" in said.getvalue()
    assert MailHold.objects.exists()
    call_command("release_mail", "--discard-old", stdout=said)
    assert "1 mails were discarded" in said.getvalue()
    assert not MailHold.objects.exists()
    call_command("release_mail", "--send-all", stdout=said)
    assert said.getvalue().endswith("Mail is not held: it leaves as usual.\n")
