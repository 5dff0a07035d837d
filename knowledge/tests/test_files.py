"""Pictures and files of articles: inspected like every upload, and named so that the text can show them."""

from datetime import timedelta
from io import BytesIO

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone
from PIL import Image

from accounts.enums import Role
from accounts.tests.factories import make_user
from content.files import RefusedFile
from knowledge import files
from knowledge.exceptions import NotAllowed
from knowledge.models import ArticleFile
from knowledge.tests.factories import make_draft, make_supervisor

pytestmark = pytest.mark.django_db


def png(size=(30, 20)):
    stream = BytesIO()
    Image.new("RGB", size, "teal").save(stream, "PNG", pnginfo=None)
    return ContentFile(stream.getvalue())


def keep(article, content=None, name="Captura de pantalla (1).png", actor=None):
    return files.keep(content or png(), name=name, article=article, actor=actor or make_supervisor())


def test_picture_gets_a_name_that_a_text_can_write():
    article = make_draft()

    first, second = keep(article), keep(article)

    assert (first.name, second.name) == ("captura-de-pantalla-1.png", "captura-de-pantalla-1-2.png")
    assert (first.width, first.height, first.kind) == (30, 20, "image")
    assert first.file.name == f"articles/{first.uuid.hex[:2]}/{first.uuid.hex}"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("pagina.html", b"<script>alert(1)</script>"),
        ("dibujo.svg", b"<svg onload='alert(1)'/>"),
        ("captura.png.exe", b"MZ"),
        ("vacia.png", b""),
    ],
)
def test_what_no_upload_may_be_is_refused(name, content):
    article = make_draft()

    with pytest.raises(RefusedFile):
        keep(article, ContentFile(content), name=name)

    assert not ArticleFile.objects.exists()


def test_customers_keep_and_discard_nothing():
    article = make_draft()
    kept = keep(article, actor=make_user(role=Role.AGENT))

    with pytest.raises(NotAllowed):
        keep(article, actor=make_user())
    with pytest.raises(NotAllowed):
        files.discard(kept, actor=make_user())


def test_discarded_file_leaves_the_store():
    kept = keep(make_draft())
    storage, name = kept.file.storage, kept.file.name

    files.discard(kept, actor=make_supervisor())

    assert not storage.exists(name)
    assert not ArticleFile.objects.exists()


def test_row_whose_file_was_never_written_is_deleted_a_day_later():
    article = make_draft()
    fields = {"article": article, "kind": "image", "content_type": "image/png", "size": 1, "sha256": ""}
    ArticleFile.objects.create(name="vieja.png", created_at=timezone.now() - timedelta(days=2), **fields)
    ArticleFile.objects.create(name="nueva.png", **fields)

    assert files.discard_unfinished() == 1
    assert ArticleFile.objects.get().name == "nueva.png"
