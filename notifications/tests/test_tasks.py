from datetime import timedelta
from io import BytesIO

import pytest
import time_machine
from celery import current_app
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.files.base import ContentFile
from django.db import connection
from django.utils import timezone
from PIL import Image

from accounts.tests.factories import make_supervisor
from notifications import delivery, tasks
from notifications.enums import MailState
from notifications.models import DemoMail, Heartbeat, OutgoingEmail
from notifications.tests.factories import make_mail
from tickets.enums import EventKind, Template
from tickets.models import Attachment, Delivery, GuestToken, Ticket
from tickets.tests.factories import make_ticket

pytestmark = pytest.mark.django_db

EXPECTED = {
    f"notifications.tasks.{name}"
    for name in (
        "drain_outbox",
        "sweep_outbox",
        "sweep_clocks",
        "sweep_silence",
        "clean_up",
        "heartbeat",
        "draw_thumbnails",
        "scan_held_files",
    )
}


def test_tasks_have_the_names_that_schedule_and_nudges_use():
    current_app.loader.import_default_modules()
    ours = {name for name in current_app.tasks if name.startswith("notifications.")}

    assert ours == EXPECTED
    assert {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()} <= EXPECTED


def test_lease_outlives_the_longest_drain():
    assert delivery.LEASE.total_seconds() > tasks.DRAIN_HARD_LIMIT
    assert delivery.DRAIN_SECONDS < tasks.DRAIN_SOFT_LIMIT < tasks.DRAIN_HARD_LIMIT
    assert tasks.drain_outbox.time_limit == tasks.DRAIN_HARD_LIMIT


def test_drain_sends_what_waits(mailoutbox):
    ticket = make_ticket()

    tasks.drain_outbox()

    assert [mail.to for mail in mailoutbox] == [[ticket.requester.email]]
    assert OutgoingEmail.objects.get().state == MailState.SENT


def test_sweep_takes_back_what_a_dead_worker_held():
    make_ticket()
    delivery.claim()
    OutgoingEmail.objects.update(lease_until=timezone.now() - timedelta(seconds=1))

    tasks.sweep_outbox()

    assert OutgoingEmail.objects.get().state == MailState.QUEUED


@pytest.mark.demand("S2.32")
def test_sweep_of_the_clocks_tells_the_supervisor_of_a_breach():
    supervisor = make_supervisor()
    ticket = make_ticket()

    with time_machine.travel(timezone.now() + timedelta(days=40)):
        tasks.sweep_clocks()
        told = list(
            OutgoingEmail.objects.filter(template=Template.BREACHED).values_list("recipient", flat=True)
        )
        tasks.sweep_clocks()

    assert set(told) == {supervisor.email}
    assert len(told) == OutgoingEmail.objects.filter(template=Template.BREACHED).count()
    assert len(told) <= ticket.events.filter(kind=EventKind.BREACHED).count()


def test_sweep_of_silence_closes_and_tells_the_requester():
    ticket, due = make_ticket(), timezone.now() - timedelta(minutes=1)
    Ticket.objects.filter(pk=ticket.pk).update(
        stage="aprobacion",
        stage_kind="closure_approval",
        silence_since=due - timedelta(days=5),
        silence_due_at=due,
    )

    tasks.sweep_silence()

    ticket.refresh_from_db()
    assert not ticket.is_open
    assert OutgoingEmail.objects.filter(template=Template.CLOSED, recipient=ticket.requester.email).exists()


def test_heartbeat_is_one_row_that_moves():
    tasks.heartbeat()
    first = Heartbeat.objects.get().at
    tasks.heartbeat()

    assert Heartbeat.objects.get().at > first


def test_oldest_waiting_is_what_should_have_left_by_now():
    assert OutgoingEmail.objects.oldest_waiting() is None
    late, put_off = make_mail(make_ticket(), Template.PROGRESS), make_mail(make_ticket(), Template.PROGRESS)
    hour_ago = timezone.now() - timedelta(hours=1)
    OutgoingEmail.objects.update(state=MailState.SENT)
    OutgoingEmail.objects.filter(pk=put_off.pk).update(
        state=MailState.QUEUED, created_at=hour_ago, next_attempt_at=timezone.now() + timedelta(hours=1)
    )
    assert OutgoingEmail.objects.oldest_waiting() is None, "put off on purpose is not late"

    OutgoingEmail.objects.filter(pk=late.pk).update(state=MailState.STARTED, next_attempt_at=hour_ago)
    assert OutgoingEmail.objects.oldest_waiting() == hour_ago


