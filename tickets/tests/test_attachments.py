"""Uploaded files: checked against the process's limits, drafts until they are sent, deleted if never sent (T4)."""

import io
import tempfile
from contextlib import suppress
from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image

from accounts.tests.factories import make_agent, make_department, make_user
from content.errors import InvalidData
from content.files import RefusedFile
from content.files.rules import filesize
from content.tests import hostile_files
from tickets import attachments
from tickets.attachments import keep_draft, rules_for
from tickets.definitions.definition import FileLimits
from tickets.models import Attachment, ReportDraft
from tickets.tests.factories import make_process, make_ticket
from tickets.workflow.conversation import add_internal_note, reply, send_follow_up

pytestmark = pytest.mark.django_db


def picture(colour="red"):
    content = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(content, "PNG")
    content.seek(0)
    return content


def keep(process="incidencia-tecnica", *, name="captura.png", content=None, key="k", actor=None, visitor=""):
    limits = make_process(process).definition.files
    file = content or picture()
    return keep_draft(file, name=name, draft_key=key, actor=actor, limits=limits, visitor=visitor)


@pytest.mark.demand("S0.11", "S1.8", "S3.8")
@pytest.mark.parametrize(
    ("process", "takes_documents"),
    [("incidencia-tecnica", False), ("reparacion-de-dispositivo", True), ("solicitud-guiada", True)],
)
def test_process_decides_the_kinds_of_files(process, takes_documents):
    assert keep(process).kind == "image"
    document = io.BytesIO(b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n")
    if takes_documents:
        assert keep(process, name="informe.pdf", content=document).kind == "document"
    else:
        with pytest.raises(RefusedFile):
            keep(process, name="informe.pdf", content=document)


@pytest.mark.demand("S3.8")
def test_one_file_too_many_is_refused():
    for _each in range(3):
        keep("solicitud-guiada")
    with pytest.raises(RefusedFile, match="hasta 3 archivos"):
        keep("solicitud-guiada")
    assert keep("solicitud-guiada", key="otra").draft_key == "otra"


def test_no_more_files_are_inspected_than_a_message_may_have():
    limits = make_process("solicitud-guiada").definition.files
    broken = [SimpleUploadedFile(f"{number}.png", b"no es una imagen") for number in range(3)]
    good = SimpleUploadedFile("buena.png", picture().read())

    problems = attachments.keep_drafts([*broken, good], draft_key="k", actor=None, limits=limits)

    assert [problem.split(":")[0] for problem in problems] == ["0.png", "1.png", "2.png", "buena.png"]
    assert problems[-1] == "buena.png: Puedes adjuntar hasta 3 archivos."
    assert not Attachment.objects.exists()
    assert attachments.keep_drafts([good], draft_key="k", actor=None, limits=limits) == []


@pytest.mark.parametrize("name", ["a.png", "a.zip", "a.pdf"])
@pytest.mark.parametrize("content", [hostile_files.image("PNG"), hostile_files.PDF, b"roto"])
def test_upload_leaves_no_temporary_file(name, content, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with suppress(RefusedFile):
        keep("solicitud-guiada", name=name, content=io.BytesIO(content))

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("who", ["user", "visitor"])
def test_unsent_files_per_person_are_limited_in_bytes(who, settings, django_assert_num_queries):
    settings.DESK_MAX_UNSENT_MB = 1
    me = {"actor": make_user()} if who == "user" else {"visitor": "203.0.113.7"}
    other = {"actor": make_user()} if who == "user" else {"visitor": "203.0.113.8"}
    first = keep(key="a", **me)
    Attachment.objects.filter(pk=first.pk).update(size=1024 * 1024)

    with pytest.raises(RefusedFile, match="hasta 1 MB"):
        keep(key="b", **me)
    assert keep(key="b", **other).size

    first.refresh_from_db()
    assert first.draft_key == "a", "the refused upload leaves earlier drafts"
    if who == "user":
        make_ticket(make_process("incidencia-tecnica"), requester=me["actor"], draft_key="a")
    else:
        attachments.discard_draft("a", str(first.uuid), actor=None)
    limits = make_process("incidencia-tecnica").definition.files
    with django_assert_num_queries(4):  # the count, the bytes, the insert, the name of the file
        keep_draft(picture(), name="a.png", draft_key="c", limits=limits, **{"actor": None, **me})


def test_adopted_drafts_count_towards_the_users_limit(settings):
    settings.DESK_MAX_UNSENT_MB = 1
    user, mine = make_user(), keep(key="k", visitor="203.0.113.7")
    Attachment.objects.filter(pk=mine.pk).update(size=1024 * 1024)

    attachments.adopt_drafts("k", user=user)

    assert keep(key="b", visitor="203.0.113.7").size
    with pytest.raises(RefusedFile, match="sin enviar"):
        keep(key="c", actor=user)


def test_filing_attaches_drafts_to_the_report():
    customer = make_user()
    kept = keep(actor=customer)
    ticket = make_ticket(make_process("incidencia-tecnica"), requester=customer, draft_key="k")
    kept.refresh_from_db()
    assert (kept.ticket, kept.message, kept.draft_key) == (ticket, ticket.messages.get(), "")


@pytest.mark.demand("S0.11", "S1.8", "S3.8")
def test_report_rechecks_files_against_its_process():
    """Somebody may upload files for one type of request and then choose another."""
    customer, process = make_user(), make_process("solicitud-guiada")
    for key, kind, size in (("kind", "video", 9), ("size", "archive", 11 * 1024**2)):
        Attachment.objects.filter(pk=keep(key=key, actor=customer).pk).update(kind=kind, size=size)
        with pytest.raises(InvalidData) as refused:
            make_ticket(process, requester=customer, draft_key=key)
        (sentence,) = refused.value.errors["files"]
        assert sentence.startswith(
            "«captura.png» no se puede adjuntar aquí. Hasta 3 archivos de 10\xa0MB: imagen"
        )
    for _each in range(4):
        keep(key="many", actor=customer)
    with pytest.raises(InvalidData) as refused:
        make_ticket(process, requester=customer, draft_key="many")
    assert refused.value.errors == {"files": ["Puedes adjuntar hasta 3 archivos."]}


def test_public_messages_keep_to_the_limits_of_the_process():
    """Whoever writes, and whatever the message: only internal notes take what the process refuses."""
    customer, agent = make_user(), make_agent(make_department("soporte-tecnico"))
    ticket = make_ticket(make_process("incidencia-tecnica"), requester=customer)  # images and videos

    def send(write, actor):
        keep("reporte-de-incidentes", name="salida.txt", content=io.BytesIO(b"Error 500"), actor=actor)
        write(ticket, actor=actor, body="Esto es lo que sale.", draft_key="k")

    for write, actor in ((reply, customer), (send_follow_up, agent)):
        with pytest.raises(InvalidData) as refused:
            send(write, actor)
        (sentence,) = refused.value.errors["files"]
        assert sentence.startswith(
            "«salida.txt» no se puede adjuntar aquí. Hasta 5 archivos de 25\xa0MB: imagen"
        )
        Attachment.objects.all().delete()
    send(add_internal_note, agent)
    assert ticket.attachments.get().name == "salida.txt"


def test_image_that_grew_in_reencoding_is_accepted():
    customer = make_user()
    Attachment.objects.filter(pk=keep(actor=customer).pk).update(size=11 * 1024**2)

    assert make_ticket(
        make_process("solicitud-guiada"), requester=customer, draft_key="k"
    ).attachments.exists()


def test_pixel_limit_of_the_desk_may_be_higher_than_ours(settings):
    """It counts for the thumbnail too."""
    large = io.BytesIO(hostile_files.huge_png(6400))
    with pytest.raises(RefusedFile, match="6400 × 6400"):
        keep(content=large)

    settings.DESK_MAX_IMAGE_PIXELS = 41_000_000
    kept = keep(content=large)
    attachments.draw_thumbnail(kept)
    assert kept.thumbnail


@pytest.mark.parametrize("name", ["captura.png", "captura.gif"])
def test_stored_picture_is_the_reencoded_one(name):
    marked = io.BytesIO(hostile_files.image("PNG") + b"nota privada")

    kept = keep(name=name, content=marked)

    with kept.file.open() as file:
        stored = file.read()
    assert (kept.name, kept.content_type, kept.size) == ("captura.png", "image/png", len(stored))
    assert b"nota privada" not in stored


def test_only_the_uploader_discards_a_draft():
    owner, stranger = make_user(), make_user()
    kept = keep(actor=owner)
    path = kept.file.name
    for actor, key in ((stranger, "k"), (None, "k"), (owner, "otra"), (owner, "")):
        attachments.discard_draft(key, str(kept.uuid), actor=actor)
    assert Attachment.objects.filter(pk=kept.pk).exists()
    attachments.discard_draft("k", str(kept.uuid), actor=owner)
    assert not Attachment.objects.filter(pk=kept.pk).exists()
    assert not default_storage.exists(path)


def test_adopt_drafts_takes_only_drafts_without_uploader():
    guests, others = keep(key="k"), keep(key="k", actor=make_user())
    user = make_user()
    attachments.adopt_drafts("k", user=user)
    guests.refresh_from_db()
    others.refresh_from_db()
    assert (guests.uploader, others.uploader == user) == (user, False)


def test_unsent_files_are_deleted_after_a_day():
    old, fresh, sent = keep(key="a"), keep(key="b"), keep(key="c")
    Attachment.objects.filter(pk=sent.pk).update(ticket=make_ticket(), draft_key="")
    long_ago = timezone.now() - timedelta(hours=attachments.DRAFT_HOURS, minutes=1)
    Attachment.objects.filter(pk__in=[old.pk, sent.pk]).update(created_at=long_ago)
    assert attachments.discard_old_drafts() == 1
    assert set(Attachment.objects.values_list("pk", flat=True)) == {fresh.pk, sent.pk}
    assert not default_storage.exists(old.file.name)


def test_files_of_an_unsent_report_live_as_long_as_its_text():
    written, sent, discarded = (
        ReportDraft.objects.create(code=name, visitor="v", values={"title": ["x"]}, **columns)
        for name, columns in (("a", {}), ("b", {"folio": "MA-1"}), ("c", {"discarded_at": timezone.now()}))
    )
    files = {draft.code: keep(key=draft.files_key) for draft in (written, sent, discarded)}
    Attachment.objects.update(created_at=timezone.now() - timedelta(days=3))
    assert attachments.discard_old_drafts() == 2
    assert list(Attachment.objects.all()) == [files["a"]]
    written.delete()
    assert attachments.discard_old_drafts() == 1


def test_sweep_keeps_a_file_sent_meanwhile(monkeypatch):
    """The sweep has read the row as a draft; the file is sent before the sweep deletes it."""
    kept = keep()
    Attachment.objects.update(created_at=timezone.now() - timedelta(days=2))
    old = Attachment.objects.filter(ticket__isnull=True)
    rows = list(old)
    Attachment.objects.update(ticket=make_ticket(), draft_key="")
    monkeypatch.setattr(type(old), "__iter__", lambda self: iter(rows))

    assert attachments.discard_old_drafts() == 0
    assert default_storage.exists(kept.file.name)


def test_sweep_of_an_absent_store_goes_on_later(bucket, caplog):
    kept = [keep(key="a"), keep(key="b")]
    Attachment.objects.update(created_at=timezone.now() - timedelta(days=2))
    bucket.take_away()

    assert attachments.discard_old_drafts() == 1, "it does not wait for every file"
    assert "stays in the store" in caplog.text

    bucket.come_back()
    assert attachments.discard_old_drafts() == 1
    assert not Attachment.objects.exists()
    assert bucket.names() == {kept[0].file.name}, "stored_files.sweep deletes it"


def test_empty_draft_key_has_no_drafts():
    keep(key="k")
    assert not Attachment.objects.drafts("").exists()


def test_rules_print_the_limit_like_filesize():
    rules = rules_for(FileLimits(max_mb=10))

    assert filesize(rules.max_bytes) == "10\xa0MB"
    assert f" de {filesize(rules.max_bytes)}: " in str(rules)
