"""The periodic Celery tasks, and their names in the schedule."""

import os
from contextlib import ExitStack
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import pytest
import time_machine
from celery import current_app
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from PIL import Image

from accounts.tests.factories import make_supervisor
from content import batches
from content.files.slots import slot
from content.stores import StoreUnavailable
from demo.models import DemoMail, DemoMailQuerySet
from helpdesk import tasks
from helpdesk.backup import making
from helpdesk.models import Heartbeat
from knowledge.models import Deflection, SolutionPattern
from knowledge.tests.factories import make_article
from notifications.enums import MailState
from notifications.models import OutgoingEmail
from notifications.outgoing import outbox
from notifications.outgoing.holding import hold, release
from notifications.tests.factories import make_mail
from tickets.enums import EventKind, Template
from tickets.models import Attachment, Delivery, GuestToken, Ticket
from tickets.tests.factories import make_ticket
from tickets.tests.playing import review

pytestmark = pytest.mark.django_db

EXPECTED = {
    "notifications.tasks.drain_outbox",
    "notifications.tasks.sweep_outbox",
    "notifications.tasks.collect_mail",
    "helpdesk.tasks.sweep_clocks",
    "helpdesk.tasks.recompute_clocks",
    "helpdesk.tasks.count_days",
    "helpdesk.tasks.index_texts",
    "helpdesk.tasks.mail_links",
    "helpdesk.tasks.mail_reports",
    "helpdesk.tasks.write_exports",
    "helpdesk.tasks.sweep_silence",
    "helpdesk.tasks.clean_up",
    "helpdesk.tasks.refresh_suggestions",
    "helpdesk.tasks.heartbeat",
    "helpdesk.tasks.draw_thumbnails",
    "helpdesk.tasks.scan_held_files",
}


def test_schedule_and_nudges_name_existing_tasks():
    current_app.loader.import_default_modules()
    ours = {name for name in current_app.tasks if name.startswith(("notifications.", "helpdesk."))}

    assert ours == EXPECTED
    assert {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()} <= EXPECTED
    assert {outbox.DRAIN, tasks.DRAW_THUMBNAILS} <= EXPECTED


@pytest.mark.demand("S2.32")
def test_sweep_clocks_mails_a_breach_to_the_supervisor():
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


def test_sweep_silence_closes_and_mails_the_requester():
    ticket, due = make_ticket(), timezone.now() - timedelta(minutes=1)
    Ticket.objects.filter(pk=ticket.pk).update(
        stage="aprobacion",
        stage_kind="closure_approval",
        silence_since=due - timedelta(days=5),
        silence_due_at=due,
        solution_sent_at=due - timedelta(days=5),
    )
    review(ticket, by=make_supervisor())

    tasks.sweep_silence()

    ticket.refresh_from_db()
    assert not ticket.is_open
    assert OutgoingEmail.objects.filter(template=Template.CLOSED, recipient=ticket.requester.email).exists()


def test_heartbeat_updates_a_single_row():
    tasks.heartbeat()
    first = Heartbeat.objects.get().at
    tasks.heartbeat()

    assert Heartbeat.objects.get().at > first


def test_clean_up_deletes_only_what_has_expired():
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


@pytest.mark.demand("S3.20")
def test_suggestions_are_refreshed():
    article = make_article()
    said = Deflection.objects.create(
        process="soporte", article=article, at=timezone.now() - timedelta(days=8)
    )
    old = Deflection.objects.create(
        process="soporte", outcome="counted", at=timezone.now() - timedelta(days=800)
    )
    SolutionPattern.objects.create(digest="x", process="soporte", title="t", text="t", cases=5, customers=5)

    tasks.refresh_suggestions()
    tasks.clean_up()

    said.refresh_from_db()
    assert said.outcome == "counted"
    assert not SolutionPattern.objects.exists()
    assert not Deflection.objects.filter(pk=old.pk).exists()


def test_clean_up_uses_indexes_and_batches(monkeypatch, django_assert_num_queries):
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # For so few rows PostgreSQL would not use an index.
            cursor.execute("SET LOCAL enable_seqscan = off")
    assert "mail_created" in outbox.old_mail().order_by().explain()
    assert "guest_token_expires" in tasks.sweeps.expired_tokens().explain()

    monkeypatch.setattr(batches, "AT_ONCE", 2)
    old, ticket = timezone.now() - timedelta(days=200), make_ticket()
    GuestToken.objects.bulk_create(
        GuestToken(ticket=ticket, purpose="follow", digest=str(number), email="a@b.co", expires_at=old)
        for number in range(5)
    )
    with django_assert_num_queries(4):  # batches of two, two, one and none
        assert tasks.sweeps.forget_expired_tokens() == 5