def test_clean_up_forgets_what_has_expired_and_nothing_else():
    old = timezone.now() - timedelta(days=200)
    ticket = make_ticket()
    kept = OutgoingEmail.objects.get()
    gone, waiting = make_mail(ticket, Template.PROGRESS), make_mail(ticket, Template.REPLY)
    OutgoingEmail.objects.filter(pk=gone.pk).update(state=MailState.SENT, created_at=old)
    OutgoingEmail.objects.filter(pk=waiting.pk).update(created_at=old)
    GuestToken.objects.create(ticket=ticket, purpose="follow", digest="a", email="a@b.co", expires_at=old)
    valid = GuestToken.objects.create(
        ticket=ticket,
        purpose="follow",
        digest="b",
        email="a@b.co",
        expires_at=timezone.now() + timedelta(days=1),
    )
    Session.objects.create(session_key="vieja", session_data="", expire_date=old)
    Session.objects.create(
        session_key="nueva", session_data="", expire_date=timezone.now() + timedelta(days=1)
    )

    tasks.clean_up()

    assert set(OutgoingEmail.objects.all()) == {kept, waiting}
    assert Delivery.objects.filter(pk=gone.delivery_id).exists(), "the ticket remembers"
    assert list(GuestToken.objects.all()) == [valid]
    assert [session.session_key for session in Session.objects.all()] == ["nueva"]


def test_clean_up_is_answered_by_indexes_and_works_in_pieces(monkeypatch, django_assert_num_queries):
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")  # a handful of rows is read faster without
    assert "mail_created" in tasks.old_mail().order_by().explain()
    assert "guest_token_expires" in tasks.sweeps.expired_tokens().explain()

    monkeypatch.setattr(tasks.sweeps, "FORGOTTEN_AT_ONCE", 2)
    old, ticket = timezone.now() - timedelta(days=200), make_ticket()
    GuestToken.objects.bulk_create(
        GuestToken(ticket=ticket, purpose="follow", digest=str(number), email="a@b.co", expires_at=old)
        for number in range(5)
    )
    with django_assert_num_queries(4):  # two, two, one, and none left
        assert tasks.sweeps.forget_expired_tokens() == 5


def test_clean_up_goes_on_when_one_step_fails(monkeypatch, caplog):
    def broken() -> int:
        raise RuntimeError("disco lleno")

    monkeypatch.setattr(tasks.attachments, "discard_old_drafts", broken)
    Session.objects.create(
        session_key="vieja", session_data="", expire_date=timezone.now() - timedelta(days=1)
    )

    tasks.clean_up()

    assert not Session.objects.exists()
    assert "broken failed" in caplog.text


def test_demo_mailbox_keeps_the_newest(monkeypatch):
    monkeypatch.setattr(tasks, "DEMO_MAILS_KEPT", 3)
    for number in range(5):
        DemoMail.objects.create(sender="a", recipient="b", subject=str(number))

    tasks.forget_old_demo_mail()
    assert [mail.subject for mail in DemoMail.objects.all()] == ["4", "3", "2"]
    tasks.forget_old_demo_mail()
    assert DemoMail.objects.count() == 3


def make_picture(**fields) -> Attachment:
    buffer = BytesIO()
    Image.new("RGB", (900, 600), "teal").save(buffer, "PNG")
    picture = Attachment(
        name="foto.png", kind="image", content_type="image/png", size=1, sha256="0", draft_key="k", **fields
    )
    picture.file.save("foto.png", ContentFile(buffer.getvalue()), save=False)
    picture.save()
    return picture


def test_thumbnails_are_drawn_for_recent_pictures():
    picture = make_picture()
    old = make_picture(created_at=timezone.now() - timedelta(days=2))

    tasks.draw_thumbnails()

    picture.refresh_from_db()
    old.refresh_from_db()
    assert picture.thumbnail
    assert not old.thumbnail


def test_picture_whose_file_is_lost_keeps_no_other_from_its_thumbnail(caplog):
    picture, lost = make_picture(), make_picture()
    lost.file.storage.delete(lost.file.name)

    tasks.draw_thumbnails()

    picture.refresh_from_db()
    assert picture.thumbnail
    assert f"no small picture of attachment {lost.pk}" in caplog.text


def test_a_store_that_fails_on_one_picture_keeps_no_other_from_its_thumbnail(monkeypatch):
    picture, broken = make_picture(), make_picture()
    draw = tasks.attachments.draw_thumbnail

    def failing(attachment: Attachment) -> None:
        if attachment == broken:
            raise RuntimeError("SlowDown")  # what object stores raise is no OSError
        draw(attachment)

    monkeypatch.setattr(tasks.attachments, "draw_thumbnail", failing)
    tasks.draw_thumbnails()

    picture.refresh_from_db()
    assert picture.thumbnail


def test_two_workers_on_one_picture_leave_one_thumbnail():
    picture = make_picture()
    same = Attachment.objects.get(pk=picture.pk)
    gone = make_picture()
    Attachment.objects.filter(pk=gone.pk).delete()

    for attachment in (picture, same, gone):
        tasks.attachments.draw_thumbnail(attachment)

    picture.refresh_from_db()
    storage = picture.thumbnail.storage
    for kept, count in ((picture, 1), (gone, 0)):
        folder = f"thumbnails/{kept.uuid.hex[:2]}"
        names = storage.listdir(folder)[1] if storage.exists(folder) else []
        assert sum(name.startswith(kept.uuid.hex) for name in names) == count
    assert storage.exists(picture.thumbnail.name)
