"""Files of a report, with script and without."""

import re
from html import unescape
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tickets.models import Attachment, Process, Ticket

from .factories import DETAILS, png
from .guide import PAGO, Guide

pytestmark = pytest.mark.django_db


@pytest.mark.demand("S0.11", "S1.8", "S3.8")
def test_files_are_sent_with_the_form_without_script(client: Client, guest_process: Process):
    guide = Guide(client, PAGO)

    guide.fill(DETAILS, files=[png("una.png"), png("otra.png")])
    assert "una.png, otra.png" in guide.page(guide.contact)
    guide.send(email="ana@example.com")

    message = Ticket.objects.get().messages.get()
    assert [file.name for file in message.attachments.all()] == ["una.png", "otra.png"]


def test_file_limits_are_shown_and_enforced(client: Client, guest_process: Process):
    guide = Guide(client, PAGO)
    assert "Hasta 2 archivos de 1\xa0MB" in guide.drawn

    page = guide.fill(
        DETAILS, files=[png("1.png"), png("2.png"), png("3.png"), SimpleUploadedFile("x.zip", b"PK")]
    )

    text = unescape(page.content.decode())
    assert page.status_code == 422
    assert "3.png: Puedes adjuntar hasta 2 archivos." in text
    assert "x.zip: " in text
    assert [file.name for file in Attachment.objects.all()] == ["1.png", "2.png"]
    assert all(value in text for value in (DETAILS["title"], "1.png", "2.png"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("vacio.png", b""),
        ("foto.png", b"<script>alert(1)</script>"),
        ("factura.pdf.exe", b"MZ\x00"),
        ("dibujo.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
        ("grande.pdf", b"%PDF-1.4" + b"x" * 1_200_000),
    ],
)
def test_refused_file_is_named_and_others_kept(
    client: Client, guest_process: Process, name: str, content: bytes
):
    guide = Guide(client, PAGO)

    page = guide.fill(DETAILS, files=[SimpleUploadedFile(name, content), png("buena.png")])

    assert page.status_code == 422
    assert f"{name}: " in page.content.decode()
    assert [file.name for file in Attachment.objects.all()] == ["buena.png"]
    assert guide.fill(DETAILS)["Location"] == guide.contact


def test_unsent_files_are_limited_per_ip_address(client: Client, guest_process: Process, settings: Any):
    settings.DESK_MAX_UNSENT_MB = 1
    Guide(client, PAGO).fill(DETAILS, files=[png("una.png")])
    Attachment.objects.update(size=1024 * 1024)
    again, elsewhere = Guide(Client(), PAGO), Guide(Client(REMOTE_ADDR="203.0.113.7"), PAGO)

    plain = again.fill(DETAILS, files=[png("dos.png")])
    script = again.client.post(upload_url(again.drawn), {"file": png("tres.png")})

    assert (plain.status_code, script.status_code) == (422, 422)
    for page in (plain, script):
        assert "Tienes muchos archivos sin enviar: juntos pueden ocupar hasta 1 MB" in page.content.decode()
    assert elsewhere.fill(DETAILS, files=[png("otra.png")]).status_code == 302
    assert [file.name for file in Attachment.objects.all()] == ["una.png", "otra.png"]


def upload_url(html: str) -> str:
    found = re.search(r'data-upload-url="([^"]+)"', html)
    assert found
    return unescape(found[1])


def test_script_uploads_files_and_gets_their_rows(client: Client, guest_process: Process):
    guide = Guide(client, PAGO)
    url = upload_url(guide.drawn)

    row = client.post(url, {"file": png("una.png")})
    refused = client.post(url, {"file": SimpleUploadedFile("x.exe", b"MZ")})

    assert (row.status_code, refused.status_code) == (200, 422)
    assert "una.png" in row.content.decode()
    assert 'data-state="error"' in refused.content.decode()
    assert "una.png" in guide.page(f"{guide.details}?tipo={PAGO}")


def test_file_can_be_removed_with_and_without_script(client: Client, guest_process: Process):
    guide = Guide(client, PAGO)
    guide.fill(DETAILS, files=[png("una.png"), png("otra.png")])
    _first, second = Attachment.objects.all()
    page = guide.page(guide.details)
    remove = unescape(re.findall(r'data-remove="([^"]+)"', page)[0])

    assert client.post(remove).status_code == 204
    answer = guide.fill(DETAILS | {"title": "Otro título"}, quitar=str(second.uuid))

    assert answer.status_code == 302
    assert not Attachment.objects.exists()
    assert "Otro título" in guide.page(guide.details)


def test_file_of_another_draft_cannot_be_removed(client: Client, guest_process: Process):
    guide = Guide(client, PAGO)
    guide.fill(DETAILS, files=[png("mia.png")])
    other = Guide(Client(), PAGO)
    file = Attachment.objects.get()

    other.client.post(f"/nuevo/{other.id}/archivos/{file.uuid}/quitar/")
    other.client.post(f"/nuevo/{guide.id}/archivos/{file.uuid}/quitar/")
    other.fill(DETAILS, quitar=str(file.uuid))
    other.fill(DETAILS, quitar="no-soy-un-uuid")

    assert Attachment.objects.get().name == "mia.png"


def test_files_of_another_draft_are_not_attached(client: Client, guest_process: Process):
    Guide(Client(), PAGO).fill(DETAILS, files=[png("ajena.png")])
    guide = Guide(client, PAGO)

    guide.fill(DETAILS)
    guide.send(email="ana@example.com")

    assert not Ticket.objects.get().attachments.exists()
