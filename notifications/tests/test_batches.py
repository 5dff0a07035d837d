"""Mails leave in batches: one bad mail affects no other, and a killed worker leaves at most one mail in doubt."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.enums import Role
from accounts.tests.factories import make_supervisor, make_user
from notifications.enums import MailState
from notifications.models import MailBatch, OutgoingEmail
from notifications.outgoing import composing, delivery, outcomes
from notifications.tests.factories import make_mail
from notifications.tests.sink import HANG_UP
from tickets.enums import DeliveryProblem, DeliveryState, Template
from tickets.models import GuestToken, Ticket
from tickets.requesters import guests
from tickets.tests.factories import make_process, make_ticket

pytestmark = pytest.mark.django_db


def make_mails(count: int, template: Template = Template.PROGRESS) -> list[OutgoingEmail]:
    """Make the only mails in the outbox, each about a ticket of its own."""
    mails = [make_mail(make_ticket(), template) for _number in range(count)]
    OutgoingEmail.objects.exclude(pk__in=[mail.pk for mail in mails]).delete()
    return mails


def states(mails: list[OutgoingEmail]) -> list[str]:
    rows = OutgoingEmail.objects.in_bulk([mail.pk for mail in mails])
    return [rows[mail.pk].state for mail in mails]


def leave_behind(*, answered: int, started: int) -> None:
    """Claim the due mails as a worker does that was killed some time ago."""
    assert outcomes.claim(100)
    MailBatch.objects.update(
        answered=answered, started=started, lease_until=timezone.now() - timedelta(seconds=1)
    )


# --- Killed workers ---------------------------------------------------------------------------------------


def test_only_the_mail_in_hand_of_a_killed_worker_is_in_doubt(sink):
    mails = make_mails(5)
    leave_behind(answered=2, started=3)

    assert outcomes.sweep() == 5

    assert states(mails) == ["sent", "sent", "queued", "queued", "queued"]
    rows = OutgoingEmail.objects.in_bulk()
    assert [rows[mail.pk].is_second_copy for mail in mails] == [False, False, True, False, False]
    assert [rows[mail.pk].delivery.state for mail in mails[:3]] == ["sent", "sent", "waiting"]
    assert [rows[mail.pk].sent_at is not None for mail in mails] == [True, True, False, False, False]
    assert not MailBatch.objects.exists()
    assert delivery.drain() == 3
    assert sorted(sink.ids) == sorted(mail.message_id for mail in mails[2:])


def test_survey_in_hand_becomes_uncertain_and_one_behind_it_leaves(sink):
    surveys = make_mails(2, Template.SURVEY)
    Ticket.objects.update(stage="cerrado", stage_kind="done")
    leave_behind(answered=0, started=1)

    outcomes.sweep()
    delivery.drain()

    assert states(surveys) == [MailState.UNCERTAIN, MailState.SENT]
    assert sink.ids == [surveys[1].message_id]


def test_mail_deleted_with_its_ticket_does_not_stop_the_sweep():
    kept, gone = make_mails(2)
    leave_behind(answered=0, started=0)
    OutgoingEmail.objects.filter(pk=gone.pk).delete()

    assert outcomes.sweep() == 1
    assert states([kept]) == ["queued"]
    assert not MailBatch.objects.exists()


def test_mails_claimed_by_an_earlier_release_are_taken_back(sink):
    if connection.vendor == "postgresql":  # there such workers cannot claim any more; these did so before
        with connection.cursor() as cursor:
            cursor.execute(
                "ALTER TABLE notifications_outgoingemail DROP CONSTRAINT mail_is_claimed_in_batches"
            )
    unstarted, started = make_mails(2)
    for mail, state in ((unstarted, MailState.SENDING), (started, MailState.STARTED)):
        OutgoingEmail.objects.filter(pk=mail.pk).update(
            state=state,
            attempts=1,
            claim="11111111111111111111111111111111",
            lease_until=timezone.now() - timedelta(seconds=1),
        )

    assert outcomes.sweep() == 2
    assert delivery.drain() == 2
    assert OutgoingEmail.objects.get(pk=started.pk).is_second_copy


def test_mail_whose_doubt_could_not_be_stored_is_left_to_the_sweep(sink, monkeypatch):
    """It may have left, so it must not go back to the queue as if it had not."""
    mails = make_mails(3)
    sink.answers_data.extend(["250 OK", HANG_UP])

    def fail(*args, **kwargs):
        raise OperationalError("the database is away")

    with monkeypatch.context() as patch:
        patch.setattr(outcomes, "settle_unknown", fail)
        with pytest.raises(OperationalError):
            delivery.drain()

    assert states(mails) == ["sent", "queued", "queued"]
    rows = OutgoingEmail.objects.in_bulk()
    assert [rows[mail.pk].claim is None for mail in mails] == [True, False, True]
    MailBatch.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    outcomes.sweep()
    doubtful = OutgoingEmail.objects.get(pk=mails[1].pk)
    assert (doubtful.is_second_copy, doubtful.claim) == (True, None)


def test_batch_whose_outcome_could_not_be_stored_is_left_to_the_sweep():
    make_mails(2)
    claim = outcomes.claim(10)

    claim.end()

    assert MailBatch.objects.get().token == claim.token


def test_worker_of_an_earlier_release_cannot_claim_any_more():
    [mail] = make_mails(1)
    if connection.vendor != "postgresql":
        return  # the embedded size stops before it migrates

    with pytest.raises(IntegrityError), transaction.atomic():
        OutgoingEmail.objects.filter(pk=mail.pk).update(state=MailState.SENDING)


# --- Bad mails --------------------------------------------------------------------------------------------


def test_bad_mails_neither_stop_nor_repeat_the_others(sink):
    mails = make_mails(6)
    broken, outdated, refused, postponed = (mail.pk for mail in mails[1:5])
    OutgoingEmail.objects.filter(pk=broken).update(template="no_such_mail")
    OutgoingEmail.objects.filter(pk=outdated).update(template=Template.SURVEY)
    sink.answers_data.extend(["250 OK", "550 5.7.1 refused", "451 later"])

    assert delivery.drain() == 2

    assert states(mails) == ["sent", "queued", "suppressed", "failed", "queued", "sent"]
    rows = OutgoingEmail.objects.in_bulk()
    assert rows[broken].delivery.problem == DeliveryProblem.BROKEN
    assert rows[refused].delivery.problem == DeliveryProblem.REFUSED
    assert rows[postponed].delivery.problem == DeliveryProblem.LATER
    assert sorted(sink.ids) == sorted([mails[0].message_id, mails[5].message_id])
    assert not MailBatch.objects.exists()


def test_mail_without_links_keeps_no_other_from_its_link(sink, monkeypatch):
    guests_mails = [make_mail(guest_ticket(number), Template.PROGRESS) for number in range(3)]
    OutgoingEmail.objects.exclude(pk__in=[mail.pk for mail in guests_mails]).delete()
    new_link = guests.new_link

    def failing(ticket, **kwargs):
        if ticket.pk == guests_mails[1].ticket_id:
            raise RuntimeError("broken")
        return new_link(ticket, **kwargs)

    monkeypatch.setattr(guests, "new_link", failing)

    assert delivery.drain() == 2

    assert states(guests_mails) == ["sent", "queued", "sent"]
    assert set(GuestToken.objects.values_list("ticket", flat=True)) == {
        guests_mails[0].ticket_id,
        guests_mails[2].ticket_id,
    }
    text = sink.mails[0].get_body(("plain",)).get_content()
    assert guests.redeem(text.split("/enlace/")[1].split("/")[0]).ticket_id == guests_mails[0].ticket_id


def guest_ticket(number: int) -> Ticket:
    return make_ticket(make_process("incidencia-tecnica"), guest_email=f"invitada{number}@example.com")


# --- Batches ----------------------------------------------------------------------------------------------


def test_each_reader_gets_their_own_language_and_name(sink):
    people = [make_user(language=language) for language in ("es", "en", "es")]
    for person in people:
        make_ticket(requester=person)

    delivery.drain()

    subjects = {str(mail["To"]): str(mail["Subject"]) for mail in sink.mails}
    assert ["Recibimos" in subjects[person.email] for person in people] == [True, False, True]
    assert "We received your request" in subjects[people[1].email]


def test_readers_of_one_event_share_nothing_of_their_mail(sink):
    staff = [
        make_supervisor(name=name, language=language) for name, language in (("Ana", "es"), ("Bo", "en"))
    ]
    make_ticket(title="Sin acceso")

    delivery.drain()

    texts = {str(mail["To"]): mail.get_body(("plain",)).get_content() for mail in sink.mails}
    assert "Hola, Ana." in texts[staff[0].email]
    assert "Hello, Bo." in texts[staff[1].email]


def test_mail_of_a_batch_costs_a_constant_number_of_queries(sink):
    def queries(count: int) -> int:
        for _number in range(count):
            make_ticket(requester=make_user())
            guest_ticket(GuestToken.objects.count() + _number)
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert delivery.drain() == 2 * count
        return len(captured)

    queries(1)
    few, many = queries(2), queries(4)
    # one note for each mail, and two questions whether a guest's address is verified
    assert many - few == 4 + 2 * 2


def test_connection_is_kept_for_all_batches(sink, monkeypatch):
    monkeypatch.setattr(delivery, "FIRST_BATCH", 1)
    make_mails(7)

    assert delivery.drain() == 7
    assert sink.connections == 1


@pytest.mark.parametrize("end", [HANG_UP, "421 4.7.0 Too many messages on this connection"])
def test_mail_behind_a_closed_connection_leaves_over_a_new_one(sink, end):
    mails = make_mails(3)
    sink.answers_rcpt.extend(["250 OK", end])

    assert delivery.drain() == 3

    assert states(mails) == ["sent"] * 3
    assert set(OutgoingEmail.objects.values_list("attempts", flat=True)) == {1}
    assert sink.connections == 2
    assert sorted(sink.ids) == sorted(mail.message_id for mail in mails)


def test_settled_deliveries_of_a_batch_are_sent(sink):
    mails = make_mails(3)

    delivery.drain()

    assert {mail.delivery.state for mail in OutgoingEmail.objects.in_bulk().values()} == {DeliveryState.SENT}
    assert all(mail.subject for mail in OutgoingEmail.objects.all())
    assert len(mails) == 3


def test_staff_who_left_get_no_mail_of_the_batch(sink):
    staying, leaving = make_supervisor(), make_supervisor()
    make_ticket()
    leaving.role = Role.CUSTOMER
    leaving.save()

    delivery.drain()

    assert staying.email in sink.recipients
    assert leaving.email not in sink.recipients


def test_rows_that_are_gone_are_left_out():
    mails = make_mails(2)
    OutgoingEmail.objects.filter(pk=mails[0].pk).delete()

    assert [mail.pk for mail in composing.load_all([mails[1].pk, mails[0].pk])] == [mails[1].pk]
