"""Files on their way in: held to the process's limits, nobody's until sent, gone when forgotten (T4)."""

import io
from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone
from PIL import Image

from tickets import attachments
from tickets.attachments import keep_draft
from tickets.files import RefusedFile
from tickets.models import Attachment
from tickets.tests.factories import make_process, make_ticket, make_user

pytestmark = pytest.mark.django_db


def picture(colour="red"):
    content = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(content, "PNG")
    content.seek(0)
    return content


def keep(process="incidencia-tecnica", *, name="captura.png", content=None, key="k", actor=None):
    limits = make_process(process).definition.files
    return keep_draft(content or picture(), name=name, draft_key=key, actor=actor, limits=limits)


@pytest.mark.demand("S0.11", "S1.8", "S3.8")
@pytest.mark.parametrize(
    ("process", "takes_documents"),
    [("incidencia-tecnica", False), ("reparacion-de-dispositivo", True), ("solicitud-guiada", True)],
)
def test_process_says_which_files_it_takes(process, takes_documents):
    assert keep(process).kind == "image"
    document = io.BytesIO(b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n")
    if takes_documents:
        assert keep(process, name="informe.pdf", content=document).kind == "document"
    else:
        with pytest.raises(RefusedFile):
            keep(process, name="informe.pdf", content=document)


@pytest.mark.demand("S3.8")
def test_one_file_too_many_is_refused_with_the_number():
    for _each in range(3):
        keep("solicitud-guiada")
    with pytest.raises(RefusedFile, match="hasta 3 archivos"):
        keep("solicitud-guiada")
    assert keep("solicitud-guiada", key="otra").draft_key == "otra"


def test_files_come_with_the_report_and_stay_with_it():
    customer = make_user()
    kept = keep(actor=customer)
    ticket = make_ticket(make_process("incidencia-tecnica"), requester=customer, draft_key="k")
    kept.refresh_from_db()
    assert (kept.ticket, kept.message, kept.draft_key) == (ticket, ticket.messages.get(), "")


def test_only_the_uploader_takes_a_draft_back():
    owner, stranger = make_user(), make_user()
    kept = keep(actor=owner)
    path = kept.file.name
    for actor, key in ((stranger, "k"), (None, "k"), (owner, "otra"), (owner, "")):
        attachments.discard_draft(key, str(kept.uuid), actor=actor)
    assert Attachment.objects.filter(pk=kept.pk).exists()
    attachments.discard_draft("k", str(kept.uuid), actor=owner)
    assert not Attachment.objects.filter(pk=kept.pk).exists()
    assert not default_storage.exists(path)


def test_what_was_uploaded_before_signing_in_becomes_the_persons():
    guests, others = keep(key="k"), keep(key="k", actor=make_user())
    user = make_user()
    attachments.adopt_drafts("k", user=user)
    guests.refresh_from_db()
    others.refresh_from_db()
    assert (guests.uploader, others.uploader == user) == (user, False)


def test_files_that_were_never_sent_are_thrown_away_after_a_day():
    old, fresh, sent = keep(key="a"), keep(key="b"), keep(key="c")
    Attachment.objects.filter(pk=sent.pk).update(ticket=make_ticket(), draft_key="")
    long_ago = timezone.now() - timedelta(hours=attachments.DRAFT_HOURS, minutes=1)
    Attachment.objects.filter(pk__in=[old.pk, sent.pk]).update(created_at=long_ago)
    assert attachments.discard_old_drafts() == 1
    assert set(Attachment.objects.values_list("pk", flat=True)) == {fresh.pk, sent.pk}
    assert not default_storage.exists(old.file.name)


def test_empty_key_holds_nothing():
    keep(key="k")
    assert not Attachment.objects.drafts("").exists()