def test_clean_up_continues_after_a_failing_step(monkeypatch, caplog):
    def broken() -> int:
        raise RuntimeError("disco lleno")

    monkeypatch.setattr(tasks.attachments, "discard_old_drafts", broken)
    Session.objects.create(
        session_key="vieja", session_data="", expire_date=timezone.now() - timedelta(days=1)
    )

    with pytest.raises(tasks.CleanUpFailed, match=r"^discard_old_files$"):
        tasks.clean_up()

    assert not Session.objects.exists()
    assert "discard_old_files failed" in caplog.text


@pytest.mark.parametrize("stays", ["a backup runs", "a restored copy holds its mail"])
def test_clean_up_deletes_no_file_while_files_must_stay(monkeypatch, stays):
    """A copy may share its store with the original desk, whose newer files have no row in the copy."""
    old = timezone.now() - timedelta(days=30)
    name = uuid4().hex
    path = Path(default_storage.path(f"attachments/{name[:2]}/{name}"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"del original")
    os.utime(path, (old.timestamp(), old.timestamp()))
    with monkeypatch.context() as patch:
        if stays == "a backup runs":
            patch.setattr(making, "is_running", lambda: True)
        else:
            hold(backup_at=timezone.now())
        tasks.clean_up()
        for command in ("check_files", "retention"):
            with pytest.raises(CommandError, match=r"backup|restored copy"):
                call_command(command, "--delete")
        assert path.exists()
    release(discard_old=False, by="prueba")
    tasks.clean_up()
    assert not path.exists()


def test_demo_mailbox_keeps_the_newest_mails(monkeypatch):
    monkeypatch.setattr(DemoMailQuerySet.delete_all_but_newest, "__defaults__", (3,))
    for number in range(5):
        DemoMail.objects.create(sender="a", recipient="b", subject=str(number))

    tasks.clean_up()
    assert [mail.subject for mail in DemoMail.objects.all()] == ["4", "3", "2"]
    tasks.clean_up()
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


def test_thumbnails_are_drawn_for_recent_images():
    picture = make_picture()
    old = make_picture(created_at=timezone.now() - timedelta(days=2))

    tasks.draw_thumbnails()

    picture.refresh_from_db()
    old.refresh_from_db()
    assert picture.thumbnail
    assert not old.thumbnail


def test_thumbnails_continue_after_a_lost_file(caplog):
    picture, lost = make_picture(), make_picture()
    lost.file.storage.delete(lost.file.name)

    tasks.draw_thumbnails()

    picture.refresh_from_db()
    assert picture.thumbnail
    assert f"no thumbnail of attachment {lost.pk}" in caplog.text


def test_thumbnails_continue_after_a_store_error(monkeypatch):
    picture, broken = make_picture(), make_picture()
    draw = tasks.attachments.draw_thumbnail

    def failing(attachment: Attachment) -> None:
        if attachment == broken:
            raise StoreUnavailable("SlowDown")
        draw(attachment)

    monkeypatch.setattr(tasks.attachments, "draw_thumbnail", failing)
    tasks.draw_thumbnails()

    picture.refresh_from_db()
    assert picture.thumbnail


def test_thumbnails_wait_for_the_next_run_while_others_are_drawn(settings, tmp_path, caplog):
    settings.VAR_DIR = tmp_path
    pictures = [make_picture(), make_picture()]
    folder = tmp_path / "pictures"
    with ExitStack() as others:
        others.enter_context(slot(folder, "thumbnail", count=1, waiting=0, seconds=0))
        for _each in range(3):
            others.enter_context(slot(folder, "thumbnail-waiting", count=3, waiting=0, seconds=0))
        tasks.draw_thumbnails()
    assert not Attachment.objects.exclude(thumbnail="").exists()
    assert not caplog.records, "it is no fault"

    tasks.draw_thumbnails()

    assert Attachment.objects.exclude(thumbnail="").count() == len(pictures)


def test_image_drawn_twice_has_one_thumbnail():
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
